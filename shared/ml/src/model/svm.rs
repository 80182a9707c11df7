//! Support vector machines on the design matrix: one-vs-one with Platt scaling, and regression.

use super::{DesignMatrixEncoder, Task, coupling};

/// Decision functions with one shared list of support vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmModel {
    /// The encoder of the design matrix.
    pub encoder: DesignMatrixEncoder,
    /// The kernel of all decision functions.
    pub kernel: Kernel,
    /// Row-major: the support vectors with `encoder.width()` numbers each.
    pub vectors: Vec<f64>,
    /// Classification: one per unordered pair of classes, in any order. Regression: one, whose value is the prediction.
    pub functions: Vec<DecisionFunction>,
}

/// The kernel function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kernel {
    /// `x·y`
    Linear,
    /// `exp(-gamma |x - y|²)`
    Rbf {
        /// Positive.
        gamma: f64,
    },
    /// `(x·y + constant)^degree`
    Polynomial {
        /// The constant term.
        constant: f64,
        /// From 1 to 10.
        degree: u32,
    },
}

/// A decision function. Regression uses neither the classes nor Platt's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionFunction {
    /// The class of positive decision values (1, the positive class, for binary tasks).
    pub first: u32,
    /// The class of negative decision values.
    pub second: u32,
    /// Indices into the rows of [`SvmModel::vectors`].
    pub support: Vec<u32>,
    /// One coefficient per support vector.
    pub coefficients: Vec<f64>,
    /// The offset: `f(x) = Σ coefficient · K(vector, x) - rho`.
    pub rho: f64,
    /// Platt's slope, as in LIBSVM: `P(first | first or second) = 1 / (1 + exp(platt_a · f + platt_b))`.
    pub platt_a: f64,
    /// Platt's offset.
    pub platt_b: f64,
}

impl Kernel {
    /// The kernel value of two vectors with equal length.
    pub fn value(self, x: &[f64], y: &[f64]) -> f64 {
        let dot = || x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
        match self {
            Self::Linear => dot(),
            Self::Rbf { gamma } => (-gamma * x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()).exp(),
            // The artifact validation limits the degree to 10.
            Self::Polynomial { constant, degree } => (dot() + constant).powi(degree.min(10) as i32),
        }
    }
}

impl DecisionFunction {
    /// The decision value, from the kernel values of all support vectors of the model.
    pub fn decision(&self, kernels: &[f64]) -> f64 {
        let terms = self.support.iter().zip(&self.coefficients);
        terms.map(|(&row, coefficient)| coefficient * kernels[row as usize]).sum::<f64>() - self.rho
    }

    /// The calibrated probability of `first` against `second`.
    pub fn probability(&self, decision: f64) -> f64 {
        super::linear::sigmoid(-(self.platt_a * decision + self.platt_b))
    }
}

impl SvmModel {
    /// Computes the output vector for a row of the design matrix.
    pub fn predict(&self, task: &Task, inputs: &[f64], outputs: &mut [f64]) {
        let vectors = self.vectors.chunks_exact(inputs.len().max(1));
        let kernels: Vec<f64> = vectors.map(|vector| self.kernel.value(vector, inputs)).collect();
        Self::combine(&self.functions, task, &kernels, outputs);
    }

    /// Computes the output vector from the kernel values of all support vectors.
    pub(crate) fn combine(functions: &[DecisionFunction], task: &Task, kernels: &[f64], outputs: &mut [f64]) {
        let classes = match task {
            Task::Binary { .. } => 2,
            Task::MultiClass { classes, .. } => classes.len(),
            Task::Regression => {
                outputs[0] = functions[0].decision(kernels);
                return;
            }
        };
        let mut pairs = vec![0.5; classes * classes];
        for function in functions {
            let (first, second) = (function.first as usize, function.second as usize);
            let probability = function.probability(function.decision(kernels));
            pairs[first * classes + second] = probability;
            pairs[second * classes + first] = 1.0 - probability;
        }
        match outputs {
            [positive] => *positive = pairs[classes],
            outputs => coupling::couple(&pairs, outputs),
        }
    }
}
