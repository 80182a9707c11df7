//! The parameters of linear models. As usual in linfa, a parameter set is checked before it can be fitted.

use std::marker::PhantomData;

use crate::forest::{ClassWeight, Classes, Numbers};
use crate::parameters::parameters;

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearValidParams<K> {
    alpha: f64,
    class_weight: ClassWeight,
    tolerance: f64,
    max_iterations: u64,
    kind: PhantomData<K>,
}

/// Parameters of logistic regression ([`Classes`]) or ridge regression ([`Numbers`]); the setters document the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearParams<K>(LinearValidParams<K>);

/// Parameters of logistic regression.
pub type LogisticParams = LinearParams<Classes>;
/// Parameters of ridge regression.
pub type RidgeParams = LinearParams<Numbers>;

impl<K> Default for LinearParams<K> {
    fn default() -> Self {
        Self(LinearValidParams {
            alpha: 1.0,
            class_weight: ClassWeight::Uniform,
            tolerance: 1e-6,
            max_iterations: 200,
            kind: PhantomData,
        })
    }
}

parameters! {
    LinearParams, LinearValidParams;

    /// Strength of the L2 penalty: the loss is summed over the rows, plus `alpha / 2 · |weights|²` (default: 1).
    alpha: f64,
    /// Class weights (default: equal). Ignored by ridge regression.
    class_weight: ClassWeight,
    /// Training ends when no component of the mean gradient is larger (default: 1e-6).
    tolerance: f64,
    /// Maximum number of iterations (default: 200).
    max_iterations: u64,
}

impl<K> LinearValidParams<K> {
    /// What is wrong with the parameters.
    fn fault(&self) -> Option<&'static str> {
        match self {
            params if !(params.alpha.is_finite() && params.alpha >= 0.0) => {
                Some("alpha must be a number that is not negative")
            }
            params if !(params.tolerance.is_finite() && params.tolerance > 0.0) => {
                Some("tolerance must be a positive number")
            }
            params if params.max_iterations == 0 => Some("max_iterations must be at least 1"),
            _ => None,
        }
    }
}
