//! The process's one metrics recorder, rendered as Prometheus text.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::TelemetryError;
use crate::catalogue::{ALL, Kind, MetricSpec};

/// Renders what the process has counted so far. Cloning shares the recorder.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The recorder of `metrics` is global to the process, so the handle to it is too.
static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);

/// Histogram samples wait in memory until somebody folds them into buckets; when nobody scrapes, this does.
const FOLD_EVERY: Duration = Duration::from_secs(5);

impl Metrics {
    /// Installs the recorder with every metric of the catalogue described; a second call gives the same one.
    ///
    /// # Errors
    /// When another recorder was installed before.
    pub fn install() -> Result<Self, TelemetryError> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &*installed {
            return Ok(metrics.clone());
        }
        let mut builder = PrometheusBuilder::new();
        for spec in ALL.iter().filter(|spec| !spec.buckets.is_empty()) {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(spec.name.to_owned()), spec.buckets)
                .map_err(TelemetryError::MetricsTaken)?;
        }
        let handle = builder.install_recorder().map_err(TelemetryError::MetricsTaken)?;
        ALL.iter().for_each(describe);
        fold_in_background(handle.clone());
        Ok(installed.insert(Self { handle }).clone())
    }

    /// Everything counted so far, in the Prometheus text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

fn describe(spec: &MetricSpec) {
    match spec.kind {
        Kind::Counter => metrics::describe_counter!(spec.name, spec.help),
        Kind::Gauge => metrics::describe_gauge!(spec.name, spec.help),
        Kind::Histogram => metrics::describe_histogram!(spec.name, spec.help),
    }
    // A counter that has not counted yet must read 0, not be absent: `rate()` misses the first event otherwise.
    if spec.kind == Kind::Counter && spec.labels.is_empty() {
        metrics::counter!(spec.name).absolute(0);
    }
}

fn fold_in_background(handle: PrometheusHandle) {
    let fold = move || {
        loop {
            std::thread::park_timeout(FOLD_EVERY);
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics-fold".into()).spawn(fold) {
        tracing::warn!(error = &error as &dyn std::error::Error, "histograms are folded only when they are read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn what_is_counted_is_rendered_with_its_help_and_buckets() {
        let metrics = Metrics::install().unwrap();
        let again = Metrics::install().unwrap();
        metrics::histogram!(catalogue::INFERENCE_DURATION_SECONDS, "model" => "m", "version" => "1").record(0.000_07);
        let text = again.render();
        assert!(text.contains("# HELP trainyard_inference_duration_seconds"), "{text}");
        assert!(text.contains(r#"model="m",version="1",le="0.00005"} 0"#), "{text}");
        assert!(text.contains(r#"model="m",version="1",le="0.0001"} 1"#), "{text}");
        assert!(metrics.render().contains("trainyard_jobs_claimed_total 0"), "a counter starts at 0");
    }
}
