//! The liveness of the worker. A loop that hangs is a reason to restart a worker. A database or a queue that is away is
//! not, because the loops retry.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use trainyard_queue::Liveness;

/// The liveness of one worker. Clones share it. [`crate::run()`] updates it, and the health route reads it.
#[derive(Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Default)]
struct State {
    reader: OnceLock<Liveness>,
    /// A draining worker does not poll, and is healthy.
    is_draining: AtomicBool,
    heartbeat: Mutex<Option<Instant>>,
}

impl Health {
    /// The health of a worker that has not started, which counts as alive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks that the queue's reader and the heartbeat ran within `limit`.
    ///
    /// # Errors
    /// Names the loop that did not run, and the time since its last run.
    pub fn check(&self, limit: Duration) -> Result<(), String> {
        let heartbeat = self.heartbeat().map(|at| at.elapsed());
        let reader = self.0.reader.get().filter(|_| !self.0.is_draining.load(Ordering::Relaxed));
        let poll = reader.map(Liveness::since_last_poll);
        for (what, elapsed) in [("renewed a lease", heartbeat), ("polled the queue", poll)] {
            if let Some(elapsed) = elapsed.filter(|elapsed| *elapsed > limit) {
                return Err(format!("has not {what} for {} s", elapsed.as_secs()));
            }
        }
        Ok(())
    }

    /// Records a heartbeat.
    pub(crate) fn record_heartbeat(&self) {
        *self.0.heartbeat.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Records that the worker drains.
    pub(crate) fn set_draining(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    /// Records that the heartbeat has stopped on request.
    pub(crate) fn clear_heartbeat(&self) {
        *self.0.heartbeat.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sets the liveness of the queue's reader.
    pub(crate) fn set_reader(&self, reader: Liveness) {
        let _ = self.0.reader.set(reader);
    }

    fn heartbeat(&self) -> Option<Instant> {
        *self.0.heartbeat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
