//! Linear models on the design matrix.

use super::{DesignMatrixEncoder, Task};

/// The weights: one row for binary classification (log-odds of the positive class) and regression, one row per class
/// with a softmax for multiclass classification.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    /// The encoder of the design matrix.
    pub encoder: DesignMatrixEncoder,
    /// Row-major: [`Task::outputs`] rows of `encoder.width()` numbers.
    pub weights: Vec<f64>,
    /// One intercept per row.
    pub intercepts: Vec<f64>,
    /// The mean of each column of the design matrix in training. Explanations need it.
    pub means: Vec<f64>,
}

impl LinearModel {
    /// Computes the output vector for a row of the design matrix.
    pub fn predict(&self, task: &Task, inputs: &[f64], outputs: &mut [f64]) {
        // chunks_exact panics for 0. Without columns every output is the intercept.
        let mut rows = self.weights.chunks_exact(inputs.len().max(1));
        for (output, intercept) in outputs.iter_mut().zip(&self.intercepts) {
            let row = rows.next().unwrap_or(&[]);
            *output = intercept + row.iter().zip(inputs).map(|(weight, x)| weight * x).sum::<f64>();
        }
        match task {
            Task::Regression => {}
            Task::Binary { .. } => outputs.iter_mut().for_each(|output| *output = sigmoid(*output)),
            Task::MultiClass { .. } => softmax(outputs),
        }
    }
}

/// 1 / (1 + e^-x) without overflow.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// Softmax in place, shifted by the maximum to avoid overflow.
pub fn softmax(scores: &mut [f64]) {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - max).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_scores_give_valid_probabilities() {
        assert_eq!((sigmoid(1e4), sigmoid(-1e4), sigmoid(0.0)), (1.0, 0.0, 0.5));
        let mut scores = [1e4, 1e4, -1e4];
        softmax(&mut scores);
        assert_eq!(scores, [0.5, 0.5, 0.0]);
    }
}
