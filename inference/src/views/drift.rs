//! The response of `GET /inference/drift`.

use std::time::Instant;

use serde::Serialize;
use trainyard_ml::model::Distribution;
use utoipa::ToSchema;

use crate::drift::{ColumnDrift, DriftReport, DriftSettings, bin_names};
use crate::loaded_model::LoadedModel;

/// Maximum number of features in a response.
const MAX_FEATURES: usize = 1_000;

/// The drift of a version: its recent requests, compared with its training.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Drift)]
pub(crate) struct DriftView {
    /// The model.
    #[schema(example = "titanic-rf")]
    model: String,
    /// The version.
    #[schema(example = 3)]
    version: i64,
    /// The length of the window in seconds. After a version was loaded the window grows up to `inference.drift_window_s`.
    #[schema(example = 3_570)]
    window_s: u64,
    /// Number of rows that this process has predicted in the window.
    #[schema(example = 1_204)]
    rows: u64,
    /// Minimum number of rows for a PSI (`inference.drift_min_rows`).
    #[schema(example = 500)]
    min_rows: u64,
    /// The features, those with the largest PSI first.
    features: Vec<FeatureDrift>,
    /// The predictions, compared with the predictions for the held-out part.
    prediction: PredictionDrift,
}

/// The drift of a feature.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureDrift {
    /// The name of the feature.
    #[schema(example = "age")]
    feature: String,
    /// The population stability index; null with fewer rows than `min_rows`.
    #[schema(required, example = 0.31)]
    psi: Option<f64>,
    /// Number of rows in the window.
    #[schema(example = 1_204)]
    rows: u64,
    /// The shares of the training rows. Bins that are empty in both lists are left out.
    training: Vec<BinShare>,
    /// The shares of the recent rows in the same bins.
    recent: Vec<BinShare>,
}

/// The drift of the predictions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PredictionDrift {
    /// The name of the target.
    #[schema(example = "survived")]
    target: String,
    /// The population stability index; null with fewer rows than `min_rows`.
    #[schema(required, example = 0.02)]
    psi: Option<f64>,
    /// Number of rows in the window.
    #[schema(example = 1_204)]
    rows: u64,
    /// The shares of the predictions for the held-out part. Bins that are empty in both lists are left out.
    training: Vec<BinShare>,
    /// The shares of the recent predictions in the same bins.
    recent: Vec<BinShare>,
}

/// The share of a bin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BinShare {
    /// A range of numbers or dates, a category, a class, `other`, or `missing`.
    #[schema(example = "19 to 24")]
    bin: String,
    /// The share of the rows.
    #[schema(example = 0.1, minimum = 0, maximum = 1)]
    share: f64,
}

impl DriftView {
    /// The drift of `loaded` in the window before `now`.
    pub(crate) fn of(loaded: &LoadedModel, settings: DriftSettings, now: Instant) -> Self {
        let DriftReport { window, features, predictions } = DriftReport::of(loaded, settings, now);
        let (signature, all) = (loaded.predictor.signature(), &loaded.predictor.manifest().distributions);
        let feature = |drift: &ColumnDrift| {
            let (training, recent) = shares(loaded, drift, &all.features[drift.column]);
            let feature = signature.features[drift.column].name.clone();
            FeatureDrift { feature, psi: drift.psi, rows: drift.rows, training, recent }
        };
        let (training, recent) = shares(loaded, &predictions, &all.predictions);
        let (target, psi, rows) = (signature.target.clone(), predictions.psi, predictions.rows);
        Self {
            model: loaded.record.model.clone(),
            version: loaded.record.version,
            window_s: window.as_secs(),
            rows,
            min_rows: settings.min_rows,
            features: features.iter().take(MAX_FEATURES).map(feature).collect(),
            prediction: PredictionDrift { target, psi, rows, training, recent },
        }
    }
}

/// The shares of training and recent rows.
fn shares(loaded: &LoadedModel, drift: &ColumnDrift, training: &Distribution) -> (Vec<BinShare>, Vec<BinShare>) {
    let names = bin_names(loaded.predictor.signature(), drift.column, &training.bins);
    let (training_rows, recent_rows) = (training.rows.iter().sum(), drift.rows);
    let bins = names.into_iter().zip(training.rows.iter().zip(&drift.recent));
    let used = bins.filter(|(_, (training, recent))| **training > 0 || **recent > 0);
    let both = used.map(|(bin, (training, recent))| {
        let training = BinShare { bin: bin.clone(), share: share(*training, training_rows) };
        (training, BinShare { bin, share: share(*recent, recent_rows) })
    });
    both.unzip()
}

#[allow(clippy::cast_precision_loss, reason = "shares need no exact counts")]
fn share(rows: u64, all: u64) -> f64 {
    rows as f64 / all.max(1) as f64
}
