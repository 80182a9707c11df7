//! Sets the gauges of the drift of all loaded versions. The gauges of a version that is no longer loaded are hidden.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use metrics::gauge;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use trainyard_domain::field::cut;
use trainyard_telemetry::catalogue;

use super::bin_names::MAX_NAME_CHARS;
use super::{ColumnDrift, DriftReport, DriftSettings};
use crate::loaded_model::LoadedModel;
use crate::model_record::Key;
use crate::registry::{Registry, Snapshot};

/// The longest time between two measurements.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// Number of measurements while the window moves by its length, in short windows.
const PER_WINDOW: u32 = 360;

/// The task that measures the drift.
pub(crate) struct Monitor {
    registry: Registry,
    settings: DriftSettings,
    /// The features with a gauge, by version.
    shown: BTreeMap<Key, BTreeSet<String>>,
}

impl Monitor {
    /// A monitor of the loaded versions.
    pub(crate) fn new(registry: Registry, settings: DriftSettings) -> Self {
        Self { registry, settings, shown: BTreeMap::new() }
    }

    /// Measures until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval((self.settings.window / PER_WINDOW).min(MAX_PAUSE));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
            // Many features of many versions take milliseconds.
            let mut monitor = self;
            let measure = move || {
                monitor.measure(&monitor.registry.load_full(), Instant::now());
                monitor
            };
            self = match tokio::task::spawn_blocking(measure).await {
                Ok(monitor) => monitor,
                // The panic hook has logged the panic.
                Err(_) => return tracing::error!("drift is no longer measured; restart this role"),
            };
        }
    }

    fn measure(&mut self, snapshot: &Snapshot, now: Instant) {
        let mut before = std::mem::take(&mut self.shown);
        for loaded in snapshot.models.values().flat_map(|model| model.versions.values()) {
            // Versions that share their series have no drift in common.
            if !loaded.labels().are_own() {
                continue;
            }
            let key = loaded.record.key();
            let shown = self.show(loaded, now);
            let hidden = before.remove(&key).unwrap_or_default();
            hidden.difference(&shown).for_each(|feature| set_feature(&key, feature, None));
            self.shown.insert(key, shown);
        }
        for (key, features) in before {
            set(catalogue::INFERENCE_DRIFT_ROWS, &key, None);
            set(catalogue::INFERENCE_PREDICTION_DRIFT_PSI, &key, None);
            features.iter().for_each(|feature| set_feature(&key, feature, None));
        }
    }

    /// Sets the gauges of a version. Returns the names of the features with a gauge.
    #[allow(clippy::cast_precision_loss, reason = "gauges are f64")]
    fn show(&self, loaded: &LoadedModel, now: Instant) -> BTreeSet<String> {
        let (key, report) = (loaded.record.key(), DriftReport::of(loaded, self.settings, now));
        set(catalogue::INFERENCE_DRIFT_ROWS, &key, Some(report.predictions.rows as f64));
        set(catalogue::INFERENCE_PREDICTION_DRIFT_PSI, &key, report.predictions.psi);
        let features = &loaded.predictor.signature().features;
        let largest = report.features.iter().take(self.settings.max_features);
        let shown = largest.filter_map(|ColumnDrift { column, psi, .. }| {
            let feature = cut(&features.get(*column)?.name, MAX_NAME_CHARS).into_owned();
            set_feature(&key, &feature, Some((*psi)?));
            Some(feature)
        });
        shown.collect()
    }
}

/// A gauge without a value is NaN, which is not rendered.
fn set(name: &'static str, (model, version): &Key, value: Option<f64>) {
    gauge!(name, "model" => model.clone(), "version" => version.to_string()).set(value.unwrap_or(f64::NAN));
}

fn set_feature((model, version): &Key, feature: &str, psi: Option<f64>) {
    gauge!(catalogue::INFERENCE_FEATURE_DRIFT_PSI,
        "model" => model.clone(), "version" => version.to_string(), "feature" => feature.to_owned())
    .set(psi.unwrap_or(f64::NAN));
}
