//! The forest's parameters, after linfa's convention: a set that can be changed, checked into one that can be fitted.

use std::marker::PhantomData;

use linfa::{Error, ParamGuard};

use super::Criterion;

/// Marks a forest whose targets are classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classes {}

/// Marks a forest whose targets are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {}

/// How many features each split draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFeatures {
    /// The square root of their number.
    Sqrt,
    /// The binary logarithm of their number.
    Log2,
    /// A third of them.
    Third,
    /// All of them.
    All,
}

impl MaxFeatures {
    /// The number drawn out of `features`: rounded down, at least one.
    pub fn of(self, features: usize) -> usize {
        let drawn = match self {
            Self::Sqrt => features.isqrt(),
            Self::Log2 => features.checked_ilog2().unwrap_or(0) as usize,
            Self::Third => features / 3,
            Self::All => features,
        };
        drawn.max(1)
    }
}

/// What a row of each class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassWeight {
    /// All the same.
    Even,
    /// In inverse proportion to the class's frequency.
    Balanced,
}

impl ClassWeight {
    /// A weight per class; `balanced` is `rows / (classes · rows of the class)`.
    pub(crate) fn weights(self, classes: &[u32], n_classes: usize) -> Vec<f64> {
        match self {
            Self::Even => vec![1.0; n_classes],
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

/// Parameters that were checked: ready to fit.
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
    seed: u64,
    kind: PhantomData<K>,
}

/// Parameters of a random forest; see the setters for what there is and the defaults.
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
            class_weight: ClassWeight::Even,
            criterion: Criterion::Gini,
            bootstrap: true,
            seed: 42,
            kind: PhantomData,
        })
    }
}

macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        impl<K> RandomForestParams<K> {
            $($(#[$doc])*
            pub fn $name(mut self, $name: $type) -> Self {
                self.0.$name = $name;
                self
            })*
        }

        impl<K> RandomForestValidParams<K> {
            $($(#[$doc])*
            pub fn $name(&self) -> $type {
                self.$name
            })*
        }
    };
}

parameters! {
    /// Number of trees; 100 unless set.
    n_trees: usize,
    /// Deepest level of a leaf; unbounded unless set.
    max_depth: Option<usize>,
    /// Fewest rows, as drawn, in a node that may be split; 2 unless set.
    min_samples_split: u32,
    /// Fewest rows, as drawn, in a leaf; 1 unless set.
    min_samples_leaf: u32,
    /// How many features each split draws from; the square root unless set.
    max_features: MaxFeatures,
    /// What a row of each class counts; all the same unless set. Means nothing for numbers.
    class_weight: ClassWeight,
    /// What splits of classes minimise; the Gini index unless set. Numbers are split by variance.
    criterion: Criterion,
    /// Whether each tree draws its own rows; it does unless told otherwise.
    bootstrap: bool,
    /// Fixes every random draw; 42 unless set.
    seed: u64,
}

impl<K> ParamGuard for RandomForestParams<K> {
    type Checked = RandomForestValidParams<K>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Self::Checked, Error> {
        let refuse = |message: &str| Err(Error::Parameters(message.to_owned()));
        match &self.0 {
            params if params.n_trees == 0 => refuse("n_trees must be at least 1"),
            params if params.max_depth == Some(0) => refuse("max_depth must be at least 1"),
            params if params.min_samples_split < 2 => refuse("min_samples_split must be at least 2"),
            params if params.min_samples_leaf == 0 => refuse("min_samples_leaf must be at least 1"),
            params => Ok(params),
        }
    }

    fn check(self) -> Result<Self::Checked, Error> {
        self.check_ref()?;
        Ok(self.0)
    }
}
