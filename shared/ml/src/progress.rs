//! Progress reports of a training run: the observer, and the phases with their share of the total progress.

use crate::checkpoint::{CheckpointStore, Checkpoints};
use crate::error::TrainError;

/// Receives the progress of a training run and can cancel it. Calls come from several threads, one at a time.
pub trait Observer: Sync {
    /// Reports the phase (`reading`, `preparing`, `searching` for algorithm `auto`, `validating` for models that are not
    /// saved, `training`, `measuring`, `saving`) and the progress of the whole run from 0 to 1, which never decreases.
    fn progress(&self, phase: &str, fraction: f64);

    /// Reports a warning about the data or the model for the user.
    fn warn(&self, message: &str) {
        let _ = message;
    }

    /// Reports an informational message, such as the number of rows.
    fn note(&self, message: &str) {
        let _ = message;
    }

    /// Reports an intermediate metric after a number of steps (trees or rounds).
    fn metric(&self, name: &str, value: f64, step: u64) {
        let _ = (name, value, step);
    }

    /// Where the run saves checkpoints; `None` saves none.
    fn checkpoints(&self) -> Option<&dyn CheckpointStore> {
        None
    }

    /// Whether the run should stop; called often while the model is trained. A trained model is measured and saved, because
    /// that takes less time than training it again.
    fn cancelled(&self) -> bool;
}

/// A phase: reports its progress and checks for cancellation.
pub(crate) struct Progress<'a> {
    observer: &'a dyn Observer,
    phase: &'static str,
    from: f64,
    to: f64,
    checkpoints: Option<&'a Checkpoints<'a>>,
    /// Whether the model is trained.
    is_trained: bool,
}

impl<'a> Progress<'a> {
    /// Starts the first phase.
    pub(crate) fn start(
        observer: &'a dyn Observer,
        phase: &'static str,
        from: f64,
        to: f64,
    ) -> Result<Self, TrainError> {
        let progress = Self { observer, phase, from, to, checkpoints: None, is_trained: false };
        progress.at(0.0)?;
        Ok(progress)
    }

    /// The same phase with the checkpoints of the run.
    pub(crate) fn with_checkpoints(self, checkpoints: Option<&'a Checkpoints<'a>>) -> Self {
        Self { checkpoints, ..self }
    }

    /// The same phase for a part of the run that is saved as a whole.
    pub(crate) fn without_checkpoints(self) -> Self {
        self.with_checkpoints(None)
    }

    /// The checkpoints of the run.
    pub(crate) fn checkpoints(&self) -> Option<&'a Checkpoints<'a>> {
        self.checkpoints
    }

    /// Starts the next phase, which ends at the total progress `to`.
    pub(crate) fn next(self, phase: &'static str, to: f64) -> Result<Self, TrainError> {
        let next = Self { phase, from: self.to, to, ..self };
        next.at(0.0)?;
        Ok(next)
    }

    /// Starts the next phase after the model is trained. Nothing cancels the run from now on.
    pub(crate) fn next_when_trained(self, phase: &'static str, to: f64) -> Result<Self, TrainError> {
        Self { is_trained: true, ..self }.next(phase, to)
    }

    /// One of `count` equal parts of this phase.
    pub(crate) fn part(&self, index: usize, count: usize) -> Self {
        self.section(index as f64 / count as f64, (index + 1) as f64 / count as f64)
    }

    /// The part of this phase between two shares of it.
    pub(crate) fn section(&self, from: f64, to: f64) -> Self {
        let at = |share: f64| self.from + (self.to - self.from) * share;
        Self { from: at(from), to: at(to), ..*self }
    }

    /// Reports the progress of this phase.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] if the observer cancelled the run.
    pub(crate) fn at(&self, fraction: f64) -> Result<(), TrainError> {
        self.check()?;
        self.observer.progress(self.phase, self.from + (self.to - self.from) * fraction.clamp(0.0, 1.0));
        Ok(())
    }

    /// Reports an informational message.
    pub(crate) fn note(&self, message: &str) {
        self.observer.note(message);
    }

    /// Reports an intermediate metric.
    pub(crate) fn metric(&self, name: &str, value: f64, step: u64) {
        self.observer.metric(name, value, step);
    }

    /// Checks for cancellation without reporting progress.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if !self.is_trained && self.observer.cancelled() { Err(TrainError::Cancelled) } else { Ok(()) }
    }
}
