//! The process's one metrics recorder, rendered as Prometheus text.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::TelemetryError;
use crate::catalogue::BUILD_INFO;
use crate::recorder::{Rendering, Split, VERSION_SERIES_IDLE};

/// Renders what the process has counted so far. Cloning shares the recorder.
#[derive(Clone)]
pub struct Metrics {
    rendering: Rendering,
    reads: Arc<Mutex<Vec<Read>>>,
}

/// Sets a gauge to what it should say now.
type Read = Box<dyn Fn() + Send + Sync>;

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
        let split = Split::new(VERSION_SERIES_IDLE).map_err(TelemetryError::BadBuckets)?;
        let rendering = split.rendering();
        metrics::set_global_recorder(split).map_err(|_| TelemetryError::MetricsTaken)?;
        fold_in_background(rendering.clone());
        Ok(installed.insert(Self { rendering, reads: Arc::default() }).clone())
    }

    /// Says what this process is.
    pub fn tell_build(&self, role: &'static str, version: &'static str) {
        metrics::gauge!(BUILD_INFO, "version" => version, "role" => role).set(1.0);
    }

    /// A gauge that is read whenever somebody looks; reading must not block.
    pub fn read_gauge(&self, name: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.push(Box::new(move || metrics::gauge!(name).set(read())));
    }

    /// Everything counted so far, in the Prometheus text format.
    pub fn render(&self) -> String {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|read| read());
        self.rendering.text()
    }
}

fn fold_in_background(rendering: Rendering) {
    let fold = move || {
        loop {
            std::thread::park_timeout(FOLD_EVERY);
            rendering.fold();
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
        again.tell_build("api", "1.2.3");
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
