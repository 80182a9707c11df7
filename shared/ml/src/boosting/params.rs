//! The parameters of gradient boosting. As usual in linfa, a parameter set is checked before it can be fitted.

use std::marker::PhantomData;

use crate::forest::{ClassWeight, Classes, Numbers};
use crate::parameters::parameters;

/// The loss of a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RegressionLoss {
    /// The squared error: predicts the mean.
    Squared,
    /// The pinball loss: predicts a quantile.
    Quantile {
        /// Between 0 and 1.
        quantile: f64,
    },
    /// The Poisson deviance, for counts and other targets that are not negative: predicts the mean.
    Poisson,
}

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostingValidParams<K> {
    n_rounds: usize,
    learning_rate: f64,
    max_leaves: usize,
    max_depth: Option<usize>,
    min_samples_leaf: u32,
    min_hessian: f64,
    l2: f64,
    feature_fraction: f64,
    subsample: f64,
    early_stopping_rounds: Option<usize>,
    validation_fraction: f64,
    class_weight: ClassWeight,
    loss: RegressionLoss,
    seed: u64,
    kind: PhantomData<K>,
}

/// Parameters of a boosted classifier ([`Classes`]) or regressor ([`Numbers`]); the setters document the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostingParams<K>(BoostingValidParams<K>);

/// Parameters of a classifier.
pub type BoostingClassifierParams = BoostingParams<Classes>;
/// Parameters of a regressor.
pub type BoostingRegressorParams = BoostingParams<Numbers>;

impl<K> Default for BoostingParams<K> {
    fn default() -> Self {
        Self(BoostingValidParams {
            n_rounds: 2_000,
            learning_rate: 0.05,
            max_leaves: 31,
            max_depth: None,
            min_samples_leaf: 5,
            min_hessian: 1e-3,
            l2: 10.0,
            feature_fraction: 0.7,
            subsample: 0.7,
            early_stopping_rounds: Some(50),
            validation_fraction: 0.2,
            class_weight: ClassWeight::Uniform,
            loss: RegressionLoss::Squared,
            seed: 42,
            kind: PhantomData,
        })
    }
}

parameters! {
    BoostingParams, BoostingValidParams;

    /// Maximum number of rounds; a round has one tree, or one per class with three or more classes (default: 2,000).
    n_rounds: usize,
    /// Factor of the step of each tree (default: 0.05).
    learning_rate: f64,
    /// Maximum number of leaves of a tree (default: 31, as LightGBM).
    max_leaves: usize,
    /// Maximum depth of a leaf (default: unlimited).
    max_depth: Option<usize>,
    /// Minimum number of rows in a leaf (default: 5).
    min_samples_leaf: u32,
    /// Minimum sum of the second derivatives in a leaf (default: 0.001, as LightGBM).
    min_hessian: f64,
    /// L2 penalty of the values of the leaves (default: 10).
    l2: f64,
    /// Share of the features that each tree may use, drawn at random (default: 0.7).
    feature_fraction: f64,
    /// Share of the rows that each tree is trained on, drawn at random (default: 0.7).
    subsample: f64,
    /// The number of rounds is that with the least loss on the validation rows; the search ends after this many rounds
    /// without a smaller loss (default: 50). `None` trains [`Self::n_rounds`] rounds.
    early_stopping_rounds: Option<usize>,
    /// Share of the rows that are validation rows while the number of rounds is searched (default: 0.2).
    validation_fraction: f64,
    /// Class weights (default: equal). Ignored by regressors.
    class_weight: ClassWeight,
    /// The loss of a regressor (default: squared). Ignored by classifiers, which minimize the log loss.
    loss: RegressionLoss,
    /// Seed of the random number generator (default: 42).
    seed: u64,
}

impl<K> BoostingValidParams<K> {
    /// The same parameters with a known number of rounds.
    pub(super) fn with_rounds(&self, n_rounds: usize) -> Self
    where
        K: Clone,
    {
        Self { n_rounds, early_stopping_rounds: None, ..self.clone() }
    }

    /// What is wrong with the parameters.
    fn fault(&self) -> Option<&'static str> {
        let is_share = |number: f64| number > 0.0 && number <= 1.0;
        let is_positive = |number: f64| number.is_finite() && number > 0.0;
        match self {
            params if params.n_rounds == 0 => Some("n_rounds must be at least 1"),
            params if !is_positive(params.learning_rate) => Some("learning_rate must be a positive number"),
            params if params.max_leaves < 2 => Some("max_leaves must be at least 2"),
            params if params.max_depth == Some(0) => Some("max_depth must be at least 1"),
            params if params.min_samples_leaf == 0 => Some("min_samples_leaf must be at least 1"),
            params if !is_positive(params.min_hessian) => Some("min_hessian must be a positive number"),
            params if !(params.l2.is_finite() && params.l2 >= 0.0) => Some("l2 must be a number that is not negative"),
            params if !is_share(params.feature_fraction) => Some("feature_fraction must be above 0 and at most 1"),
            params if !is_share(params.subsample) => Some("subsample must be above 0 and at most 1"),
            params if params.early_stopping_rounds == Some(0) => Some("early_stopping_rounds must be at least 1"),
            params if !(params.validation_fraction > 0.0 && params.validation_fraction < 1.0) => {
                Some("validation_fraction must be between 0 and 1")
            }
            params if matches!(params.loss, RegressionLoss::Quantile { quantile } if !(quantile > 0.0 && quantile < 1.0)) => {
                Some("quantile must be between 0 and 1")
            }
            _ => None,
        }
    }
}
