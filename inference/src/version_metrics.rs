//! The metrics of one version. The handles are cached, because a lookup hashes all labels. After an idle period they
//! are looked up again, because the recorder removes idle series.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use metrics::{Counter, Histogram};
use trainyard_telemetry::{VERSION_SERIES_IDLE, catalogue};

use crate::model_record::ModelRecord;

/// Handles that were idle longer are looked up again, well before the recorder removes their series.
const MAX_IDLE: Duration = Duration::from_secs(VERSION_SERIES_IDLE.as_secs() / 2);

/// The metrics of one version.
pub(crate) struct VersionMetrics {
    model: String,
    version: String,
    handles: ArcSwap<Handles>,
    created: Instant,
    /// Time of the last use, in seconds since `created`.
    used_s: AtomicU64,
}

struct Handles {
    answered: Counter,
    refused: Counter,
    rows: Counter,
    latency: Histogram,
}

impl VersionMetrics {
    /// The metrics of the version in `record`.
    pub(crate) fn of(record: &ModelRecord) -> Self {
        let (model, version) = (record.model.clone(), record.version.to_string());
        let handles = ArcSwap::from_pointee(Handles::look_up(&model, &version));
        Self { model, version, handles, created: Instant::now(), used_s: AtomicU64::new(0) }
    }

    /// Records a successful request for `rows` predictions.
    pub(crate) fn record_success(&self, rows: usize, took: Duration) {
        let handles = self.handles(self.created.elapsed());
        handles.answered.increment(1);
        handles.rows.increment(rows as u64);
        handles.latency.record(took.as_secs_f64());
    }

    /// Records a request whose features do not fit the model.
    pub(crate) fn record_refusal(&self) {
        self.handles(self.created.elapsed()).refused.increment(1);
    }

    /// Records a request that failed by a defect.
    pub(crate) fn record_failure(&self) {
        requests(&self.model, &self.version, "failed").increment(1);
    }

    /// The handles at `age`. Concurrent requests after an idle period may still use the old handles; a value is lost
    /// only if the recorder has already removed the series.
    fn handles(&self, age: Duration) -> arc_swap::Guard<Arc<Handles>> {
        let (now, last) = (age.as_secs(), self.used_s.load(Ordering::Relaxed));
        if now > last {
            self.used_s.store(now, Ordering::Relaxed);
        }
        if now.saturating_sub(last) > MAX_IDLE.as_secs() {
            self.handles.store(Arc::new(Handles::look_up(&self.model, &self.version)));
        }
        self.handles.load()
    }
}

impl Handles {
    fn look_up(model: &str, version: &str) -> Self {
        let labels = || [("model", model.to_owned()), ("version", version.to_owned())];
        Self {
            answered: requests(model, version, "answered"),
            refused: requests(model, version, "refused"),
            rows: metrics::counter!(catalogue::INFERENCE_ROWS_TOTAL, &labels()),
            latency: metrics::histogram!(catalogue::INFERENCE_DURATION_SECONDS, &labels()),
        }
    }
}

fn requests(model: &str, version: &str, outcome: &'static str) -> Counter {
    metrics::counter!(catalogue::INFERENCE_REQUESTS_TOTAL,
        "model" => model.to_owned(), "version" => version.to_owned(), "outcome" => outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_looked_up_again_only_after_a_long_idle_period() {
        let (model, sha256, artifact_key) = ("m".to_owned(), String::new(), String::new());
        let metrics = VersionMetrics::of(&ModelRecord {
            model,
            version: 1,
            aliases: vec![],
            sha256,
            artifact_key,
            traceparent: None,
        });
        let at = |age: Duration| Arc::clone(&metrics.handles(age));
        let first = at(Duration::ZERO);
        assert!(Arc::ptr_eq(&first, &at(MAX_IDLE)));
        assert!(Arc::ptr_eq(&first, &at(MAX_IDLE * 2)), "the handles were used meanwhile");
        let second = at(MAX_IDLE * 2 + MAX_IDLE * 2);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &at(MAX_IDLE * 4)));
    }
}
