//! The parameters that say how a model is evaluated, and how its probabilities become predictions. The algorithm `auto` has
//! neither `cv` nor `learning_curve`, because its search validates every model, and because samples of the rows would need
//! further searches.

use crate::params::{ParamKind, ParamSpec};
use crate::table::TaskKind;

/// The parameter with the number of folds of a cross-validation.
pub const CV: &str = "cv";

pub(super) const CROSS_VALIDATION: ParamSpec = ParamSpec::new(
    CV,
    "Cross-validation folds",
    ParamKind::Int { min: 0, max: 20, default: Some(0) },
    "Number of folds of a cross-validation of the training part, at least 2, each with a model of its own; 0 \
     means no cross-validation.",
)
.evaluation();

/// The parameter with the method of the calibration of probabilities.
pub const CALIBRATION: &str = "calibration";

pub(super) const CALIBRATED: ParamSpec = ParamSpec::new(
    CALIBRATION,
    "Calibration",
    ParamKind::Choice { options: &["off", "isotonic", "platt"], default: "off" },
    "Calibration of the probabilities by out-of-fold predictions; isotonic suits thousands of rows, platt fewer.",
)
.only(TaskKind::Classification)
.probabilities();

/// The parameter with the objective of the decision threshold.
pub const TUNE_THRESHOLD: &str = "tune_threshold";
/// The parameter with the cost of a false positive.
pub const FALSE_POSITIVE_COST: &str = "false_positive_cost";
/// The parameter with the cost of a false negative.
pub const FALSE_NEGATIVE_COST: &str = "false_negative_cost";
/// The parameter with the wanted precision.
pub const MIN_PRECISION: &str = "min_precision";

const COST: ParamKind = ParamKind::Float { min: 0.0, max: 1e9, default: Some(1.0) };

pub(super) const TUNED_THRESHOLD: ParamSpec = ParamSpec::new(
    TUNE_THRESHOLD,
    "Threshold tuned for",
    ParamKind::Choice { options: &["off", "f1", "cost", "recall"], default: "off" },
    "Two classes: what the probability from which the positive class is predicted is tuned for, by out-of-fold \
     predictions; off means 0.5.",
)
.only(TaskKind::Classification)
.probabilities();

pub(super) const COST_OF_FALSE_POSITIVE: ParamSpec = ParamSpec::new(
    FALSE_POSITIVE_COST,
    "Cost of a false positive",
    COST,
    "With tune_threshold 'cost': the cost of a row that is wrongly predicted as the positive class.",
)
.only(TaskKind::Classification)
.probabilities()
.when(TUNE_THRESHOLD, &["cost"]);

pub(super) const COST_OF_FALSE_NEGATIVE: ParamSpec = ParamSpec::new(
    FALSE_NEGATIVE_COST,
    "Cost of a false negative",
    COST,
    "With tune_threshold 'cost': the cost of a row of the positive class that is predicted as the other one.",
)
.only(TaskKind::Classification)
.probabilities()
.when(TUNE_THRESHOLD, &["cost"]);

pub(super) const WANTED_PRECISION: ParamSpec = ParamSpec::new(
    MIN_PRECISION,
    "Minimum precision",
    ParamKind::Float { min: 0.0, max: 1.0, default: Some(0.9) },
    "With tune_threshold 'recall': the precision that the threshold with the highest recall must have.",
)
.only(TaskKind::Classification)
.probabilities()
.when(TUNE_THRESHOLD, &["recall"]);

/// The parameter with the number of permutations of each feature.
pub const PERMUTATION_REPEATS: &str = "permutation_repeats";

pub(super) const PERMUTATIONS: ParamSpec = ParamSpec::new(
    PERMUTATION_REPEATS,
    "Permutations per feature",
    ParamKind::Int { min: 0, max: 50, default: Some(0) },
    "Number of permutations of each feature on the held-out part, for permutation importances; 0 means none.",
)
.evaluation();

/// The parameter that asks for a learning curve.
pub const LEARNING_CURVE: &str = "learning_curve";

pub(super) const CURVE: ParamSpec = ParamSpec::new(
    LEARNING_CURVE,
    "Learning curve",
    ParamKind::Choice { options: &["off", "on"], default: "off" },
    "on also trains models on 10, 25, 50 and 75 percent of the training rows, which takes 1.6 times as long as the \
     training, and reports the loss of each.",
)
.evaluation();
