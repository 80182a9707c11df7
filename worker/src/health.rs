//! Whether the worker still turns: what its liveness check asks. A database or a queue that is away is no reason to
//! restart a worker (the loops go on trying); a loop that no longer comes round is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use trainyard_queue::Pulse;

/// The signs of life of one worker. Clones share them; the app makes one, hands it to [`crate::run()`] and asks it from
/// the health route.
#[derive(Clone, Default)]
pub struct Health(Arc<Signs>);

#[derive(Default)]
struct Signs {
    polls: OnceLock<Pulse>,
    /// A worker that drains polls no more, and is well.
    drains: AtomicBool,
    beat: Mutex<Option<Instant>>,
}

impl Health {
    /// Signs of a worker that has not started yet, and counts as alive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether both loops (the queue's reader and the heartbeat) came round within `limit`.
    ///
    /// # Errors
    /// Which one did not, and for how long.
    pub fn check(&self, limit: Duration) -> Result<(), String> {
        let beat = self.beat().map(|at| at.elapsed());
        let polls = self.0.polls.get().filter(|_| !self.0.drains.load(Ordering::Relaxed));
        let polled = polls.map(Pulse::silent_for);
        for (what, silent) in [("renewed a lease", beat), ("polled the queue", polled)] {
            if let Some(silent) = silent.filter(|silent| *silent > limit) {
                return Err(format!("has not {what} for {} s", silent.as_secs()));
            }
        }
        Ok(())
    }

    /// The heartbeat came round.
    pub(crate) fn beats(&self) {
        *self.0.beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The reader stops as it should.
    pub(crate) fn drains(&self) {
        self.0.drains.store(true, Ordering::Relaxed);
    }

    /// The heartbeat has stopped as it should.
    pub(crate) fn rests(&self) {
        *self.0.beat.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Where to look for the reader's sign of life.
    pub(crate) fn watch(&self, polls: Pulse) {
        let _ = self.0.polls.set(polls);
    }

    fn beat(&self) -> Option<Instant> {
        *self.0.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
