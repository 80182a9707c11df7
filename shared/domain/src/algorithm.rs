//! The algorithms and their parameters. Validation, `GET /algorithms` and training use the same table.

mod parameters;

use serde::{Deserialize, Serialize};

use crate::params::ParamSpec;
use crate::spec::MAX_CLASSES;
use crate::table::TaskKind;
pub use parameters::evaluation::{
    CALIBRATION, CV, FALSE_NEGATIVE_COST, FALSE_POSITIVE_COST, LEARNING_CURVE, MIN_PRECISION, PERMUTATION_REPEATS,
    TUNE_THRESHOLD,
};
pub use parameters::{
    BUDGET_S, CLASS_WEIGHT, CLASSIFICATION_LEAF_ROWS, ENGINE, LINFA, MAX_SKIPPED_TRIALS, MONOTONE_CONSTRAINTS, NATIVE,
    RANDOMIZED_CLASSIFICATION_LEAF_ROWS, RANDOMIZED_REGRESSION_LEAF_ROWS, REGRESSION_LEAF_ROWS, SKIP_TRIALS,
};

/// A training algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Bagged histogram trees (Breiman 2001).
    RandomForest,
    /// Extremely randomized histogram trees (Geurts, Ernst and Wehenkel 2006).
    ExtraTrees,
    /// Gradient-boosted histogram trees (Friedman 2001).
    GradientBoosting,
    /// One CART tree.
    DecisionTree,
    /// Support vector machine.
    Svm,
    /// L2-regularised logistic regression.
    LogisticRegression,
    /// L2-regularised linear regression.
    Ridge,
    /// A search over the other algorithms and their parameters, and an ensemble of the best models.
    Auto,
}

impl Algorithm {
    /// Every algorithm, in the order of `GET /algorithms`.
    pub const ALL: [Self; 8] = [
        Self::RandomForest,
        Self::ExtraTrees,
        Self::GradientBoosting,
        Self::DecisionTree,
        Self::Svm,
        Self::LogisticRegression,
        Self::Ridge,
        Self::Auto,
    ];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RandomForest => "random_forest",
            Self::ExtraTrees => "extra_trees",
            Self::GradientBoosting => "gradient_boosting",
            Self::DecisionTree => "decision_tree",
            Self::Svm => "svm",
            Self::LogisticRegression => "logistic_regression",
            Self::Ridge => "ridge",
            Self::Auto => "auto",
        }
    }

    /// The algorithm with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// A sentence that helps to choose an algorithm.
    pub fn description(self) -> &'static str {
        match self {
            Self::RandomForest => {
                "Ensemble of randomized trees; a strong default for tables with numbers and categories."
            }
            Self::ExtraTrees => {
                "Ensemble of trees with random thresholds; smoother than a random forest, and fast to train."
            }
            Self::GradientBoosting => {
                "Trees that correct each other; often the most accurate on tables, with a number of rounds that fits the data."
            }
            Self::DecisionTree => "One tree; fast, and people can read its rules.",
            Self::Svm => "Support vector machine; strong on numeric tables of up to some 10,000 rows.",
            Self::LogisticRegression => "Linear model of the log-odds; a baseline that is easy to explain.",
            Self::Ridge => {
                "Linear regression with an L2 penalty; a baseline for numeric targets that is easy to explain."
            }
            Self::Auto => {
                "Tries the other algorithms and their parameters within a time budget, and combines the best models."
            }
        }
    }

    /// Whether the algorithm supports classification.
    pub fn supports_classification(self) -> bool {
        self != Self::Ridge
    }

    /// Whether the algorithm supports regression.
    pub fn supports_regression(self) -> bool {
        matches!(
            self,
            Self::RandomForest | Self::ExtraTrees | Self::GradientBoosting | Self::Svm | Self::Ridge | Self::Auto
        )
    }

    /// The task of an algorithm that supports only one.
    pub fn only_task(self) -> Option<TaskKind> {
        match (self.supports_classification(), self.supports_regression()) {
            (true, false) => Some(TaskKind::Classification),
            (false, true) => Some(TaskKind::Regression),
            _ => None,
        }
    }

    /// Maximum number of training rows, if the engine has a limit.
    pub fn max_rows(self, engine: &str) -> Option<i64> {
        match self {
            // linfa-svm keeps the dense kernel matrix: memory grows with the square of the rows.
            Self::Svm if engine == LINFA => Some(5_000),
            // linfa-trees sorts every feature at every node.
            Self::DecisionTree => Some(50_000),
            Self::RandomForest
            | Self::ExtraTrees
            | Self::GradientBoosting
            | Self::Svm
            | Self::LogisticRegression
            | Self::Ridge
            | Self::Auto => None,
        }
    }

    /// Maximum number of classes.
    pub fn max_classes(self) -> u64 {
        match self {
            // Every pair of classes has a classifier of its own.
            Self::Svm => 100,
            // A round has a tree per class.
            Self::GradientBoosting => 100,
            // The search leaves out algorithms with a lower limit.
            Self::RandomForest
            | Self::ExtraTrees
            | Self::DecisionTree
            | Self::LogisticRegression
            | Self::Ridge
            | Self::Auto => MAX_CLASSES,
        }
    }

    /// The parameters of the algorithm.
    pub fn params(self) -> &'static [ParamSpec] {
        match self {
            Self::RandomForest => parameters::RANDOM_FOREST,
            Self::ExtraTrees => parameters::EXTRA_TREES,
            Self::GradientBoosting => parameters::GRADIENT_BOOSTING,
            Self::DecisionTree => parameters::DECISION_TREE,
            Self::Svm => parameters::SVM,
            Self::LogisticRegression => parameters::LOGISTIC_REGRESSION,
            Self::Ridge => parameters::RIDGE,
            Self::Auto => parameters::AUTO,
        }
    }
}
