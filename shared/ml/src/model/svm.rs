//! Support vector machines over the design vector: one against one, with Platt's probabilities.

use super::{DesignEncoding, Task, coupling};

/// Machines for every pair of classes over one shared list of support vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmModel {
    /// How raw rows become design vectors.
    pub encoding: DesignEncoding,
    /// The kernel of all machines.
    pub kernel: Kernel,
    /// Row-major: every support vector once, `encoding.width()` numbers each.
    pub vectors: Vec<f64>,
    /// One per unordered pair of classes, in any order; one in all for two classes.
    pub machines: Vec<Machine>,
}

/// Similarity of two design vectors.
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
        /// Added to the product.
        constant: f64,
        /// 1 to 10.
        degree: u32,
    },
}

/// Tells two classes apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Class index that positive decision values speak for (for two classes, class 1 is the positive class).
    pub first: u32,
    /// Class index that negative decision values speak for.
    pub second: u32,
    /// Rows of [`SvmModel::vectors`].
    pub support: Vec<u32>,
    /// One per entry of `support`.
    pub coefficients: Vec<f64>,
    /// Subtracted from the sum: `f(x) = Σ coefficient · K(vector, x) - rho`.
    pub rho: f64,
    /// Platt's slope, as LIBSVM has it: `P(first | first or second) = 1 / (1 + exp(platt_a · f + platt_b))`.
    pub platt_a: f64,
    /// Platt's offset.
    pub platt_b: f64,
}

impl Kernel {
    /// The kernel's value for two vectors of one length.
    pub fn value(self, x: &[f64], y: &[f64]) -> f64 {
        let dot = || x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
        match self {
            Self::Linear => dot(),
            Self::Rbf { gamma } => (-gamma * x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()).exp(),
            // At most 10, see the artifact's checks.
            Self::Polynomial { constant, degree } => (dot() + constant).powi(degree.min(10) as i32),
        }
    }
}

impl Machine {
    /// The decision value, given the kernel's value for every support vector of the model.
    pub fn decision(&self, kernels: &[f64]) -> f64 {
        let terms = self.support.iter().zip(&self.coefficients);
        terms.map(|(&row, coefficient)| coefficient * kernels[row as usize]).sum::<f64>() - self.rho
    }

    /// Platt's probability of `first` against `second`.
    pub fn probability(&self, decision: f64) -> f64 {
        super::linear::sigmoid(-(self.platt_a * decision + self.platt_b))
    }
}

impl SvmModel {
    /// The output vector for one design vector: class probabilities. Support vector regression doesn't exist here.
    pub fn predict(&self, task: &Task, design: &[f64], outputs: &mut [f64]) {
        let vectors = self.vectors.chunks_exact(design.len().max(1));
        let kernels: Vec<f64> = vectors.map(|vector| self.kernel.value(vector, design)).collect();
        let classes = task.labels().len();
        let mut pairs = vec![0.5; classes * classes];
        for machine in &self.machines {
            let (first, second) = (machine.first as usize, machine.second as usize);
            let probability = machine.probability(machine.decision(&kernels));
            pairs[first * classes + second] = probability;
            pairs[second * classes + first] = 1.0 - probability;
        }
        match task {
            Task::Binary { .. } => outputs[0] = pairs[classes],
            Task::MultiClass { .. } => coupling::couple(&pairs, outputs),
            Task::Regression => {}
        }
    }
}
