//! The schemas of the metrics of jobs, which the API passes on unchanged. `trainyard_ml::metrics::report` computes those of a
//! model on the held-out part, `trainyard_ml::batch::metrics` those of a prediction job.

mod evaluation;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use self::evaluation::{
    CrossValidationView, LearningCurveView, PermutationImportancesView, ReliabilityView, ThresholdView,
};
use super::learning::LabelValue;

/// The metrics of a succeeded job, by its kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the format")]
pub enum JobMetricsView {
    /// Of a training.
    Training(Box<MetricsView>),
    /// Of a prediction.
    Prediction(PredictionMetricsView),
}

/// What a prediction job counted. Lists leave out the counts by column.
#[derive(Debug, Serialize, ToSchema)]
pub struct PredictionMetricsView {
    /// The number of rows.
    #[schema(example = 1309)]
    pub rows: u64,
    /// The size of the result.
    #[schema(example = 151_204)]
    pub bytes: u64,
    /// The SHA-256 of the result, hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// The number of rows whose prediction is empty: their features are too far outside the range of the training data.
    #[schema(example = 0)]
    pub rows_without_prediction: u64,
    /// What was missing, unreadable or unknown, in sentences.
    #[schema(example = json!(["'age' is missing in 263 rows; imputed as in training"]))]
    pub warnings: Vec<String>,
    /// Cells without a value, by column.
    #[schema(nullable = false)]
    pub missing_values: Option<BTreeMap<String, u64>>,
    /// Cells that are no value of the feature and count as missing, by column.
    #[schema(nullable = false)]
    pub unreadable_values: Option<BTreeMap<String, u64>>,
    /// Cells with a category that was rare or absent in training, by column.
    #[schema(nullable = false)]
    pub unseen_categories: Option<BTreeMap<String, u64>>,
}

/// The metrics of a model on the held-out part. Metrics that are not defined are left out or `null`.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetricsView {
    /// Classification: the share of correct predictions.
    #[schema(nullable = false, example = 0.81)]
    pub accuracy: Option<f64>,
    /// Classification: the area under the ROC curve; for three or more classes the mean over the classes, one against the
    /// others. `null` if the held-out part has only one class.
    #[schema(example = 0.87)]
    pub roc_auc: Option<f64>,
    /// Classification: the mean negative logarithm of the probability of the actual class.
    #[schema(nullable = false, example = 0.44)]
    pub log_loss: Option<f64>,
    /// Classification: F1 of the positive class; for three or more classes the mean over the classes.
    #[schema(nullable = false, example = 0.76)]
    pub f1: Option<f64>,
    /// Classification: precision, averaged like `f1`.
    #[schema(nullable = false, example = 0.78)]
    pub precision: Option<f64>,
    /// Classification: recall, averaged like `f1`.
    #[schema(nullable = false, example = 0.74)]
    pub recall: Option<f64>,
    /// Classification: actual and predicted classes.
    #[schema(nullable = false)]
    pub confusion_matrix: Option<ConfusionMatrixView>,
    /// Two classes: the class whose probability is `prob` in predictions.
    #[schema(nullable = false, value_type = Option<LabelValue>)]
    pub positive_class: Option<serde_json::Value>,
    /// Two classes: the ROC curve. Lists leave out this and all other curves.
    #[schema(nullable = false)]
    pub roc_curve: Option<RocCurveView>,
    /// Two classes: the precision-recall curve, by rising threshold.
    #[schema(nullable = false)]
    pub precision_recall_curve: Option<PrecisionRecallCurveView>,
    /// Two classes: predicted probabilities and actual shares, in ten bins of equal width from 0 to 1; empty ones are left
    /// out.
    #[schema(nullable = false)]
    pub calibration: Option<Vec<CalibrationBinView>>,
    /// Three or more classes: the ROC curves of the ten most frequent classes, one against the others.
    #[schema(nullable = false)]
    pub roc_curves: Option<Vec<ClassRocCurveView>>,
    /// Regression: the coefficient of determination. `null` if all held-out rows have the same number.
    #[schema(example = 0.52)]
    pub r2: Option<f64>,
    /// Regression: the root of the mean squared error.
    #[schema(nullable = false, example = 53.1)]
    pub rmse: Option<f64>,
    /// Regression: the mean absolute error.
    #[schema(nullable = false, example = 43.2)]
    pub mae: Option<f64>,
    /// Regression: actual and predicted numbers of at most 200 held-out rows, which the seed draws.
    #[schema(nullable = false)]
    pub predictions: Option<PredictedNumbersView>,
    /// Random forests: the accuracy of each row's prediction by the trees that were not trained on the row.
    #[schema(nullable = false, example = 0.8)]
    pub oob_accuracy: Option<f64>,
    /// Random forests of a regression: the out-of-bag coefficient of determination.
    #[schema(nullable = false, example = 0.5)]
    pub oob_r2: Option<f64>,
    /// Gradient boosting: the number of rounds of the model.
    #[schema(nullable = false, example = 120)]
    pub n_rounds: Option<u64>,
    /// Jobs with `cv`: the metrics over the folds of the training part.
    #[schema(nullable = false)]
    pub cross_validation: Option<CrossValidationView>,
    /// Jobs with `tune_threshold`: the threshold of the model. Accuracy, F1, precision, recall and the confusion matrix are those
    /// at this threshold.
    #[schema(nullable = false)]
    pub threshold: Option<ThresholdView>,
    /// Jobs with `calibration`: the reliability of the probabilities before and after. Lists leave it out.
    #[schema(nullable = false)]
    pub reliability: Option<ReliabilityView>,
    /// Jobs with `learning_curve`: the loss by the number of training rows. Lists leave it out.
    #[schema(nullable = false)]
    pub learning_curve: Option<LearningCurveView>,
    /// Jobs with `permutation_repeats`: the importances of the features by permutation. Lists leave them out.
    #[schema(nullable = false)]
    pub permutation_importances: Option<PermutationImportancesView>,
    /// The algorithm `auto`: the trials of the search, at most 500. Lists leave them out.
    #[schema(nullable = false)]
    pub trials: Option<Vec<TrialView>>,
    /// The algorithm `auto`: the result of the search.
    #[schema(nullable = false)]
    pub search: Option<SearchView>,
    /// The features by descending importance; the sum is 1.
    #[schema(nullable = false)]
    pub feature_importances: Option<Vec<FeatureImportanceView>>,
    /// The sizes of both parts.
    #[schema(nullable = false)]
    pub rows: Option<PartSizesView>,
    /// Jobs with `auto_promote`: whether the version got the alias `production`, and why.
    #[schema(nullable = false)]
    pub promotion: Option<PromotionView>,
    /// What training dropped, changed or found suspicious.
    #[schema(nullable = false)]
    pub warnings: Option<Vec<String>>,
}

/// A confusion matrix.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfusionMatrixView {
    /// The classes of rows and columns: at most the 100 most frequent ones. Long texts are shortened.
    #[schema(value_type = Vec<LabelValue>)]
    pub labels: Vec<serde_json::Value>,
    /// `counts[actual][predicted]`
    pub counts: Vec<Vec<u64>>,
    /// The number of further classes.
    #[schema(nullable = false)]
    pub other_classes: Option<u64>,
}

/// An ROC curve from (0, 0) to (1, 1), with at most 101 points.
#[derive(Debug, Serialize, ToSchema)]
pub struct RocCurveView {
    /// False positive rates.
    pub fpr: Vec<f64>,
    /// True positive rates.
    pub tpr: Vec<f64>,
    /// The lowest probability that counts as positive at each point; for the first point 1 more than the highest one.
    pub threshold: Vec<f64>,
}

/// The ROC curve of one class against the others, with at most 101 points.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassRocCurveView {
    /// The class.
    #[schema(value_type = LabelValue)]
    pub class: serde_json::Value,
    /// The area under the curve.
    pub roc_auc: f64,
    /// False positive rates.
    pub fpr: Vec<f64>,
    /// True positive rates.
    pub tpr: Vec<f64>,
}

/// A precision-recall curve with at most 101 points.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrecisionRecallCurveView {
    /// Recall.
    pub recall: Vec<f64>,
    /// Precision.
    pub precision: Vec<f64>,
    /// The lowest probability that counts as positive at each point.
    pub threshold: Vec<f64>,
}

/// Held-out rows with similar probabilities.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalibrationBinView {
    /// The mean of the predicted probabilities of the positive class.
    #[schema(example = 0.34)]
    pub mean_probability: f64,
    /// The share of rows of the positive class.
    #[schema(example = 0.31)]
    pub positive_share: f64,
    /// The number of rows.
    #[schema(example = 26)]
    pub count: u64,
}

/// Numbers of held-out rows, in the same order.
#[derive(Debug, Serialize, ToSchema)]
pub struct PredictedNumbersView {
    /// The numbers in the dataset.
    pub actual: Vec<f64>,
    /// The predictions.
    pub predicted: Vec<f64>,
}

/// A trial of a search: a candidate that was trained and validated on the training part.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialView {
    /// The number of the trial, from 1.
    #[schema(example = 3)]
    pub trial: u64,
    /// The algorithm.
    #[schema(example = "gradient_boosting")]
    pub algorithm: String,
    /// The parameters that differ from the defaults.
    #[schema(value_type = Object)]
    pub params: serde_json::Value,
    /// Rows of the training part that the trial used.
    #[schema(example = 1047)]
    pub rows: u64,
    /// The number of folds that were predicted, each by a model of the other folds.
    #[schema(example = 5)]
    pub folds: u64,
    /// Log loss (classification) or RMSE (regression) of the out-of-fold predictions; smaller is better. `null` for a skipped
    /// trial.
    #[schema(required, example = 0.43)]
    pub score: Option<f64>,
    /// The duration in seconds.
    #[schema(example = 0.61)]
    pub seconds: f64,
    /// The weight of the model in the ensemble; 0 if the model is not a member.
    #[schema(example = 0.35)]
    pub weight: f64,
    /// Why the trial has no score.
    #[schema(nullable = false)]
    pub skipped: Option<String>,
}

/// The result of a search.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchView {
    /// The time budget in seconds.
    #[schema(example = 60.0)]
    pub budget_s: f64,
    /// The seconds that the run took.
    #[schema(example = 58.7)]
    pub used_s: f64,
    /// The number of trials with a score. With this number as `max_trials`, and the same `skip_trials`, the search can be
    /// repeated.
    #[schema(example = 57)]
    pub trials: u64,
    /// The trials before the last one with a score that did not fit into the rest of the budget, or that the job left out.
    #[schema(example = json!([51, 54]))]
    pub skip_trials: Vec<u64>,
    /// Microseconds that the model took for a prediction of one row on this machine, without HTTP and JSON.
    #[schema(example = 14.2)]
    pub predict_us: f64,
    /// The name of the scores: `log_loss` or `rmse`.
    #[schema(example = "log_loss")]
    pub metric: String,
    /// The best trial alone; `null` without a trial that suits the limits.
    #[schema(required)]
    pub best_single: Option<BestSingleView>,
    /// The score of the chosen ensemble on the out-of-fold predictions; `null` without a score.
    #[schema(required, example = 0.421)]
    pub score: Option<f64>,
    /// The score of the ensemble on each fold; empty without a score.
    #[schema(example = json!([0.43, 0.41, 0.42, 0.45, 0.4]))]
    pub fold_scores: Vec<f64>,
    /// How much the last quarter of the time reduced the score: little means that more budget would hardly help. `null`
    /// without a score before.
    #[schema(required, example = 0.0004)]
    pub last_quarter_gain: Option<f64>,
}

/// The best trial of a search.
#[derive(Debug, Serialize, ToSchema)]
pub struct BestSingleView {
    /// The number of the trial.
    #[schema(example = 12)]
    pub trial: u64,
    /// The algorithm.
    #[schema(example = "gradient_boosting")]
    pub algorithm: String,
    /// Its score.
    #[schema(example = 0.424)]
    pub score: f64,
}

/// The importance of a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureImportanceView {
    /// The feature.
    #[schema(example = "sex")]
    pub feature: String,
    /// Its importance.
    #[schema(example = 0.41)]
    pub importance: f64,
}

/// The decision about a guarded promotion.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromotionView {
    /// Whether the version got the alias `production`.
    #[schema(example = false)]
    pub promoted: bool,
    /// The reason.
    #[schema(example = "not promoted: log_loss 0.44 is not better than 0.43 of version 3")]
    pub message: String,
}

/// Numbers of rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartSizesView {
    /// Rows of the training part.
    #[schema(example = 1047)]
    pub train: u64,
    /// Rows of the held-out part.
    #[schema(example = 262)]
    pub test: u64,
}

/// The curves and trials of trainings, and the counts of predictions, which lists leave out because of their size.
const LONG: [&str; 12] = [
    "roc_curve",
    "precision_recall_curve",
    "calibration",
    "reliability",
    "learning_curve",
    "permutation_importances",
    "roc_curves",
    "predictions",
    "missing_values",
    "unreadable_values",
    "unseen_categories",
    "trials",
];

/// Removes the curves, the trials and the counts by column.
pub(super) fn without_curves(metrics: &mut serde_json::Value) {
    if let Some(metrics) = metrics.as_object_mut() {
        metrics.retain(|name, _| !LONG.contains(&name.as_str()));
    }
}
