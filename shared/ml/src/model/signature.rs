//! The signature of a model: features and target, with statistics of the training part.

use serde::{Deserialize, Serialize};

use super::{Categories, Task};

/// The signature of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// The features, in the order of a raw row.
    pub features: Vec<Feature>,
    /// The target column.
    pub target: String,
    /// The task.
    pub task: Task,
}

/// A feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// The type, with statistics.
    pub kind: FeatureKind,
    /// Number of training rows without a value.
    pub missing_in_training: u64,
}

/// The type of a feature, with statistics of the training part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FeatureKind {
    /// A finite number.
    Number {
        /// Median of the training part.
        median: f64,
        /// Minimum of the training part.
        min: f64,
        /// Maximum of the training part.
        max: f64,
    },
    /// A boolean.
    Boolean {
        /// The most frequent value of the training part.
        mode: bool,
    },
    /// One of a list of strings.
    Category {
        /// The position of a category is its code. Training sorts categories by the mean target (binary: the share of
        /// positives), so that `code <= threshold` splits are as good as subset splits (Fisher 1958; Breiman et al.
        /// 1984, section 4.2).
        categories: Categories,
        /// Code of the most frequent category of the training part.
        mode: usize,
    },
}

impl Signature {
    /// The index of the feature `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }
}
