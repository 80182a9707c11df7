//! Models that are trained on all rows while the search goes on.
//!
//! The seconds of the final training are estimates, and they are reserved in the budget. Where the reserve decides whether
//! the search ends, the chosen models are trained at once, so that the real seconds count. A model is the same whenever it is
//! trained, so this changes nothing about the result.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::engine::Fitted;
use super::search::Member;
use crate::error::TrainError;
use crate::model::Feature;
use crate::progress::{Observer, Progress};

/// A model and its features, or why it can't be trained.
pub(super) type TrainedAhead = Result<(Vec<Feature>, Fitted), TrainError>;

/// The models by trial.
#[derive(Default)]
pub(super) struct Ahead {
    models: RefCell<BTreeMap<usize, TrainedAhead>>,
}

impl Ahead {
    /// Trains the members that are not trained yet, and drops the models of other trials.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] if the observer cancelled the run.
    pub(super) fn train(
        &self,
        members: &[Member],
        progress: &Progress<'_>,
        fit: impl Fn(&Member, &Progress<'_>) -> TrainedAhead,
    ) -> Result<(), TrainError> {
        let mut models = self.models.borrow_mut();
        models.retain(|trial, _| members.iter().any(|(member, ..)| member == trial));
        let observer = WithoutReports(progress);
        for member in members {
            if models.contains_key(&member.0) {
                continue;
            }
            match fit(member, &Progress::start(&observer, "searching", 0.0, 1.0)?) {
                Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
                trained => drop(models.insert(member.0, trained)),
            }
        }
        Ok(())
    }

    /// The model of a trial, if it is trained.
    pub(super) fn take(&self, trial: usize) -> Option<TrainedAhead> {
        self.models.borrow_mut().remove(&trial)
    }
}

/// Passes on only the cancellation: the progress of a search is that of its budget.
struct WithoutReports<'a>(&'a Progress<'a>);

impl Observer for WithoutReports<'_> {
    fn progress(&self, _phase: &str, _fraction: f64) {}

    fn cancelled(&self) -> bool {
        self.0.check().is_err()
    }
}
