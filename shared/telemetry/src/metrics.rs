//! The metrics recorder of the process, rendered as Prometheus text.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::TelemetryError;
use crate::catalogue::BUILD_INFO;
use crate::recorder::{Renderer, SplitRecorder, VERSION_SERIES_IDLE};

/// Renders the metrics of the process. Clones share the recorder.
#[derive(Clone)]
pub struct Metrics {
    renderer: Renderer,
    callbacks: Arc<Mutex<Vec<GaugeCallback>>>,
}

/// Sets a gauge to its current value.
type GaugeCallback = Box<dyn Fn() + Send + Sync>;

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The recorder of the crate `metrics` is global, so the handle is global too.
static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);
/// Whether [`INSTALLED`] has a value, for a check without a lock.
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);

/// Histogram samples stay in memory until they are added to buckets. This thread does it if nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

impl Metrics {
    /// Installs the recorder with all metrics of the catalogue. A second call returns the same recorder.
    ///
    /// # Errors
    /// If another recorder has been installed.
    pub fn install() -> Result<Self, TelemetryError> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &*installed {
            return Ok(metrics.clone());
        }
        let recorder = SplitRecorder::new(VERSION_SERIES_IDLE).map_err(TelemetryError::BadBuckets)?;
        let renderer = recorder.renderer();
        metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::MetricsTaken)?;
        IS_INSTALLED.store(true, Ordering::Release);
        run_upkeep_in_background(renderer.clone());
        Ok(installed.insert(Self { renderer, callbacks: Arc::default() }).clone())
    }

    /// Whether the recorder has been installed. A handle from before records nothing, so it must not be kept.
    pub fn is_installed() -> bool {
        IS_INSTALLED.load(Ordering::Acquire)
    }

    /// Records the version and the role of this process.
    pub fn record_build(&self, role: &'static str, version: &'static str) {
        metrics::gauge!(BUILD_INFO, "version" => version, "role" => role).set(1.0);
    }

    /// Registers a gauge whose value is read at each scrape. `read` must not block.
    pub fn read_gauge(&self, name: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        let mut callbacks = self.callbacks.lock().unwrap_or_else(PoisonError::into_inner);
        callbacks.push(Box::new(move || metrics::gauge!(name).set(read())));
    }

    /// All metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|callback| callback());
        self.renderer.text()
    }
}

fn run_upkeep_in_background(renderer: Renderer) {
    let upkeep = move || {
        loop {
            std::thread::park_timeout(UPKEEP_INTERVAL);
            renderer.upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics-upkeep".into()).spawn(upkeep) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the thread for histogram upkeep could not be started"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn recorded_values_are_rendered_with_help_and_buckets() {
        let metrics = Metrics::install().unwrap();
        let again = Metrics::install().unwrap();
        assert!(Metrics::is_installed());
        metrics::histogram!(catalogue::INFERENCE_DURATION_SECONDS, "model" => "m", "version" => "1").record(0.000_07);
        again.record_build("api", "1.2.3");
        again.read_gauge(catalogue::DATABASE_CONNECTIONS_IN_USE, || 7.0);
        let text = again.render();
        assert!(text.contains(r#"trainyard_build_info{version="1.2.3",role="api"} 1"#), "{text}");
        assert!(text.contains("trainyard_database_connections_in_use 7"), "{text}");
        assert!(text.contains("# HELP trainyard_inference_duration_seconds"), "{text}");
        assert!(text.contains(r#"model="m",version="1",le="0.00005"} 0"#), "{text}");
        assert!(text.contains(r#"model="m",version="1",le="0.0001"} 1"#), "{text}");
        assert!(metrics.render().contains("trainyard_jobs_claimed_total 0"), "a counter starts at 0");
    }
}
