//! The signals of the worker to a running process: that a file is stored, and that the run must stop after a last checkpoint.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::protocol::{INTERRUPT, STORED};

/// The bytes from the worker, counted.
#[derive(Default)]
pub(super) struct WorkerSignals {
    stored: Mutex<StoredFiles>,
    changed: Condvar,
    interrupted: AtomicBool,
}

/// The files that the worker has stored, or can't store.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StoredFiles {
    pub(super) count: u64,
    /// When the last one was confirmed.
    pub(super) at: Option<Instant>,
}

impl WorkerSignals {
    /// Takes bytes from the worker.
    pub(super) fn receive(&self, bytes: &[u8]) {
        if bytes.contains(&INTERRUPT) {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        let confirmed = bytes.iter().filter(|byte| **byte == STORED).count();
        if confirmed > 0 {
            let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
            *stored = StoredFiles { count: stored.count + confirmed as u64, at: Some(Instant::now()) };
            self.changed.notify_all();
        }
    }

    /// The files that the worker has stored, or can't store.
    pub(super) fn stored(&self) -> StoredFiles {
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until at least `count` files are stored.
    pub(super) fn wait_for(&self, count: u64) {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(stored, |stored| stored.count < count));
    }

    /// Whether the run must stop.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_end_when_the_files_are_stored() {
        let signals = WorkerSignals::default();
        signals.wait_for(0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| signals.wait_for(3));
            signals.receive(b".");
            signals.receive(b".!.");
            waiting.join().unwrap();
        });
        assert!(signals.is_interrupted() && signals.stored().count == 3);
    }
}
