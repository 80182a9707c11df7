//! Phases of a run as shares of the whole.

use super::{Observer, TrainError};

/// One phase: tells the observer how far it is and asks whether to go on.
pub(crate) struct Progress<'a> {
    observer: &'a dyn Observer,
    phase: &'static str,
    from: f64,
    to: f64,
}

impl<'a> Progress<'a> {
    /// Begins the first phase.
    pub(crate) fn start(
        observer: &'a dyn Observer,
        phase: &'static str,
        from: f64,
        to: f64,
    ) -> Result<Self, TrainError> {
        let progress = Self { observer, phase, from, to };
        progress.at(0.0)?;
        Ok(progress)
    }

    /// Begins the phase that follows and lasts up to the share `to`.
    pub(crate) fn next(self, phase: &'static str, to: f64) -> Result<Self, TrainError> {
        Self::start(self.observer, phase, self.to, to)
    }

    /// Tells that `fraction` of this phase is done.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] when the observer wants to stop.
    pub(crate) fn at(&self, fraction: f64) -> Result<(), TrainError> {
        self.check()?;
        self.observer.progress(self.phase, self.from + (self.to - self.from) * fraction.clamp(0.0, 1.0));
        Ok(())
    }

    /// Tells a figure measured after `step` steps of this phase.
    pub(crate) fn metric(&self, name: &str, value: f64, step: u64) {
        self.observer.metric(name, value, step);
    }

    /// Asks whether to go on, without telling anything.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if self.observer.cancelled() { Err(TrainError::Cancelled) } else { Ok(()) }
    }
}
