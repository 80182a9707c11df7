//! The drift of one version.

use std::time::{Duration, Instant};

use trainyard_ml::metrics::psi;
use trainyard_ml::model::Distribution;

use super::{DriftSettings, Recent};
use crate::loaded_model::LoadedModel;

/// The drift of a version in the window.
pub(crate) struct DriftReport {
    /// The length of the window.
    pub(crate) window: Duration,
    /// The features, those with the largest PSI first.
    pub(crate) features: Vec<ColumnDrift>,
    /// The predictions.
    pub(crate) predictions: ColumnDrift,
}

/// The drift of a feature or of the predictions.
pub(crate) struct ColumnDrift {
    /// The index of the feature in the signature; the number of features for the predictions.
    pub(crate) column: usize,
    /// The population stability index; `None` with too few rows.
    pub(crate) psi: Option<f64>,
    /// Number of rows in the window.
    pub(crate) rows: u64,
    /// The rows of each bin in the window.
    pub(crate) recent: Vec<u64>,
}

impl DriftReport {
    /// Compares the rows of the window before `now` with the training.
    pub(crate) fn of(loaded: &LoadedModel, settings: DriftSettings, now: Instant) -> Self {
        let Recent { length, mut columns } = loaded.drift.recent(now, settings.window);
        let distributions = &loaded.predictor.manifest().distributions;
        let last = columns.pop().unwrap_or_default();
        let predictions = ColumnDrift::of(columns.len(), &distributions.predictions, last, settings.min_rows);
        let features = distributions.features.iter().zip(columns).enumerate();
        let mut features: Vec<ColumnDrift> = features
            .map(|(column, (training, recent))| ColumnDrift::of(column, training, recent, settings.min_rows))
            .collect();
        // The sort is stable: features without a PSI keep the order of the signature.
        features.sort_by(|a, b| b.psi.unwrap_or(-1.0).total_cmp(&a.psi.unwrap_or(-1.0)));
        Self { window: length, features, predictions }
    }
}

impl ColumnDrift {
    fn of(column: usize, training: &Distribution, recent: Vec<u64>, min_rows: u64) -> Self {
        let rows = recent.iter().sum();
        let psi = (rows >= min_rows).then(|| psi(&training.rows, &recent));
        Self { column, psi, rows, recent }
    }
}
