//! The parameters of each algorithm: bounds, defaults and descriptions.

pub(super) mod evaluation;

use self::evaluation::{
    CALIBRATED, COST_OF_FALSE_NEGATIVE, COST_OF_FALSE_POSITIVE, CROSS_VALIDATION, CURVE, PERMUTATIONS, TUNED_THRESHOLD,
    WANTED_PRECISION,
};
use crate::params::{ParamKind, ParamSpec};

/// The parameter that chooses the implementation of an algorithm, and its values.
pub const ENGINE: &str = "engine";
/// Our own implementation, the default.
pub const NATIVE: &str = "native";
/// The reference implementation of linfa.
pub const LINFA: &str = "linfa";

/// The parameter of the algorithm `auto` with the time budget in seconds.
pub const BUDGET_S: &str = "budget_s";
/// The trials that a search leaves out.
pub const SKIP_TRIALS: &str = "skip_trials";
/// Maximum number of trials that a search leaves out.
pub const MAX_SKIPPED_TRIALS: usize = 1_000;

/// The parameter with the monotone constraints by feature.
pub const MONOTONE_CONSTRAINTS: &str = "monotone_constraints";

const TEST_SIZE: ParamSpec = ParamSpec {
    name: "test_size",
    kind: ParamKind::Float { min: 0.05, max: 0.5, default: Some(0.2) },
    description: "Share of the rows in the held-out part, on which the metrics are computed.",
};

/// The default of `min_samples_leaf` of a classification forest, with shrunk leaves. Over ten folds each, leaves of 5 rows
/// without shrinkage have an accuracy of 0.946 on spambase and 0.952 on breast_cancer, these 0.953 and 0.954, and
/// scikit-learn's forests 0.954 and 0.959. On titanic they have 0.804, these 0.796, and scikit-learn's 0.792.
pub const CLASSIFICATION_LEAF_ROWS: i64 = 1;
/// The default of `min_samples_leaf` of a regression forest. With half of the features at each split and leaves of 2 rows,
/// scikit-learn's forests have a mean R² of 0.735 on 17 tables, in five folds; with the defaults for classification 0.710, and
/// with all features and leaves of 1 row, scikit-learn's defaults, 0.725.
pub const REGRESSION_LEAF_ROWS: i64 = 2;

/// The default of `min_samples_leaf` of extremely randomized trees for classification. Over ten seeds the log loss is 0.476 on
/// titanic, 0.284 for its ticket class and 0.123 on breast_cancer; with 3 rows 0.455, 0.320 and 0.130, with 5 rows 0.454, 0.364
/// and 0.142, and with 1 row 2.2, 0.564 and 0.146.
pub const RANDOMIZED_CLASSIFICATION_LEAF_ROWS: i64 = 2;
/// The default of `min_samples_leaf` of extremely randomized trees for regression. With half of the features at each split the
/// mean R² of ten seeds on diabetes is 0.487, with all features 0.476; leaves of 2 and of 5 rows give 0.477 and 0.490.
pub const RANDOMIZED_REGRESSION_LEAF_ROWS: i64 = 3;

// Single trees with leaves of 5 rows are better than with leaves of 1 row on titanic, diabetes and breast_cancer.
const MIN_SAMPLES_LEAF: ParamSpec = ParamSpec {
    name: "min_samples_leaf",
    kind: ParamKind::Int { min: 1, max: 10_000, default: Some(5) },
    description: "Minimum number of training rows in a leaf.",
};

const N_TREES: ParamSpec = ParamSpec {
    name: "n_trees",
    kind: ParamKind::Int { min: 1, max: 2_000, default: Some(100) },
    description: "Number of trees.",
};

const MAX_DEPTH: ParamSpec = ParamSpec {
    name: "max_depth",
    kind: ParamKind::Int { min: 1, max: 64, default: None },
    description: "Maximum depth of a tree; null means no limit.",
};

const MAX_FEATURES: ParamKind =
    ParamKind::Choice { options: &["auto", "sqrt", "log2", "third", "half", "all"], default: "auto" };

/// The parameter with the weights of the classes.
pub const CLASS_WEIGHT: &str = "class_weight";

const WEIGHTS: ParamSpec = ParamSpec {
    name: CLASS_WEIGHT,
    kind: ParamKind::Choice { options: &["none", "balanced"], default: "none" },
    description: "balanced weighs classes inversely to their frequency.",
};

pub(super) const RANDOM_FOREST: &[ParamSpec] = &[
    N_TREES,
    MAX_DEPTH,
    ParamSpec {
        name: "min_samples_leaf",
        kind: ParamKind::Int { min: 1, max: 10_000, default: None },
        description: "Minimum number of training rows in a leaf; null means 1 for classification and 2 for regression.",
    },
    ParamSpec {
        name: "max_features",
        kind: MAX_FEATURES,
        description: "Number of features considered at each split; auto means sqrt for classification and half for regression.",
    },
    WEIGHTS,
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    CALIBRATED,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

pub(super) const EXTRA_TREES: &[ParamSpec] = &[
    N_TREES,
    MAX_DEPTH,
    ParamSpec {
        name: "min_samples_leaf",
        kind: ParamKind::Int { min: 1, max: 10_000, default: None },
        description: "Minimum number of training rows in a leaf; null means 2 for classification and 3 for regression.",
    },
    ParamSpec {
        name: "max_features",
        kind: MAX_FEATURES,
        description: "Number of features considered at each split, each with one random threshold; auto means sqrt for \
                      classification and half for regression.",
    },
    ParamSpec {
        name: "bootstrap",
        kind: ParamKind::Choice { options: &["off", "on"], default: "off" },
        description: "on trains each tree on a bootstrap sample, which gives an out-of-bag score; off on all training rows.",
    },
    WEIGHTS,
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    CALIBRATED,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

// Measured over the five folds of `make bench-ml`: with these defaults a log loss of 0.430 on titanic and 0.093 on
// breast_cancer, against 0.433 and 0.090 with those of CatBoost 1.2.10.
pub(super) const GRADIENT_BOOSTING: &[ParamSpec] = &[
    ParamSpec {
        name: "n_rounds",
        kind: ParamKind::Int { min: 1, max: 10_000, default: Some(2_000) },
        description: "Maximum number of rounds; a round has one tree, or one per class with three or more classes.",
    },
    ParamSpec {
        name: "learning_rate",
        kind: ParamKind::Float { min: 1e-4, max: 1.0, default: Some(0.05) },
        description: "Factor of the values of each tree; a smaller value needs more rounds.",
    },
    ParamSpec {
        name: "max_leaves",
        kind: ParamKind::Int { min: 2, max: 1_024, default: Some(31) },
        description: "Maximum number of leaves of a tree.",
    },
    MAX_DEPTH,
    MIN_SAMPLES_LEAF,
    ParamSpec {
        name: "min_hessian",
        kind: ParamKind::Float { min: 1e-6, max: 1e6, default: Some(1e-3) },
        description: "Minimum sum of the second derivatives of the loss in a leaf.",
    },
    ParamSpec {
        name: "l2",
        kind: ParamKind::Float { min: 0.0, max: 1e4, default: Some(10.0) },
        description: "Strength of the L2 penalty of the values of the leaves.",
    },
    ParamSpec {
        name: "feature_fraction",
        kind: ParamKind::Float { min: 0.01, max: 1.0, default: Some(0.7) },
        description: "Share of the features that each tree may use, drawn at random.",
    },
    ParamSpec {
        name: "subsample",
        kind: ParamKind::Float { min: 0.01, max: 1.0, default: Some(0.7) },
        description: "Share of the training rows that each tree is trained on, drawn at random.",
    },
    ParamSpec {
        name: "early_stopping_rounds",
        kind: ParamKind::Int { min: 0, max: 10_000, default: Some(50) },
        description: "The search for the number of rounds ends after this many rounds without a smaller loss on the \
                      validation rows; 0 trains n_rounds rounds.",
    },
    ParamSpec {
        name: "validation_fraction",
        kind: ParamKind::Float { min: 0.01, max: 0.5, default: Some(0.2) },
        description: "Share of the training rows that are validation rows while the number of rounds is searched.",
    },
    ParamSpec {
        name: "loss",
        kind: ParamKind::Choice { options: &["squared_error", "quantile", "poisson"], default: "squared_error" },
        description: "Loss of a regression; classification always uses the log loss.",
    },
    ParamSpec {
        name: "quantile",
        kind: ParamKind::Float { min: 0.001, max: 0.999, default: Some(0.5) },
        description: "The predicted quantile with loss 'quantile'.",
    },
    ParamSpec {
        name: MONOTONE_CONSTRAINTS,
        kind: ParamKind::Signs,
        description: "1 or -1 per feature (a number or a boolean) with which the prediction never falls or never rises; \
                      for regression and two classes.",
    },
    WEIGHTS,
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    CALIBRATED,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

pub(super) const DECISION_TREE: &[ParamSpec] = &[
    ParamSpec {
        name: "max_depth",
        kind: ParamKind::Int { min: 1, max: 64, default: Some(8) },
        description: "Maximum depth of the tree; null means no limit.",
    },
    ParamSpec {
        name: "min_samples_split",
        kind: ParamKind::Int { min: 2, max: 10_000, default: Some(2) },
        description: "Minimum number of training rows in a node to split it.",
    },
    MIN_SAMPLES_LEAF,
    ParamSpec {
        name: "criterion",
        kind: ParamKind::Choice { options: &["gini", "entropy"], default: "gini" },
        description: "Impurity measure of a split.",
    },
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    CALIBRATED,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

const ENGINE_PARAM: ParamSpec = ParamSpec {
    name: ENGINE,
    kind: ParamKind::Choice { options: &[NATIVE, LINFA], default: NATIVE },
    description: "Implementation; linfa is the reference that the native one is tested against.",
};

pub(super) const SVM: &[ParamSpec] = &[
    ENGINE_PARAM,
    ParamSpec {
        name: "c",
        kind: ParamKind::Float { min: 1e-4, max: 1e4, default: Some(1.0) },
        description: "Penalty of a margin violation; a larger value fits the training rows more closely.",
    },
    ParamSpec {
        name: "kernel",
        kind: ParamKind::Choice { options: &["rbf", "linear", "polynomial"], default: "rbf" },
        description: "Kernel function.",
    },
    ParamSpec {
        name: "gamma",
        kind: ParamKind::Float { min: 1e-6, max: 1e3, default: None },
        description: "Coefficient of the rbf and polynomial kernels; null means 1 / (features × variance).",
    },
    ParamSpec {
        name: "degree",
        kind: ParamKind::Int { min: 2, max: 5, default: Some(3) },
        description: "Degree of the polynomial kernel.",
    },
    WEIGHTS,
    ParamSpec {
        name: "epsilon",
        kind: ParamKind::Float { min: 0.0, max: 10.0, default: Some(0.1) },
        description: "Regression: errors up to this many standard deviations of the target cost nothing.",
    },
    ParamSpec {
        name: "tolerance",
        kind: ParamKind::Float { min: 1e-6, max: 0.1, default: Some(1e-3) },
        description: "Stopping tolerance of the optimizer.",
    },
    ParamSpec {
        name: "max_iterations",
        kind: ParamKind::Int { min: 1, max: 1_000_000_000, default: None },
        description: "Maximum number of steps of the optimizer; null means 10 million, or 100 per row if that is more.",
    },
    ParamSpec {
        name: "cache_mb",
        kind: ParamKind::Int { min: 1, max: 100_000, default: Some(200) },
        description: "Size of the kernel cache in megabytes; it changes the training time, not the model.",
    },
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

const ALPHA: ParamSpec = ParamSpec {
    name: "alpha",
    kind: ParamKind::Float { min: 0.0, max: 1e4, default: Some(1.0) },
    description: "Strength of the L2 penalty.",
};

pub(super) const LOGISTIC_REGRESSION: &[ParamSpec] = &[
    ENGINE_PARAM,
    ALPHA,
    WEIGHTS,
    ParamSpec {
        name: "tolerance",
        kind: ParamKind::Float { min: 1e-10, max: 0.1, default: Some(1e-6) },
        description: "Training ends when no component of the mean gradient is larger.",
    },
    ParamSpec {
        name: "max_iterations",
        kind: ParamKind::Int { min: 1, max: 10_000, default: Some(200) },
        description: "Maximum number of iterations of the optimizer.",
    },
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    CALIBRATED,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

pub(super) const RIDGE: &[ParamSpec] = &[ALPHA, TEST_SIZE, CROSS_VALIDATION, CURVE, PERMUTATIONS];

pub(super) const AUTO: &[ParamSpec] = &[
    ParamSpec {
        name: BUDGET_S,
        kind: ParamKind::Float { min: 1.0, max: 86_400.0, default: Some(60.0) },
        description: "Time budget of the run in seconds: for the search, and for training the chosen models again.",
    },
    ParamSpec {
        name: "max_trials",
        kind: ParamKind::Int { min: 1, max: 10_000, default: None },
        description: "The search ends after this many finished trials; with enough budget the model then does not depend \
                      on the speed of the machine. null means no limit.",
    },
    ParamSpec {
        name: SKIP_TRIALS,
        kind: ParamKind::Numbers { max: 1_000_000, entries: MAX_SKIPPED_TRIALS },
        description: "Trials that the search leaves out. metrics.search.skip_trials of an earlier search lists those that \
                      did not fit into its budget; with max_trials the list repeats that search.",
    },
    ParamSpec {
        name: "max_predict_us",
        kind: ParamKind::Float { min: 0.1, max: 1e6, default: None },
        description: "Limit of the predicted time of a prediction for one row, in microseconds: models that would exceed \
                      it are not chosen. null means no limit.",
    },
    ParamSpec {
        name: "ensemble",
        kind: ParamKind::Choice { options: &["on", "off"], default: "on" },
        description: "on combines several models; off chooses the best single model.",
    },
    TEST_SIZE,
];
