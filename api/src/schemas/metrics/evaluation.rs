//! The metrics of a job that asks for more than the held-out part: `params` contains what it asks for.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::CalibrationBinView;

/// The cross-validation of the training part.
#[derive(Debug, Serialize, ToSchema)]
pub struct CrossValidationView {
    /// The number of folds. Each is predicted by a model that was trained on the others.
    #[schema(example = 5)]
    pub folds: u64,
    /// The number of rows in all folds: the training part without classes of one row.
    #[schema(example = 1047)]
    pub rows: u64,
    /// Each metric over the folds.
    #[schema(example = json!({"accuracy": {"mean": 0.81, "std": 0.02, "values": [0.8, 0.79, 0.83]}}))]
    pub metrics: BTreeMap<String, FoldMetricView>,
}

/// A metric over the folds of a cross-validation.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoldMetricView {
    /// The mean; `null` if the metric is not defined in any fold.
    #[schema(required, example = 0.81)]
    pub mean: Option<f64>,
    /// The standard deviation of the folds (n - 1); `null` with fewer than two values.
    #[schema(required, example = 0.02)]
    pub std: Option<f64>,
    /// The metric of each fold; `null` if it is not defined, as the ROC AUC of a fold with one class.
    #[schema(example = json!([0.8, 0.79, 0.83]))]
    pub values: Vec<Option<f64>>,
}

/// The tuned threshold of a model with two classes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThresholdView {
    /// The probability from which the positive class is predicted.
    #[schema(example = 0.37)]
    pub value: f64,
    /// What it was tuned for: `f1`, `cost`, or `recall` at the wanted precision.
    #[schema(example = "f1")]
    pub tuned_for: String,
    /// The number of rows of the training part that it was tuned on, by predictions of models that were not trained on them.
    #[schema(example = 1047)]
    pub rows: u64,
    /// The figures of these rows.
    pub training_part: ThresholdFiguresView,
    /// The figures of the held-out part.
    pub held_out: ThresholdFiguresView,
    /// The figures of the held-out part with the threshold 0.5.
    pub held_out_at_half: ThresholdFiguresView,
}

/// The figures of a threshold.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThresholdFiguresView {
    /// The share of correct predictions.
    #[schema(example = 0.81)]
    pub accuracy: f64,
    /// The share of the positive class among the rows that are predicted as the positive class.
    #[schema(example = 0.74)]
    pub precision: f64,
    /// The share of the positive class that is predicted as the positive class.
    #[schema(example = 0.78)]
    pub recall: f64,
    /// F1 of the positive class.
    #[schema(example = 0.76)]
    pub f1: f64,
    /// Tuned for `cost`: the mean cost of a row.
    #[schema(nullable = false, example = 0.42)]
    pub cost: Option<f64>,
}

/// Jobs with `calibration`: how reliable the probabilities for the held-out part are.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReliabilityView {
    /// The method: `isotonic` or `platt`.
    #[schema(example = "isotonic")]
    pub method: String,
    /// The number of rows of the training part that the calibration was fitted on, by predictions of models that were not
    /// trained on them.
    #[schema(example = 1047)]
    pub rows: u64,
    /// The probabilities of the model without the calibration.
    pub before: ReliabilityFiguresView,
    /// The calibrated probabilities, which predictions have.
    pub after: ReliabilityFiguresView,
}

/// How far probabilities agree with frequencies.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReliabilityFiguresView {
    /// The mean squared error of the probability of the positive class; for three or more classes the mean sum over the
    /// classes.
    #[schema(example = 0.14)]
    pub brier_score: f64,
    /// The mean distance between probability and frequency in ten bins of equal width.
    #[schema(example = 0.03)]
    pub expected_calibration_error: f64,
    /// The mean negative logarithm of the probability of the actual class.
    #[schema(example = 0.44)]
    pub log_loss: f64,
    /// The bins. For three or more classes the probability is that of the predicted class, and `positive_share` the share of
    /// right predictions.
    pub points: Vec<CalibrationBinView>,
}

/// Jobs with `learning_curve`: the loss of models that were trained on a part of the training rows, by rising number of rows. The
/// last one is the model before its calibration.
#[derive(Debug, Serialize, ToSchema)]
pub struct LearningCurveView {
    /// The loss: `log_loss`, or `rmse` for a regression.
    #[schema(example = "log_loss")]
    pub metric: String,
    /// The number of rows that each model was trained on.
    #[schema(example = json!([105, 262, 524, 785, 1047]))]
    pub rows: Vec<u64>,
    /// The loss on these rows.
    #[schema(example = json!([0.31, 0.35, 0.36, 0.37, 0.37]))]
    pub training: Vec<Option<f64>>,
    /// The loss on the held-out part.
    #[schema(example = json!([0.52, 0.48, 0.46, 0.45, 0.44]))]
    pub held_out: Vec<Option<f64>>,
}

/// Jobs with `permutation_repeats`: how much the loss on the held-out part grows if the values of a feature are exchanged between
/// its rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermutationImportancesView {
    /// The loss: `log_loss`, or `rmse` for a regression.
    #[schema(example = "log_loss")]
    pub metric: String,
    /// The number of rows of the held-out part that were used.
    #[schema(example = 262)]
    pub rows: u64,
    /// The number of permutations of each feature.
    #[schema(example = 10)]
    pub repeats: u64,
    /// The features, the most important one first.
    pub features: Vec<PermutationImportanceView>,
}

/// The permutation importance of a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermutationImportanceView {
    /// The feature.
    #[schema(example = "sex")]
    pub feature: String,
    /// The mean increase of the loss; about 0 for a feature without influence.
    #[schema(required, example = 0.21)]
    pub mean: Option<f64>,
    /// The standard deviation over the permutations (n - 1); `null` with one permutation.
    #[schema(required, example = 0.02)]
    pub std: Option<f64>,
}
