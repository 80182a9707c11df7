//! One trial: the out-of-fold predictions of a candidate. Each validated row is predicted by a model that was trained
//! without the row and its copies.

use std::sync::Mutex;

use rayon::prelude::*;

use super::budget::{Budget, Deadline};
use super::cost::ModelCost;
use super::plan::Candidate;
use super::select::Targets;
use crate::error::TrainError;
use crate::frame::Target;
use crate::preprocess::TargetValues;
use crate::progress::{Observer, Progress};
use crate::train::encoded::ModelSpec;
use crate::train::folds::{FoldRows, Folds};
use crate::train::training_rows::{Predicted, TrainingRows};

/// The rows on which trials are trained and validated.
#[derive(Clone, Copy)]
pub(super) struct TrialRows<'a> {
    pub(super) training: TrainingRows<'a>,
    pub(super) folds: &'a Folds,
    pub(super) validated: usize,
    /// Whether the models of all folds are trained at the same time. With few rows a model alone does not occupy all threads.
    pub(super) at_once: bool,
    pub(super) seed: u64,
}

/// A finished trial.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    /// One number per row of [`Folds::validated`]: the probability of the actual class, or the predicted number.
    pub(super) predictions: Vec<f64>,
    pub(super) score: f64,
    /// The largest of the models of all folds.
    pub(super) cost: ModelCost,
}

/// The predictions of one fold, by position in the training part.
type FoldPredictions = (Vec<(usize, f64)>, ModelCost);

impl TrialRows<'_> {
    /// Trains and validates a candidate on a share of the rows.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] if the observer of `progress` stops the trial, else why the candidate can't be trained.
    pub(super) fn run(&self, candidate: &Candidate, share: f64, progress: &Progress<'_>) -> Result<Scored, TrainError> {
        let fold = |fold: usize| self.fold(candidate, self.folds.rows(fold, share), progress);
        let folds = if self.at_once {
            // All results are collected first, so that the first error is reported, whatever the threads do.
            let results: Vec<_> = (0..self.validated).into_par_iter().map(fold).collect();
            results.into_iter().collect::<Result<Vec<FoldPredictions>, _>>()?
        } else {
            (0..self.validated).map(fold).collect::<Result<_, _>>()?
        };
        let cost = folds.iter().fold(ModelCost::default(), |cost, (_, other)| cost.max(*other));
        let mut predicted: Vec<(usize, f64)> = folds.into_iter().flat_map(|(predictions, _)| predictions).collect();
        predicted.sort_unstable_by_key(|(row, _)| *row);
        let predictions: Vec<f64> = predicted.iter().map(|(_, prediction)| *prediction).collect();
        let score = match &self.training.frame.target {
            Target::Classes { .. } => Targets::Classes.score(&predictions),
            Target::Numbers(numbers) => {
                let numbers: Vec<f64> = predicted.iter().map(|(row, _)| numbers[self.training.rows[*row]]).collect();
                Targets::Numbers(&numbers).score(&predictions)
            }
        };
        if !score.is_finite() {
            return Err(TrainError::bad_params("the predictions are not finite"));
        }
        Ok(Scored { predictions, score, cost })
    }

    fn fold(
        &self,
        candidate: &Candidate,
        rows: FoldRows,
        progress: &Progress<'_>,
    ) -> Result<FoldPredictions, TrainError> {
        let FoldRows { training, validation } = rows;
        if validation.is_empty() {
            return Ok(Default::default());
        }
        progress.check()?;
        let model = ModelSpec { algorithm: candidate.algorithm, params: &candidate.params, seed: self.seed };
        let rows = self.training.in_frame(&validation);
        let Predicted { encoded, fitted, part, outputs } =
            self.training.fit_and_predict(model, &training, &rows, progress)?;
        let per_row = self.training.task.outputs();
        let cost = ModelCost::of(&fitted.estimator, encoded.signature.width(), per_row);
        let outputs = outputs.chunks_exact(per_row);
        let predictions = validation.into_iter().zip(outputs).enumerate();
        let predictions = predictions.map(|(at, (row, outputs))| (row, prediction(&part.targets, at, outputs)));
        Ok((predictions.collect(), cost))
    }
}

/// The probability of the actual class, or the predicted number.
fn prediction(targets: &TargetValues, row: usize, outputs: &[f64]) -> f64 {
    match (targets, outputs) {
        (TargetValues::Classes(classes, _), [positive]) if classes[row] == 1 => *positive,
        (TargetValues::Classes(..), [positive]) => 1.0 - positive,
        (TargetValues::Classes(classes, _), shares) => shares[classes[row] as usize],
        (TargetValues::Numbers(_), outputs) => outputs[0],
    }
}

/// The observer of a trial: reports the progress of the search, and stops the trial at its deadline. The messages and metrics
/// of a trial are not passed on.
pub(super) struct TrialObserver<'a> {
    pub(super) progress: &'a Progress<'a>,
    pub(super) budget: Budget<'a>,
    pub(super) deadline: Deadline,
    /// The finished trials.
    pub(super) trials: u64,
    /// Reports come from several threads, and the observer of the run receives one at a time.
    pub(super) reporting: Mutex<()>,
}

impl Observer for TrialObserver<'_> {
    fn progress(&self, _phase: &str, _fraction: f64) {
        if let Ok(_guard) = self.reporting.try_lock() {
            // A cancelled run is noticed by `cancelled`.
            let _ = self.progress.at(self.budget.share(self.trials));
        }
    }

    fn cancelled(&self) -> bool {
        self.progress.check().is_err() || self.budget.is_over(self.deadline)
    }
}
