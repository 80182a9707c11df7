//! The parameters of each algorithm: bounds, defaults and descriptions.

mod boosting;
pub(super) mod evaluation;

use self::evaluation::{
    CALIBRATED, COST_OF_FALSE_NEGATIVE, COST_OF_FALSE_POSITIVE, CROSS_VALIDATION, CURVE, PERMUTATIONS, TUNED_THRESHOLD,
    WANTED_PRECISION,
};
use crate::params::{ParamKind, ParamSpec};
use crate::table::TaskKind;
pub(super) use boosting::GRADIENT_BOOSTING;

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

const TEST_SIZE: ParamSpec = ParamSpec::new(
    "test_size",
    "Held-out share",
    ParamKind::Float { min: 0.05, max: 0.5, default: Some(0.2) },
    "Share of the rows in the held-out part, on which the metrics are computed.",
)
.evaluation();

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
const MIN_SAMPLES_LEAF: ParamSpec = ParamSpec::new(
    "min_samples_leaf",
    "Minimum leaf size",
    ParamKind::Int { min: 1, max: 10_000, default: Some(5) },
    "Minimum number of training rows in a leaf.",
)
.unit("rows");

const N_TREES: ParamSpec =
    ParamSpec::new("n_trees", "Trees", ParamKind::Int { min: 1, max: 2_000, default: Some(100) }, "Number of trees.");

const MAX_DEPTH: ParamSpec = ParamSpec::new(
    "max_depth",
    "Maximum depth",
    ParamKind::Int { min: 1, max: 64, default: None },
    "Maximum depth of a tree; null means no limit.",
);

const MAX_FEATURES: ParamKind =
    ParamKind::Choice { options: &["auto", "sqrt", "log2", "third", "half", "all"], default: "auto" };

/// The parameter with the weights of the classes.
pub const CLASS_WEIGHT: &str = "class_weight";

const WEIGHTS: ParamSpec = ParamSpec::new(
    CLASS_WEIGHT,
    "Class weights",
    ParamKind::Choice { options: &["none", "balanced"], default: "none" },
    "balanced weighs classes inversely to their frequency.",
)
.only(TaskKind::Classification);

pub(super) const RANDOM_FOREST: &[ParamSpec] = &[
    N_TREES,
    MAX_DEPTH,
    ParamSpec::new(
        "min_samples_leaf",
        "Minimum leaf size",
        ParamKind::Int { min: 1, max: 10_000, default: None },
        "Minimum number of training rows in a leaf; null means 1 for classification and 2 for regression.",
    )
    .unit("rows"),
    ParamSpec::new(
        "max_features",
        "Features per split",
        MAX_FEATURES,
        "Number of features considered at each split; auto means sqrt for classification and half for regression.",
    ),
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
    ParamSpec::new(
        "min_samples_leaf",
        "Minimum leaf size",
        ParamKind::Int { min: 1, max: 10_000, default: None },
        "Minimum number of training rows in a leaf; null means 2 for classification and 3 for regression.",
    )
    .unit("rows"),
    ParamSpec::new(
        "max_features",
        "Features per split",
        MAX_FEATURES,
        "Number of features considered at each split, each with one random threshold; auto means sqrt for \
         classification and half for regression.",
    ),
    ParamSpec::new(
        "bootstrap",
        "Bootstrap samples",
        ParamKind::Choice { options: &["off", "on"], default: "off" },
        "on trains each tree on a bootstrap sample, which gives an out-of-bag score; off on all training rows.",
    )
    .advanced(),
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
    ParamSpec::new(
        "max_depth",
        "Maximum depth",
        ParamKind::Int { min: 1, max: 64, default: Some(8) },
        "Maximum depth of the tree; null means no limit.",
    ),
    ParamSpec::new(
        "min_samples_split",
        "Minimum split size",
        ParamKind::Int { min: 2, max: 10_000, default: Some(2) },
        "Minimum number of training rows in a node to split it.",
    )
    .advanced()
    .unit("rows"),
    MIN_SAMPLES_LEAF,
    ParamSpec::new(
        "criterion",
        "Split criterion",
        ParamKind::Choice { options: &["gini", "entropy"], default: "gini" },
        "Impurity measure of a split.",
    )
    .advanced(),
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

const ENGINE_PARAM: ParamSpec = ParamSpec::new(
    ENGINE,
    "Engine",
    ParamKind::Choice { options: &[NATIVE, LINFA], default: NATIVE },
    "Implementation; linfa is the reference that the native one is tested against.",
)
.advanced();

pub(super) const SVM: &[ParamSpec] = &[
    ENGINE_PARAM,
    ParamSpec::new(
        "c",
        "Penalty C",
        ParamKind::Float { min: 1e-4, max: 1e4, default: Some(1.0) },
        "Penalty of a margin violation; a larger value fits the training rows more closely.",
    ),
    ParamSpec::new(
        "kernel",
        "Kernel",
        ParamKind::Choice { options: &["rbf", "linear", "polynomial"], default: "rbf" },
        "Kernel function.",
    ),
    ParamSpec::new(
        "gamma",
        "Kernel coefficient",
        ParamKind::Float { min: 1e-6, max: 1e3, default: None },
        "Coefficient of the rbf and polynomial kernels; null means 1 / (features × variance).",
    )
    .when("kernel", &["rbf", "polynomial"]),
    ParamSpec::new(
        "degree",
        "Polynomial degree",
        ParamKind::Int { min: 2, max: 5, default: Some(3) },
        "Degree of the polynomial kernel.",
    )
    .when("kernel", &["polynomial"]),
    WEIGHTS,
    ParamSpec::new(
        "epsilon",
        "Epsilon",
        ParamKind::Float { min: 0.0, max: 10.0, default: Some(0.1) },
        "Regression: errors up to this many standard deviations of the target cost nothing.",
    )
    .only(TaskKind::Regression),
    ParamSpec::new(
        "tolerance",
        "Stopping tolerance",
        ParamKind::Float { min: 1e-6, max: 0.1, default: Some(1e-3) },
        "Stopping tolerance of the optimizer.",
    )
    .advanced(),
    ParamSpec::new(
        "max_iterations",
        "Maximum iterations",
        ParamKind::Int { min: 1, max: 1_000_000_000, default: None },
        "Maximum number of steps of the optimizer; null means 10 million, or 100 per row if that is more.",
    )
    .advanced(),
    ParamSpec::new(
        "cache_mb",
        "Kernel cache",
        ParamKind::Int { min: 1, max: 100_000, default: Some(200) },
        "Size of the kernel cache in megabytes; it changes the training time, not the model.",
    )
    .advanced()
    .unit("MB"),
    TEST_SIZE,
    CROSS_VALIDATION,
    CURVE,
    PERMUTATIONS,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
];

const ALPHA: ParamSpec = ParamSpec::new(
    "alpha",
    "L2 penalty",
    ParamKind::Float { min: 0.0, max: 1e4, default: Some(1.0) },
    "Strength of the L2 penalty.",
);

pub(super) const LOGISTIC_REGRESSION: &[ParamSpec] = &[
    ENGINE_PARAM,
    ALPHA,
    WEIGHTS,
    ParamSpec::new(
        "tolerance",
        "Stopping tolerance",
        ParamKind::Float { min: 1e-10, max: 0.1, default: Some(1e-6) },
        "Training ends when no component of the mean gradient is larger.",
    )
    .advanced(),
    ParamSpec::new(
        "max_iterations",
        "Maximum iterations",
        ParamKind::Int { min: 1, max: 10_000, default: Some(200) },
        "Maximum number of iterations of the optimizer.",
    )
    .advanced(),
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
    ParamSpec::new(
        BUDGET_S,
        "Time budget",
        ParamKind::Float { min: 1.0, max: 86_400.0, default: Some(60.0) },
        "Time budget of the run in seconds: for the search, and for training the chosen models again.",
    )
    .unit("s"),
    ParamSpec::new(
        "max_trials",
        "Maximum trials",
        ParamKind::Int { min: 1, max: 10_000, default: None },
        "The search ends after this many finished trials; with enough budget the model then does not depend \
         on the speed of the machine. null means no limit.",
    )
    .advanced(),
    ParamSpec::new(
        SKIP_TRIALS,
        "Skipped trials",
        ParamKind::Numbers { max: 1_000_000, entries: MAX_SKIPPED_TRIALS },
        "Trials that the search leaves out. metrics.search.skip_trials of an earlier search lists those that \
         did not fit into its budget; with max_trials the list repeats that search.",
    )
    .advanced(),
    ParamSpec::new(
        "max_predict_us",
        "Longest prediction of a row",
        ParamKind::Float { min: 0.1, max: 1e6, default: None },
        "Limit of the predicted time of a prediction for one row, in microseconds: models that would exceed \
         it are not chosen. null means no limit.",
    )
    .unit("µs"),
    ParamSpec::new(
        "ensemble",
        "Ensemble",
        ParamKind::Choice { options: &["on", "off"], default: "on" },
        "on combines several models; off chooses the best single model.",
    ),
    TEST_SIZE,
    CALIBRATED,
    TUNED_THRESHOLD,
    COST_OF_FALSE_POSITIVE,
    COST_OF_FALSE_NEGATIVE,
    WANTED_PRECISION,
    PERMUTATIONS,
];
