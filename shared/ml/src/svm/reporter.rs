//! The progress of several problems that are solved at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::OnProgress;

/// Reports the mean progress of all problems, and stores the stop request.
pub(super) struct Reporter<'a> {
    done: Mutex<Vec<f64>>,
    stopped: AtomicBool,
    on_progress: OnProgress<'a>,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(problems: usize, on_progress: OnProgress<'a>) -> Self {
        Self { done: Mutex::new(vec![0.0; problems]), stopped: AtomicBool::new(false), on_progress }
    }

    /// Reports the progress of a problem from 0 to 1, and returns whether to continue.
    pub(super) fn report(&self, problem: usize, progress: f64) -> bool {
        if self.stopped.load(Ordering::Relaxed) {
            return false;
        }
        // Locked during the callback, so that progress is reported in order.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done[problem] = progress;
        let mean = done.iter().sum::<f64>() / done.len() as f64;
        if !(self.on_progress)(mean) {
            self.stopped.store(true, Ordering::Relaxed);
            return false;
        }
        true
    }
}
