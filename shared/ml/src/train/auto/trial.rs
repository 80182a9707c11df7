//! One trial: the out-of-fold predictions of a candidate. Each validated row is predicted by a model that was trained
//! without the row and its copies. Features, categories and scalings are fitted for each fold on its training rows alone.

use std::sync::Mutex;

use rayon::prelude::*;

use super::budget::{Budget, Deadline};
use super::cost::ModelCost;
use super::folds::{FoldRows, Folds};
use super::plan::Candidate;
use super::select::Targets;
use crate::error::TrainError;
use crate::frame::{Frame, Target};
use crate::model::Task;
use crate::preprocess::{self, Part, TargetValues};
use crate::progress::{Observer, Progress};
use crate::train::encoded::{Encoded, ModelSpec};
use crate::train::{copies, engine, measure};

/// The rows on which trials are trained and validated.
#[derive(Clone, Copy)]
pub(super) struct TrialRows<'a> {
    pub(super) frame: &'a Frame,
    pub(super) task: &'a Task,
    /// The rows of the training part in the frame.
    pub(super) rows: &'a [usize],
    /// The group of each row; see [`preprocess::fit`].
    pub(super) copies: &'a [u32],
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
        let score = match &self.frame.target {
            Target::Classes { .. } => Targets::Classes.score(&predictions),
            Target::Numbers(numbers) => {
                let numbers: Vec<f64> = predicted.iter().map(|(row, _)| numbers[self.rows[*row]]).collect();
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
        let in_frame = |positions: &[usize]| positions.iter().map(|at| self.rows[*at]).collect::<Vec<usize>>();
        let (training_rows, validation_rows) = (in_frame(&training), in_frame(&validation));
        let copies = copies::of_some(self.copies, &training);
        let mut frame = self.frame.share();
        let family = engine::family(candidate.algorithm);
        let fitted = preprocess::fit(&mut frame, &training_rows, &copies, family, self.seed)?;
        let model = ModelSpec { algorithm: candidate.algorithm, params: &candidate.params, seed: self.seed };
        let encoded = Encoded::new(model, self.task, &frame, fitted, &training_rows, copies)?;
        if encoded.has_one_target() {
            return Err(TrainError::bad_data("all training rows of a fold have the same target"));
        }
        let fitted = encoded.fit(progress)?;
        let part = Part::new(&frame, &encoded.signature.features, &validation_rows)?;
        let outputs = measure::outputs(&fitted.estimator, self.task, &part, progress)?;
        let cost = ModelCost::of(&fitted.estimator, encoded.signature.width(), self.task.outputs());
        let outputs = outputs.chunks_exact(self.task.outputs());
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
