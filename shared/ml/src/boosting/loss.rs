//! The loss functions with their derivatives by the score.

use crate::model::Link;

/// A loss with the targets of all rows.
#[derive(Debug)]
pub(super) enum Loss<'a> {
    /// The log loss of two classes; the score is the log-odds of class 1.
    Logistic { classes: &'a [u32], weights: &'a [f64] },
    /// The log loss of several classes; the probabilities are the softmax of the scores.
    Softmax { classes: &'a [u32], weights: &'a [f64] },
    /// Half of the squared error.
    Squared { targets: &'a [f64] },
    /// The pinball loss (Koenker and Bassett 1978), whose minimum is the quantile.
    Quantile { targets: &'a [f64], quantile: f64 },
    /// The deviance of a Poisson distribution without constants; the score is the logarithm of the mean.
    Poisson { targets: &'a [f64] },
}

/// Added to the score in the hessian of [`Loss::Poisson`], so that a leaf of zeros has no huge step (LightGBM's
/// `poisson_max_delta_step`).
const POISSON_STEP: f64 = 0.7;
/// The least share of a class, for a finite logarithm.
const MIN_SHARE: f64 = 1e-9;

impl Loss<'_> {
    /// From scores to predictions.
    pub(super) fn link(&self) -> Link {
        match self {
            Self::Logistic { .. } => Link::Logit,
            Self::Softmax { .. } => Link::Softmax,
            Self::Squared { .. } | Self::Quantile { .. } => Link::Identity,
            Self::Poisson { .. } => Link::Log,
        }
    }

    /// The scores without any tree: the constants with the least loss.
    pub(super) fn baseline(&self, rows: &[u32]) -> Vec<f64> {
        let mean = |targets: &[f64]| rows.iter().map(|row| targets[*row as usize]).sum::<f64>() / rows.len() as f64;
        match self {
            Self::Logistic { classes, weights } | Self::Softmax { classes, weights } => {
                let mut sums = vec![0.0; weights.len()];
                rows.iter().map(|row| classes[*row as usize] as usize).for_each(|class| sums[class] += weights[class]);
                let all: f64 = sums.iter().sum();
                let logarithm = |sum: &f64| (sum / all).max(MIN_SHARE).ln();
                match (self, sums.as_slice()) {
                    (Self::Logistic { .. }, [negative, positive]) => vec![logarithm(positive) - logarithm(negative)],
                    _ => sums.iter().map(logarithm).collect(),
                }
            }
            Self::Squared { targets } => vec![mean(targets)],
            Self::Quantile { targets, quantile } => {
                vec![quantile_of(rows.iter().map(|row| targets[*row as usize]).collect(), *quantile)]
            }
            Self::Poisson { targets } => vec![mean(targets).max(MIN_SHARE).ln()],
        }
    }

    /// The first and the second derivative by score `output`, from the predictions for the row.
    #[inline]
    pub(super) fn derivatives(&self, row: usize, predictions: &[f64], output: usize) -> (f64, f64) {
        match self {
            Self::Logistic { classes, weights } => {
                let (p, class) = (predictions[0], classes[row] as usize);
                let weight = weights[class];
                (weight * (p - class as f64), weight * p * (1.0 - p))
            }
            Self::Softmax { classes, weights } => {
                let (p, class) = (predictions[output], classes[row] as usize);
                let (weight, k) = (weights[class], weights.len() as f64);
                // The scores of a row have one degree of freedom less than classes (Friedman 2001, algorithm 6).
                let is_class = f64::from(u8::from(class == output));
                (weight * (p - is_class), weight * p * (1.0 - p) * k / (k - 1.0))
            }
            Self::Squared { targets } => (predictions[0] - targets[row], 1.0),
            Self::Quantile { targets, quantile } => {
                (if targets[row] > predictions[0] { -quantile } else { 1.0 - quantile }, 1.0)
            }
            Self::Poisson { targets } => (predictions[0] - targets[row], predictions[0] * POISSON_STEP.exp()),
        }
    }

    /// The loss of a row and its weight, from the predictions for the row.
    pub(super) fn loss(&self, row: usize, predictions: &[f64]) -> (f64, f64) {
        const EPSILON: f64 = 1e-15;
        let log_loss = |probability: f64| -probability.clamp(EPSILON, 1.0).ln();
        match self {
            Self::Logistic { classes, weights } => {
                let (p, class) = (predictions[0], classes[row] as usize);
                (weights[class] * log_loss(if class == 1 { p } else { 1.0 - p }), weights[class])
            }
            Self::Softmax { classes, weights } => {
                let class = classes[row] as usize;
                (weights[class] * log_loss(predictions[class]), weights[class])
            }
            Self::Squared { targets } => ((predictions[0] - targets[row]).powi(2), 1.0),
            Self::Quantile { targets, quantile } => {
                let error = targets[row] - predictions[0];
                ((quantile * error).max((quantile - 1.0) * error), 1.0)
            }
            Self::Poisson { targets } => {
                (predictions[0] - targets[row] * predictions[0].max(f64::MIN_POSITIVE).ln(), 1.0)
            }
        }
    }

    /// The step of a leaf, if it does not follow from the derivatives: the quantile of the errors of its rows.
    pub(super) fn leaf_step(&self, rows: &[u32], scores: &[f64]) -> Option<f64> {
        let Self::Quantile { targets, quantile } = self else { return None };
        let errors = rows.iter().map(|row| targets[*row as usize] - scores[*row as usize]).collect();
        Some(quantile_of(errors, *quantile))
    }
}

/// The smallest number that is not less than the share `quantile` of all numbers.
fn quantile_of(mut numbers: Vec<f64>, quantile: f64) -> f64 {
    let at = ((numbers.len() as f64 * quantile).ceil() as usize).clamp(1, numbers.len()) - 1;
    *numbers.select_nth_unstable_by(at, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The derivatives equal difference quotients of the loss.
    #[test]
    fn derivatives_are_those_of_the_loss() {
        let (two, three) = ([1.0, 2.5], [1.0, 2.0, 0.5]);
        let targets = [1.5, 0.0, 4.0];
        let losses = [
            Loss::Logistic { classes: &[0, 1, 1], weights: &two },
            Loss::Softmax { classes: &[0, 2, 1], weights: &three },
            Loss::Squared { targets: &targets },
            Loss::Quantile { targets: &targets, quantile: 0.8 },
            Loss::Poisson { targets: &targets },
        ];
        for loss in losses {
            let at = |scores: &[f64], row| {
                let mut predictions = scores.to_vec();
                loss.link().apply(&mut predictions);
                (loss.loss(row, &predictions).0, predictions)
            };
            for row in 0..3 {
                let outputs = loss.baseline(&[0, 1, 2]).len();
                let scores = [0.3, -0.7, 1.1][..outputs].to_vec();
                for output in 0..outputs {
                    let (mut more, mut less) = (scores.clone(), scores.clone());
                    more[output] += 1e-5;
                    less[output] -= 1e-5;
                    let slope = (at(&more, row).0 - at(&less, row).0) / 2e-5;
                    let factor = if matches!(loss, Loss::Squared { .. }) { 2.0 } else { 1.0 };
                    let (gradient, hessian) = loss.derivatives(row, &at(&scores, row).1, output);
                    assert!((gradient * factor - slope).abs() < 1e-6, "{loss:?}: {gradient} and {slope}");
                    assert!(hessian > 0.0);
                }
            }
        }
    }

    #[test]
    fn quantiles_are_values_of_the_list() {
        let of = |quantile| quantile_of(vec![4.0, 1.0, 3.0, 2.0], quantile);
        assert_eq!([0.01, 0.25, 0.26, 0.5, 0.9, 1.0].map(of), [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]);
    }
}
