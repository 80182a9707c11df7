//! The metrics of one version. The handles are cached, because a lookup hashes all labels. After an idle period they
//! are looked up again, because the recorder removes idle series.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use metrics::{Counter, Histogram};
use trainyard_telemetry::{VERSION_SERIES_IDLE, catalogue};

use crate::version_series::SeriesLabels;
use crate::version_statistics::Phases;

/// Handles that were idle longer are looked up again, well before the recorder removes their series.
const MAX_IDLE: Duration = Duration::from_secs(VERSION_SERIES_IDLE.as_secs() / 2);

/// The metrics of one version.
pub(crate) struct VersionMetrics {
    labels: SeriesLabels,
    answered: Cached<Answered>,
    refused: Cached<Counter>,
    /// The name of each class with its own counter, in the order of the bins of the predictions.
    classes: Vec<(String, Cached<Counter>)>,
    created: Instant,
}

/// The series that every answered request changes.
struct Answered {
    requests: Counter,
    rows: Counter,
    latency: Histogram,
}

impl VersionMetrics {
    /// The metrics with these labels, and with a counter for each class.
    pub(crate) fn new(labels: SeriesLabels, classes: Vec<String>) -> Self {
        let (answered, refused) = (Cached::new(answered(&labels)), Cached::new(requests(&labels, "refused")));
        let class = |name: String| {
            let counter = Cached::new(predictions(&labels, &name));
            (name, counter)
        };
        let classes = classes.into_iter().map(class).collect();
        Self { labels, answered, refused, classes, created: Instant::now() }
    }

    /// The labels.
    pub(crate) fn labels(&self) -> &SeriesLabels {
        &self.labels
    }

    /// Records a successful request for `rows` predictions, whose last phase has ended.
    pub(crate) fn record_success(&self, rows: usize, phases: &Phases) {
        let age = phases.end().saturating_duration_since(self.created);
        let handles = self.answered.get(age, || answered(&self.labels));
        handles.requests.increment(1);
        handles.rows.increment(rows as u64);
        handles.latency.record(phases.total().as_secs_f64());
    }

    /// Records a request whose features do not fit the model.
    pub(crate) fn record_refusal(&self) {
        self.refused.get(self.created.elapsed(), || requests(&self.labels, "refused")).increment(1);
    }

    /// Records a request that failed by a defect.
    pub(crate) fn record_failure(&self) {
        requests(&self.labels, "failed").increment(1);
    }

    /// Records `rows` predictions of a class, given by the bin of the predictions. Bins without a class are ignored.
    pub(crate) fn record_predictions(&self, bin: usize, rows: u32) {
        if let Some((name, counter)) = self.classes.get(bin) {
            counter.get(self.created.elapsed(), || predictions(&self.labels, name)).increment(rows.into());
        }
    }
}

fn answered(labels: &SeriesLabels) -> Answered {
    let both = || [("model", labels.model.clone()), ("version", labels.version.clone())];
    Answered {
        requests: requests(labels, "answered"),
        rows: metrics::counter!(catalogue::INFERENCE_ROWS_TOTAL, &both()),
        latency: metrics::histogram!(catalogue::INFERENCE_DURATION_SECONDS, &both()),
    }
}

fn requests(labels: &SeriesLabels, outcome: &'static str) -> Counter {
    metrics::counter!(catalogue::INFERENCE_REQUESTS_TOTAL,
        "model" => labels.model.clone(), "version" => labels.version.clone(), "outcome" => outcome)
}

fn predictions(labels: &SeriesLabels, class: &str) -> Counter {
    metrics::counter!(catalogue::INFERENCE_PREDICTIONS_TOTAL,
        "model" => labels.model.clone(), "version" => labels.version.clone(), "class" => class.to_owned())
}

/// A handle of the recorder, or several handles that are used together.
struct Cached<H> {
    handle: ArcSwap<H>,
    /// Time of the last use, in seconds since the metrics were created.
    used_s: AtomicU64,
}

impl<H> Cached<H> {
    fn new(handle: H) -> Self {
        Self { handle: ArcSwap::from_pointee(handle), used_s: AtomicU64::new(0) }
    }

    /// The handle at `age`. Concurrent requests after an idle period may still use the old handle; a value is lost only
    /// if the recorder has already removed the series.
    fn get(&self, age: Duration, look_up: impl FnOnce() -> H) -> Guard<Arc<H>> {
        let (now, last) = (age.as_secs(), self.used_s.load(Ordering::Relaxed));
        if now > last {
            self.used_s.store(now, Ordering::Relaxed);
        }
        if now.saturating_sub(last) > MAX_IDLE.as_secs() {
            self.handle.store(Arc::new(look_up()));
        }
        self.handle.load()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_looked_up_again_only_after_a_long_idle_period() {
        let cached = Cached::new(1);
        let at = |age: Duration, new: u32| **cached.get(age, || new);
        assert_eq!([at(Duration::ZERO, 2), at(MAX_IDLE, 3)], [1, 1]);
        assert_eq!(at(MAX_IDLE * 2, 4), 1, "the handle was used meanwhile");
        assert_eq!([at(MAX_IDLE * 4, 5), at(MAX_IDLE * 4, 6)], [5, 5]);
    }
}
