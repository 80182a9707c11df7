//! The out-of-fold predictions of the chosen models: their score on each fold, and what calibration and threshold are fitted on.

use super::select::Targets;
use crate::frame::Target;
use crate::preprocess::TargetValues;
use crate::train::folds::Folds;
use crate::train::out_of_fold::{FoldOutputs, OutOfFold};
use crate::train::training_rows::TrainingRows;

/// The score of the predictions of the validated rows, fold by fold. Empty without predictions.
pub(super) fn scores(predictions: &[f64], targets: Targets<'_>, folds: &Folds) -> Vec<f64> {
    if predictions.is_empty() {
        return Vec::new();
    }
    let of_fold = by_fold(folds);
    let score = |positions: &Vec<usize>| {
        let own: Vec<f64> = positions.iter().map(|at| predictions[*at]).collect();
        match targets {
            Targets::Classes => Targets::Classes.score(&own),
            Targets::Numbers(numbers) => {
                let numbers: Vec<f64> = positions.iter().map(|at| numbers[*at]).collect();
                Targets::Numbers(&numbers).score(&own)
            }
        }
    };
    of_fold.iter().filter(|positions| !positions.is_empty()).map(score).collect()
}

/// The predictions of two classes as output vectors, which have the probability of the positive class. Empty without
/// predictions, and for other targets.
pub(super) fn outputs(predictions: &[f64], training: &TrainingRows<'_>, folds: &Folds) -> OutOfFold {
    let (Target::Classes { classes, .. }, 2) = (&training.frame.target, training.task.labels().len()) else {
        return Vec::new();
    };
    if predictions.is_empty() {
        return Vec::new();
    }
    let rows = folds.validated(1.0);
    let fold = |positions: Vec<usize>| {
        let classes: Vec<u32> = positions.iter().map(|at| classes[training.rows[rows[*at]]]).collect();
        let actual = positions.iter().map(|at| predictions[*at]);
        let outputs = actual.zip(&classes).map(|(share, class)| if *class == 1 { share } else { 1.0 - share });
        FoldOutputs { outputs: outputs.collect(), targets: TargetValues::Classes(classes, 2) }
    };
    let mut of_folds: Vec<Vec<usize>> = by_fold(folds).into_iter().filter(|positions| !positions.is_empty()).collect();
    if let [alone] = &mut of_folds[..] {
        // A threshold is tuned on probabilities whose calibration was fitted on other rows.
        let half = alone.split_off(alone.len() / 2);
        of_folds.push(half);
    }
    of_folds.into_iter().map(fold).collect()
}

/// The positions of each fold in [`Folds::validated`].
fn by_fold(folds: &Folds) -> Vec<Vec<usize>> {
    let mut positions: Vec<Vec<usize>> = Vec::new();
    for (at, row) in folds.validated(1.0).into_iter().enumerate() {
        let fold = folds.of(row).unwrap_or(0);
        positions.resize_with(positions.len().max(fold + 1), Vec::new);
        positions[fold].push(at);
    }
    positions
}
