//! The recorder behind the `metrics` macros consists of two Prometheus recorders. Series with a model version expire
//! when the version is no longer used. All other series stay: `rate()` would miss the first event of a series that
//! expired.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;

use crate::catalogue::{
    ALL, INFERENCE_DRIFT_ROWS, INFERENCE_DURATION_SECONDS, INFERENCE_FEATURE_DRIFT_PSI, INFERENCE_PREDICTION_DRIFT_PSI,
    INFERENCE_PREDICTIONS_TOTAL, INFERENCE_REQUESTS_TOTAL, INFERENCE_ROWS_TOTAL, INFERENCE_SHADOW_DIFFERENCE,
    INFERENCE_SHADOW_ROWS_TOTAL, Kind, MetricSpec,
};
use crate::process;

/// A series with a model version expires after this time without an update. A handle to an expired series records
/// nothing, so callers must look up their handles more often.
pub const VERSION_SERIES_IDLE: Duration = Duration::from_secs(3_600);

/// Whether the series of a metric have a model version and expire.
fn expires(name: &str) -> bool {
    matches!(
        name,
        INFERENCE_DRIFT_ROWS
            | INFERENCE_DURATION_SECONDS
            | INFERENCE_FEATURE_DRIFT_PSI
            | INFERENCE_PREDICTION_DRIFT_PSI
            | INFERENCE_PREDICTIONS_TOTAL
            | INFERENCE_REQUESTS_TOTAL
            | INFERENCE_ROWS_TOTAL
            | INFERENCE_SHADOW_DIFFERENCE
            | INFERENCE_SHADOW_ROWS_TOTAL
    )
}

/// Both recorders.
pub(crate) struct SplitRecorder {
    permanent: PrometheusRecorder,
    expiring: PrometheusRecorder,
}

/// Renders the metrics of both recorders.
#[derive(Clone)]
pub(crate) struct Renderer {
    permanent: PrometheusHandle,
    expiring: PrometheusHandle,
}

impl SplitRecorder {
    /// Creates the recorders with all metrics of the catalogue. Series with a model version expire after `idle`.
    ///
    /// # Errors
    /// If the buckets of a histogram are empty; a test excludes this.
    pub(crate) fn new(idle: Duration) -> Result<Self, BuildError> {
        let expiring = builder()?.idle_timeout(MetricKindMask::ALL, Some(idle)).build_recorder();
        let recorder = Self { permanent: builder()?.build_recorder(), expiring };
        metrics::with_local_recorder(&recorder, || {
            ALL.iter().filter(|spec| !process::is_process_metric(spec.name)).for_each(describe)
        });
        Ok(recorder)
    }

    pub(crate) fn renderer(&self) -> Renderer {
        Renderer { permanent: self.permanent.handle(), expiring: self.expiring.handle() }
    }

    fn recorder_of(&self, name: &str) -> &PrometheusRecorder {
        if expires(name) { &self.expiring } else { &self.permanent }
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    ALL.iter().filter(|spec| !spec.buckets.is_empty()).try_fold(PrometheusBuilder::new(), |builder, spec| {
        builder.set_buckets_for_metric(Matcher::Full(spec.name.to_owned()), spec.buckets)
    })
}

fn describe(spec: &MetricSpec) {
    match spec.kind {
        Kind::Counter => metrics::describe_counter!(spec.name, spec.help),
        Kind::Gauge => metrics::describe_gauge!(spec.name, spec.help),
        Kind::Histogram => metrics::describe_histogram!(spec.name, spec.help),
    }
    // A counter must exist with the value 0 before its first event, else `rate()` misses the event.
    match spec.kind {
        Kind::Counter => known_series(spec).into_iter().for_each(|labels| {
            metrics::counter!(spec.name, labels).absolute(0);
        }),
        Kind::Histogram if spec.labels.is_empty() => drop(metrics::histogram!(spec.name)),
        Kind::Histogram | Kind::Gauge => {}
    }
}

/// Every combination of label values: one empty combination for a metric without labels, none if the values are
/// unknown.
fn known_series(spec: &MetricSpec) -> Vec<Vec<Label>> {
    if spec.values.len() != spec.labels.len() {
        return Vec::new();
    }
    spec.labels.iter().zip(spec.values).fold(vec![Vec::new()], |series, (name, values)| {
        let one_more =
            |labels: &Vec<Label>, value: &'static str| [labels.as_slice(), &[Label::new(*name, value)]].concat();
        series.iter().flat_map(|labels| values.iter().map(|value| one_more(labels, value))).collect()
    })
}

impl Renderer {
    /// The Prometheus text. Gauges with the value NaN are omitted: the recorder has no other way to remove a gauge.
    pub(crate) fn text(&self) -> String {
        let mut text = self.permanent.render();
        text.push_str(&self.expiring.render());
        process::write(&mut text);
        if text.contains(" NaN\n") {
            text = text.split_inclusive('\n').filter(|line| !line.ends_with(" NaN\n")).collect();
        }
        text
    }

    /// Adds the samples in memory to the buckets.
    pub(crate) fn upkeep(&self) {
        self.permanent.run_upkeep();
        self.expiring.run_upkeep();
    }
}

impl Recorder for SplitRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.recorder_of(name.as_str()).describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.recorder_of(name.as_str()).describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.recorder_of(name.as_str()).describe_histogram(name, unit, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.recorder_of(key.name()).register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.recorder_of(key.name()).register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.recorder_of(key.name()).register_histogram(key, metadata)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::catalogue::{JOBS_CLAIMED_TOTAL, QUEUE_DEPTH_JOBS};

    #[test]
    fn exactly_the_metrics_with_a_model_version_expire() {
        for spec in ALL {
            assert_eq!(expires(spec.name), spec.labels.starts_with(&["model", "version"]), "{}", spec.name);
        }
    }

    #[test]
    fn only_series_of_idle_versions_expire() {
        let recorder = SplitRecorder::new(Duration::from_millis(1)).unwrap();
        let renderer = recorder.renderer();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!(INFERENCE_DURATION_SECONDS, "model" => "m", "version" => "1").record(0.1);
            metrics::counter!(INFERENCE_ROWS_TOTAL, "model" => "m", "version" => "1").increment(1);
            metrics::counter!(INFERENCE_PREDICTIONS_TOTAL, "model" => "m", "version" => "1", "class" => "yes")
                .increment(1);
            metrics::gauge!(INFERENCE_DRIFT_ROWS, "model" => "m", "version" => "1").set(7.0);
            metrics::counter!(JOBS_CLAIMED_TOTAL).increment(1);
        });
        assert!(renderer.text().contains("trainyard_inference_rows_total{model=\"m\",version=\"1\"} 1"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while renderer.text().contains("version=\"1\"") {
            assert!(Instant::now() < deadline, "{}", renderer.text());
        }
        assert!(renderer.text().contains("trainyard_jobs_claimed_total 1"));
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!(INFERENCE_ROWS_TOTAL, "model" => "m", "version" => "1").increment(2);
        });
        let text = renderer.text();
        assert!(
            text.contains("trainyard_inference_rows_total{model=\"m\",version=\"1\"} 2"),
            "starts at 0 again: {text}"
        );
    }

    #[test]
    fn known_series_start_at_0() {
        let text = SplitRecorder::new(VERSION_SERIES_IDLE).unwrap().renderer().text();
        for series in [
            "trainyard_jobs_finished_total{algorithm=\"svm\",kind=\"training\",status=\"failed\"} 0",
            "trainyard_jobs_retries_total{reason=\"interrupted\"} 0",
            "trainyard_inference_requests_total{model=\"\",version=\"\",outcome=\"unavailable\"} 0",
            "trainyard_sweep_duration_seconds_count 0",
        ] {
            assert!(text.lines().any(|line| line == series), "{series} in\n{text}");
        }
    }

    #[test]
    fn a_gauge_that_is_nan_is_not_rendered() {
        let recorder = SplitRecorder::new(VERSION_SERIES_IDLE).unwrap();
        let is_rendered = |value: f64| {
            metrics::with_local_recorder(&recorder, || metrics::gauge!(QUEUE_DEPTH_JOBS, "class" => "high").set(value));
            recorder.renderer().text().contains("trainyard_queue_depth_jobs{")
        };
        assert_eq!([is_rendered(3.0), is_rendered(f64::NAN), is_rendered(0.0)], [true, false, true]);
    }
}
