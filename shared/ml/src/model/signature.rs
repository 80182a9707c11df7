//! What a model takes: its features in order, with what training learned of each.

use serde::{Deserialize, Serialize};

use super::{Categories, Task};

/// What a model takes and gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// The features; their order is the order of a raw row.
    pub features: Vec<Feature>,
    /// The column that is predicted.
    pub target: String,
    /// What kind of answer it gives.
    pub task: Task,
}

/// One feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// How its values read.
    pub kind: FeatureKind,
    /// Training rows in which it had no value.
    pub missing_in_training: u64,
}

/// How a feature's values read, with what training learned of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FeatureKind {
    /// A finite number.
    Number {
        /// Median of the training part's values.
        median: f64,
        /// Smallest value in the training part.
        min: f64,
        /// Largest value in the training part.
        max: f64,
    },
    /// True or false.
    Boolean {
        /// The more frequent value in the training part.
        mode: bool,
    },
    /// One of a list of texts.
    Category {
        /// Position is the code. Training orders them by the mean target (binary: the share of positives), which makes
        /// `code <= threshold` splits as good as subset splits (Fisher 1958; Breiman et al. 1984, section 4.2).
        categories: Categories,
        /// Code of the most frequent category in the training part.
        mode: usize,
    },
}

impl Signature {
    /// The position of the feature called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }
}
