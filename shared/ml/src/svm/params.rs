//! The parameters of support vector machines. As usual in linfa, a parameter set is checked before it can be fitted.

use std::marker::PhantomData;

use crate::forest::{ClassWeight, Classes, Numbers};
use crate::parameters::parameters;

/// The kernel function, without its gamma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelKind {
    /// `x·y`
    Linear,
    /// `exp(-gamma |x - y|²)`
    Rbf,
    /// `(gamma x·y + 1)^degree`
    Polynomial {
        /// From 1 to 10.
        degree: u32,
    },
}

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmValidParams<K> {
    cost: f64,
    kernel: KernelKind,
    gamma: Option<f64>,
    class_weight: ClassWeight,
    epsilon: f64,
    calibrated: bool,
    tolerance: f64,
    max_steps: Option<u64>,
    cache_bytes: usize,
    seed: u64,
    kind: PhantomData<K>,
}

/// Parameters of a support vector classifier ([`Classes`]) or regressor ([`Numbers`]); the setters document the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmParams<K>(SvmValidParams<K>);

impl<K> Default for SvmParams<K> {
    fn default() -> Self {
        Self(SvmValidParams {
            cost: 1.0,
            kernel: KernelKind::Rbf,
            gamma: None,
            class_weight: ClassWeight::Uniform,
            epsilon: 0.1,
            calibrated: true,
            tolerance: 1e-3,
            max_steps: None,
            cache_bytes: 200 << 20,
            seed: 42,
            kind: PhantomData,
        })
    }
}

/// Parameters of a classifier.
pub type SvmClassifierParams = SvmParams<Classes>;
/// Parameters of a regressor.
pub type SvmRegressorParams = SvmParams<Numbers>;

parameters! {
    SvmParams, SvmValidParams;

    /// The regularization parameter C (default: 1).
    cost: f64,
    /// The kernel function (default: RBF).
    kernel: KernelKind,
    /// The kernel coefficient of RBF and polynomial kernels (default: 1 / (columns · variance), scikit-learn's `scale`).
    gamma: Option<f64>,
    /// Class weights (default: equal). Ignored by regressors.
    class_weight: ClassWeight,
    /// Width of the tube without loss, in standard deviations of the target (default: 0.1). Ignored by classifiers.
    epsilon: f64,
    /// Whether a classifier is calibrated by cross-validation, for probabilities (default: yes).
    calibrated: bool,
    /// Stopping tolerance of the optimizer (default: 1e-3, as LIBSVM).
    tolerance: f64,
    /// Maximum number of steps of the optimizer (default: 10 million, or 100 per row if that is more, as LIBSVM).
    max_steps: Option<u64>,
    /// Size of the kernel cache in bytes (default: 200 MB). It changes only the training time.
    cache_bytes: usize,
    /// Seed of the cross-validation folds (default: 42).
    seed: u64,
}

impl<K> SvmValidParams<K> {
    /// What is wrong with the parameters.
    fn fault(&self) -> Option<&'static str> {
        let is_positive = |number: f64| number.is_finite() && number > 0.0;
        match self {
            params if !is_positive(params.cost) => Some("cost must be a positive number"),
            params if !params.gamma.is_none_or(is_positive) => Some("gamma must be a positive number"),
            params if matches!(params.kernel, KernelKind::Polynomial { degree } if !(1..=10).contains(&degree)) => {
                Some("degree must be from 1 to 10")
            }
            params if !(params.epsilon.is_finite() && params.epsilon >= 0.0) => {
                Some("epsilon must be a number that is not negative")
            }
            params if !is_positive(params.tolerance) => Some("tolerance must be a positive number"),
            _ => None,
        }
    }
}
