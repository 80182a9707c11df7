//! A run that is cancelled saves the work that it has done since the last checkpoint.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::checkpoints::on_threads;
use super::*;
use crate::checkpoint::{CheckpointSource, CheckpointStore, WriteState};

/// A checkpoint is due as soon as the run knows that it is cancelled, which happens at check number `cancelled_at`.
struct LateCancel {
    cancelled_at: usize,
    checks: AtomicUsize,
    saved: AtomicUsize,
}

impl CheckpointStore for LateCancel {
    fn load(&self) -> Option<Box<dyn CheckpointSource>> {
        None
    }
    fn is_due(&self) -> bool {
        self.checks.load(Ordering::Relaxed) >= self.cancelled_at && self.saved.load(Ordering::Relaxed) == 0
    }
    fn save(&self, _: &str, write: WriteState<'_>) {
        write(&mut std::io::sink()).unwrap();
        self.saved.fetch_add(1, Ordering::Relaxed);
    }
    fn resumed(&self, _: &str) {}
    fn ignored(&self, _: &str) {}
}

impl Observer for LateCancel {
    fn progress(&self, phase: &str, _: f64) {
        if phase == "training" {
            self.checks.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn checkpoints(&self) -> Option<&dyn CheckpointStore> {
        Some(self)
    }
    fn cancelled(&self) -> bool {
        self.checks.load(Ordering::Relaxed) > 0 && self.checks.fetch_add(1, Ordering::Relaxed) + 1 >= self.cancelled_at
    }
}

#[test]
fn a_run_that_is_cancelled_between_two_checks_saves_its_work() {
    for algorithm in [Algorithm::RandomForest, Algorithm::GradientBoosting] {
        let cancel = LateCancel { cancelled_at: 30, checks: AtomicUsize::new(0), saved: AtomicUsize::new(0) };
        let request = request(algorithm, &["sex", "age", "fare"], "survived", 7, none());
        let request = TrainRequest { schema: schema(TITANIC), ..request };
        // On one thread no other tree is finished, and saved, after the check.
        on_threads(1, || {
            let trained = train(TITANIC.as_bytes(), &request, &cancel);
            assert!(matches!(trained, Err(TrainError::Cancelled)), "{}", algorithm.as_str());
        });
        assert_eq!(cancel.saved.into_inner(), 1, "{}", algorithm.as_str());
    }
}
