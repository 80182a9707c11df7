//! The recorder behind the `metrics` macros: two of Prometheus's, because series that name a model version must go when
//! nobody asks for the version any more, and all others must stay: a counter that goes away while nothing happens
//! would hide the first thing that does.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_util::MetricKindMask;

use crate::catalogue::{
    ALL, INFERENCE_DURATION_SECONDS, INFERENCE_REQUESTS_TOTAL, INFERENCE_ROWS_TOTAL, Kind, MetricSpec,
};
use crate::process;

/// A series that names a model version is forgotten after this long without a change. Whoever keeps a handle to one
/// must look it up again before it has been idle for so long, or it counts into the void.
pub const VERSION_SERIES_IDLE: Duration = Duration::from_secs(3_600);

/// Whether the series of a metric come and go with model versions.
fn is_passing(name: &str) -> bool {
    matches!(name, INFERENCE_DURATION_SECONDS | INFERENCE_REQUESTS_TOTAL | INFERENCE_ROWS_TOTAL)
}

/// Both recorders.
pub(crate) struct Split {
    lasting: PrometheusRecorder,
    passing: PrometheusRecorder,
}

/// Renders what both have.
#[derive(Clone)]
pub(crate) struct Rendering {
    lasting: PrometheusHandle,
    passing: PrometheusHandle,
}

impl Split {
    /// Every metric of the catalogue with its buckets; series of versions go after `idle`.
    ///
    /// # Errors
    /// When buckets in the catalogue are empty, which a test rules out.
    pub(crate) fn new(idle: Duration) -> Result<Self, BuildError> {
        let passing = builder()?.idle_timeout(MetricKindMask::ALL, Some(idle)).build_recorder();
        let split = Self { lasting: builder()?.build_recorder(), passing };
        metrics::with_local_recorder(&split, || {
            ALL.iter().filter(|spec| !process::tells(spec.name)).for_each(describe)
        });
        Ok(split)
    }

    pub(crate) fn rendering(&self) -> Rendering {
        Rendering { lasting: self.lasting.handle(), passing: self.passing.handle() }
    }

    fn of(&self, name: &str) -> &PrometheusRecorder {
        if is_passing(name) { &self.passing } else { &self.lasting }
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
    // What has not counted yet must read 0, not be absent: `rate()` misses the first event otherwise.
    match spec.kind {
        Kind::Counter => series_known_beforehand(spec).into_iter().for_each(|labels| {
            metrics::counter!(spec.name, labels).absolute(0);
        }),
        Kind::Histogram if spec.labels.is_empty() => drop(metrics::histogram!(spec.name)),
        Kind::Histogram | Kind::Gauge => {}
    }
}

/// Every combination of label values; one without labels where a metric has none, none where they are not known.
fn series_known_beforehand(spec: &MetricSpec) -> Vec<Vec<Label>> {
    if spec.values.len() != spec.labels.len() {
        return Vec::new();
    }
    spec.labels.iter().zip(spec.values).fold(vec![Vec::new()], |series, (name, values)| {
        let one_more =
            |labels: &Vec<Label>, value: &'static str| [labels.as_slice(), &[Label::new(*name, value)]].concat();
        series.iter().flat_map(|labels| values.iter().map(|value| one_more(labels, value))).collect()
    })
}

impl Rendering {
    /// The Prometheus text. A gauge that stands at NaN has nothing to tell and is left out: there is no other way to take
    /// one back.
    pub(crate) fn text(&self) -> String {
        let mut text = self.lasting.render();
        text.push_str(&self.passing.render());
        process::write(&mut text);
        if text.contains(" NaN\n") {
            text = text.split_inclusive('\n').filter(|line| !line.ends_with(" NaN\n")).collect();
        }
        text
    }

    /// Folds the samples that wait in memory into buckets.
    pub(crate) fn fold(&self) {
        self.lasting.run_upkeep();
        self.passing.run_upkeep();
    }
}

impl Recorder for Split {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.of(name.as_str()).describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.of(name.as_str()).describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.of(name.as_str()).describe_histogram(name, unit, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.of(key.name()).register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.of(key.name()).register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.of(key.name()).register_histogram(key, metadata)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::catalogue::{JOBS_CLAIMED_TOTAL, QUEUE_DEPTH_JOBS};

    #[test]
    fn the_passing_metrics_are_those_that_name_a_models_version() {
        for spec in ALL {
            assert_eq!(is_passing(spec.name), spec.labels.starts_with(&["model", "version"]), "{}", spec.name);
        }
    }

    #[test]
    fn series_of_idle_versions_go_and_all_others_stay() {
        let split = Split::new(Duration::from_millis(1)).unwrap();
        let rendering = split.rendering();
        metrics::with_local_recorder(&split, || {
            metrics::histogram!(INFERENCE_DURATION_SECONDS, "model" => "m", "version" => "1").record(0.1);
            metrics::counter!(INFERENCE_ROWS_TOTAL, "model" => "m", "version" => "1").increment(1);
            metrics::counter!(JOBS_CLAIMED_TOTAL).increment(1);
        });
        assert!(rendering.text().contains("trainyard_inference_rows_total{model=\"m\",version=\"1\"} 1"));
        let patience = Instant::now() + Duration::from_secs(10);
        while rendering.text().contains("version=\"1\"") {
            assert!(Instant::now() < patience, "{}", rendering.text());
        }
        assert!(rendering.text().contains("trainyard_jobs_claimed_total 1"));
        metrics::with_local_recorder(&split, || {
            metrics::counter!(INFERENCE_ROWS_TOTAL, "model" => "m", "version" => "1").increment(2);
        });
        let text = rendering.text();
        assert!(text.contains("trainyard_inference_rows_total{model=\"m\",version=\"1\"} 2"), "starts anew: {text}");
    }

    #[test]
    fn what_can_be_known_beforehand_reads_0_from_the_start() {
        let text = Split::new(VERSION_SERIES_IDLE).unwrap().rendering().text();
        for series in [
            "trainyard_jobs_finished_total{algorithm=\"svm\",status=\"failed\"} 0",
            "trainyard_jobs_retries_total{reason=\"interrupted\"} 0",
            "trainyard_inference_requests_total{model=\"\",version=\"\",outcome=\"unavailable\"} 0",
            "trainyard_sweep_duration_seconds_count 0",
        ] {
            assert!(text.lines().any(|line| line == series), "{series} in\n{text}");
        }
    }

    #[test]
    fn a_gauge_taken_back_is_not_shown() {
        let split = Split::new(VERSION_SERIES_IDLE).unwrap();
        let shown = |value: f64| {
            metrics::with_local_recorder(&split, || metrics::gauge!(QUEUE_DEPTH_JOBS, "class" => "high").set(value));
            split.rendering().text().contains("trainyard_queue_depth_jobs{")
        };
        assert_eq!([shown(3.0), shown(f64::NAN), shown(0.0)], [true, false, true]);
    }
}
