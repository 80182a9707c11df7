//! Calibrated models: a function per output turns the probability of the model into one that agrees with the frequencies of the
//! training part.

use super::linear::sigmoid;
use super::{Estimator, Task};

/// Probabilities are clipped to [margin, 1 - margin] before their log-odds are computed.
pub(crate) const MARGIN: f64 = 1e-6;

/// A model with calibrated probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedModel {
    /// A model that is not calibrated; it can be an ensemble.
    pub base: Box<Estimator>,
    /// One per output.
    pub calibrators: Vec<Calibrator>,
}

/// From the probability of a model to the calibrated one. The function never falls.
#[derive(Debug, Clone, PartialEq)]
pub enum Calibrator {
    /// Linear between the points, and constant beyond the first and the last one ([`crate::isotonic`] fits it).
    Isotonic {
        /// Probabilities of the model: ascending, at least one.
        scores: Vec<f64>,
        /// The calibrated probability of each; never falling.
        shares: Vec<f64>,
    },
    /// `1 / (1 + exp(a · f + b))`, where f is the log-odds of the model (Platt 1999).
    Platt {
        /// Not positive.
        a: f64,
        /// The offset.
        b: f64,
    },
}

impl Calibrator {
    /// The calibrated probability.
    pub fn apply(&self, probability: f64) -> f64 {
        match self {
            Self::Platt { a, b } => sigmoid(-(a * log_odds(probability) + b)),
            Self::Isotonic { scores, shares } => {
                let above = scores.partition_point(|score| *score <= probability);
                if above == 0 {
                    return shares[0];
                }
                if above == scores.len() {
                    return shares[above - 1];
                }
                let (low, high) = (scores[above - 1], scores[above]);
                let (from, to) = (shares[above - 1], shares[above]);
                from + (to - from) * ((probability - low) / (high - low))
            }
        }
    }

    /// The memory size in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let points = match self {
            Self::Isotonic { scores, shares } => scores.len() + shares.len(),
            Self::Platt { .. } => 0,
        };
        size_of::<Self>() + points * size_of::<f64>()
    }
}

/// The logarithm of the odds.
pub fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(MARGIN, 1.0 - MARGIN);
    (probability / (1.0 - probability)).ln()
}

/// Calibrates an output vector. Of three or more classes each is calibrated against the others, and the results are divided by
/// their sum (Zadrozny and Elkan 2002).
pub fn calibrate(calibrators: &[Calibrator], outputs: &mut [f64]) {
    outputs.iter_mut().zip(calibrators).for_each(|(output, calibrator)| *output = calibrator.apply(*output));
    if outputs.len() > 1 {
        let (sum, count) = (outputs.iter().sum::<f64>(), outputs.len() as f64);
        // Without any probability all classes are equally likely.
        outputs.iter_mut().for_each(|output| *output = if sum > 0.0 { *output / sum } else { 1.0 / count });
    }
}

impl CalibratedModel {
    /// Computes the output vector of a raw row.
    pub fn predict(&self, task: &Task, raw: &[f32], unseen: &[bool], outputs: &mut [f64]) {
        self.base.predict(task, raw, unseen, outputs);
        calibrate(&self.calibrators, outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isotonic(scores: &[f64], shares: &[f64]) -> Calibrator {
        Calibrator::Isotonic { scores: scores.to_vec(), shares: shares.to_vec() }
    }

    // numpy.interp([0, .1, .15, .4, .7, 1], [.1, .2, .6], [.05, .3, .9]) = [.05, .05, .175, .6, .9, .9]
    #[test]
    fn an_isotonic_function_is_linear_between_its_points() {
        let calibrator = isotonic(&[0.1, 0.2, 0.6], &[0.05, 0.3, 0.9]);
        for (probability, expected) in [(0.0, 0.05), (0.1, 0.05), (0.15, 0.175), (0.4, 0.6), (0.7, 0.9), (1.0, 0.9)] {
            assert!((calibrator.apply(probability) - expected).abs() < 1e-12, "{probability}");
        }
        assert_eq!([0.0, 0.5, 1.0].map(|p| isotonic(&[0.5], &[0.3]).apply(p)), [0.3; 3]);
    }

    #[test]
    fn the_identity_changes_nothing() {
        let identity = Calibrator::Platt { a: -1.0, b: 0.0 };
        assert!([0.001, 0.2, 0.5, 0.97].iter().all(|p| (identity.apply(*p) - p).abs() < 1e-12));
        assert!([0.0, 1.0].iter().all(|p| identity.apply(*p).is_finite()));
    }

    #[test]
    fn several_classes_add_up_to_one() {
        let calibrators = [isotonic(&[0.5], &[0.2]), Calibrator::Platt { a: -2.0, b: 0.0 }, isotonic(&[0.5], &[0.1])];
        let mut outputs = [0.2, 0.5, 0.3];
        calibrate(&calibrators, &mut outputs);
        assert!((outputs.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((outputs[0] - 0.25).abs() < 1e-12, "{outputs:?}");
        let mut one = [0.7];
        calibrate(&calibrators[..1], &mut one);
        assert_eq!(one, [0.2]);
    }
}
