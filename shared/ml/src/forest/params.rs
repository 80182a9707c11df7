//! The forest's parameters. As usual in linfa, a parameter set is checked before it can be fitted.

use std::marker::PhantomData;

use super::Criterion;
use crate::parameters::parameters;

/// Marker type of a classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classes {}

/// Marker type of a regressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {}

/// Number of features that each split considers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFeatures {
    /// The square root of the number of features.
    Sqrt,
    /// The binary logarithm of the number of features.
    Log2,
    /// A third of the features.
    Third,
    /// Half of the features.
    Half,
    /// All features.
    All,
}

impl MaxFeatures {
    /// The number for `features` features: rounded down, at least one.
    pub fn of(self, features: usize) -> usize {
        let drawn = match self {
            Self::Sqrt => features.isqrt(),
            Self::Log2 => features.checked_ilog2().unwrap_or(0) as usize,
            Self::Third => features / 3,
            Self::Half => features / 2,
            Self::All => features,
        };
        drawn.max(1)
    }
}

/// The thresholds that a split considers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thresholds {
    /// All of them, for the best one.
    Best,
    /// One per column, drawn at random.
    Random,
}

/// The weights of the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassWeight {
    /// Equal weights.
    Uniform,
    /// Weights in inverse proportion to the class frequencies.
    Balanced,
}

impl ClassWeight {
    /// The weight of each class; `balanced` is `rows / (classes · rows of the class)`.
    pub(crate) fn weights(self, classes: &[u32], n_classes: usize) -> Vec<f64> {
        match self {
            Self::Uniform => vec![1.0; n_classes],
            Self::Balanced => {
                let mut counts = vec![0_u32; n_classes];
                for class in classes {
                    counts[*class as usize] += 1;
                }
                let weight = |count: u32| classes.len() as f64 / (n_classes as f64 * f64::from(count.max(1)));
                counts.into_iter().map(weight).collect()
            }
        }
    }
}

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomForestValidParams<K> {
    n_trees: usize,
    max_depth: Option<usize>,
    min_samples_split: u32,
    min_samples_leaf: u32,
    max_features: MaxFeatures,
    class_weight: ClassWeight,
    criterion: Criterion,
    bootstrap: bool,
    thresholds: Thresholds,
    shrinkage: f64,
    seed: u64,
    kind: PhantomData<K>,
}

/// Parameters of a random forest; the setters document the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomForestParams<K>(RandomForestValidParams<K>);

impl<K> Default for RandomForestParams<K> {
    fn default() -> Self {
        Self(RandomForestValidParams {
            n_trees: 100,
            max_depth: None,
            min_samples_split: 2,
            min_samples_leaf: 1,
            max_features: MaxFeatures::Sqrt,
            class_weight: ClassWeight::Uniform,
            criterion: Criterion::Gini,
            bootstrap: true,
            thresholds: Thresholds::Best,
            shrinkage: 0.0,
            seed: 42,
            kind: PhantomData,
        })
    }
}

parameters! {
    RandomForestParams, RandomForestValidParams;

    /// Number of trees (default: 100).
    n_trees: usize,
    /// Maximum depth of a leaf (default: unlimited).
    max_depth: Option<usize>,
    /// Minimum number of draws in a node that may be split (default: 2).
    min_samples_split: u32,
    /// Minimum number of draws in a leaf (default: 1).
    min_samples_leaf: u32,
    /// Number of features that each split considers (default: square root).
    max_features: MaxFeatures,
    /// Class weights (default: equal). Ignored by regressors.
    class_weight: ClassWeight,
    /// Split criterion (default: Gini). Regressors minimize the variance.
    criterion: Criterion,
    /// Whether each tree is trained on a bootstrap sample (default: yes).
    bootstrap: bool,
    /// The thresholds that a split considers (default: the best).
    thresholds: Thresholds,
    /// The strength of the hierarchical shrinkage of leaf values, in rows (default: 0, no shrinkage).
    shrinkage: f64,
    /// Seed of the random number generator (default: 42).
    seed: u64,
}

impl<K> RandomForestValidParams<K> {
    /// What is wrong with the parameters.
    fn fault(&self) -> Option<&'static str> {
        match self {
            params if params.n_trees == 0 => Some("n_trees must be at least 1"),
            params if params.max_depth == Some(0) => Some("max_depth must be at least 1"),
            params if params.min_samples_split < 2 => Some("min_samples_split must be at least 2"),
            params if params.min_samples_leaf == 0 => Some("min_samples_leaf must be at least 1"),
            params if !(params.shrinkage >= 0.0 && params.shrinkage.is_finite()) => {
                Some("shrinkage must be a number of at least 0")
            }
            _ => None,
        }
    }
}
