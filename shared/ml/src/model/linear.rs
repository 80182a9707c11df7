//! Linear models over the design vector.

use super::{DesignEncoding, Task};

/// Weights over the design vector: one row for two classes (log-odds of the positive one) and for regression, one row
/// per class, through a softmax, for more.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    /// How raw rows become design vectors.
    pub encoding: DesignEncoding,
    /// Row-major: [`Task::outputs`] rows of `encoding.width()` numbers.
    pub weights: Vec<f64>,
    /// One per row.
    pub intercepts: Vec<f64>,
}

impl LinearModel {
    /// The output vector for one design vector.
    pub fn predict(&self, task: &Task, design: &[f64], outputs: &mut [f64]) {
        // chunks_exact refuses 0; without columns every row is its intercept.
        let mut rows = self.weights.chunks_exact(design.len().max(1));
        for (output, intercept) in outputs.iter_mut().zip(&self.intercepts) {
            let row = rows.next().unwrap_or(&[]);
            *output = intercept + row.iter().zip(design).map(|(weight, x)| weight * x).sum::<f64>();
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

/// Softmax in place, shifted by the maximum so that nothing overflows.
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
    fn extreme_scores_stay_probabilities() {
        assert_eq!((sigmoid(1e4), sigmoid(-1e4), sigmoid(0.0)), (1.0, 0.0, 0.5));
        let mut scores = [1e4, 1e4, -1e4];
        softmax(&mut scores);
        assert_eq!(scores, [0.5, 0.5, 0.0]);
    }
}
