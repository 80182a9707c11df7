//! Models of members that are trained on the whole training part.
//!
//! The seconds of the final training are estimates, and they are reserved in the budget. Where the reserve decides whether
//! the search ends, the chosen models are trained ahead, so that the real seconds count. A model is the same whenever it is
//! trained, so this changes nothing about the result.

use std::collections::BTreeMap;

use super::library::Member;
use crate::error::TrainError;
use crate::model::Feature;
use crate::progress::{Observer, Progress};
use crate::train::engine::Fitted;

/// A trained model and its features.
pub(super) type Refit = (Vec<Feature>, Fitted);

/// The models by trial, or why they can't be trained.
#[derive(Default)]
pub(super) struct Refits(BTreeMap<usize, Result<Refit, String>>);

impl Refits {
    pub(super) fn contains(&self, trial: usize) -> bool {
        self.0.contains_key(&trial)
    }

    pub(super) fn insert(&mut self, trial: usize, refit: Result<Refit, String>) {
        self.0.insert(trial, refit);
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&usize, &Result<Refit, String>)> {
        self.0.iter()
    }

    /// Drops the models of trials that are not among the members.
    pub(super) fn retain(&mut self, members: &[Member]) {
        self.0.retain(|trial, _| members.iter().any(|(member, ..)| member == trial));
    }

    /// Trains the model of a trial with `fit`. Returns `false` if it is trained already.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] if `fit` was cancelled.
    pub(super) fn train(
        &mut self,
        trial: usize,
        fit: impl FnOnce() -> Result<Refit, TrainError>,
    ) -> Result<bool, TrainError> {
        if self.contains(trial) {
            return Ok(false);
        }
        let refit = match fit() {
            Ok(refit) => Ok(refit),
            Err(TrainError::Failed { message, .. }) => Err(message),
            Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
        };
        self.insert(trial, refit);
        Ok(true)
    }

    /// The models, in the order of the trials.
    pub(super) fn into_models(self) -> impl Iterator<Item = Result<Refit, String>> {
        self.0.into_values()
    }
}

/// Passes on only the cancellation: the progress of a search is that of its budget.
pub(super) struct WithoutReports<'a>(pub(super) &'a Progress<'a>);

impl Observer for WithoutReports<'_> {
    fn progress(&self, _phase: &str, _fraction: f64) {}

    fn cancelled(&self) -> bool {
        self.0.check().is_err()
    }
}
