//! The meters of one version. They are looked up seldom, because the registry of metrics hashes every label on every
//! look-up, and anew after a long rest, because the registry forgets series that nothing happens to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use metrics::{Counter, Histogram};
use trainyard_telemetry::{VERSION_SERIES_IDLE, catalogue};

use crate::record::Record;

/// Handles that rested for longer are looked up again: well before the registry may have forgotten their series.
const STALE: Duration = Duration::from_secs(VERSION_SERIES_IDLE.as_secs() / 2);

/// Counts what one version answers.
pub(crate) struct Meters {
    model: String,
    version: String,
    handles: ArcSwap<Handles>,
    made: Instant,
    /// When they were used last, in seconds since `made`.
    used_s: AtomicU64,
}

struct Handles {
    answered: Counter,
    refused: Counter,
    rows: Counter,
    latency: Histogram,
}

impl Meters {
    /// The meters of the version in `record`.
    pub(crate) fn of(record: &Record) -> Self {
        let (model, version) = (record.model.clone(), record.version.to_string());
        let handles = ArcSwap::from_pointee(Handles::look_up(&model, &version));
        Self { model, version, handles, made: Instant::now(), used_s: AtomicU64::new(0) }
    }

    /// A request for `rows` predictions was answered in `took`.
    pub(crate) fn answered(&self, rows: usize, took: Duration) {
        let handles = self.handles(self.made.elapsed());
        handles.answered.increment(1);
        handles.rows.increment(rows as u64);
        handles.latency.record(took.as_secs_f64());
    }

    /// The features of a request did not fit the model.
    pub(crate) fn refused(&self) {
        self.handles(self.made.elapsed()).refused.increment(1);
    }

    /// The handles to use at `age`. Requests at the end of a rest may come together; what one of them counts through the
    /// old handles is lost only if the series is already gone.
    fn handles(&self, age: Duration) -> arc_swap::Guard<Arc<Handles>> {
        let (now, last) = (age.as_secs(), self.used_s.load(Ordering::Relaxed));
        if now > last {
            self.used_s.store(now, Ordering::Relaxed);
        }
        if now.saturating_sub(last) > STALE.as_secs() {
            self.handles.store(Arc::new(Handles::look_up(&self.model, &self.version)));
        }
        self.handles.load()
    }
}

impl Handles {
    fn look_up(model: &str, version: &str) -> Self {
        let labels = || [("model", model.to_owned()), ("version", version.to_owned())];
        let requests = |outcome: &'static str| {
            metrics::counter!(catalogue::INFERENCE_REQUESTS_TOTAL,
                "model" => model.to_owned(), "version" => version.to_owned(), "outcome" => outcome)
        };
        Self {
            answered: requests("answered"),
            refused: requests("refused"),
            rows: metrics::counter!(catalogue::INFERENCE_ROWS_TOTAL, &labels()),
            latency: metrics::histogram!(catalogue::INFERENCE_DURATION_SECONDS, &labels()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_looked_up_again_after_a_long_rest_alone() {
        let (model, sha256, artifact_key) = ("m".to_owned(), String::new(), String::new());
        let meters =
            Meters::of(&Record { model, version: 1, aliases: vec![], sha256, artifact_key, traceparent: None });
        let at = |age: Duration| Arc::clone(&meters.handles(age));
        let first = at(Duration::ZERO);
        assert!(Arc::ptr_eq(&first, &at(STALE)));
        assert!(Arc::ptr_eq(&first, &at(STALE * 2)), "it was used meanwhile");
        let second = at(STALE * 2 + STALE * 2);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &at(STALE * 4)));
    }
}
