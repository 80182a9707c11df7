//! The distribution of a feature or of the predictions: bins, with the number of rows in each. Monitoring compares the
//! rows that a model has predicted recently with the distributions of its training.

use serde::{Deserialize, Serialize};

/// Number of quantile bins of numbers and dates.
pub const QUANTILE_BINS: usize = 10;
/// Maximum number of categories and of classes with their own bin. The others share a bin.
pub const MAX_TOP: usize = 20;
/// Maximum number of bins: those of the categories, of the other categories, and of missing values.
pub const MAX_BINS: usize = MAX_TOP + 2;

/// The distributions of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distributions {
    /// The distribution of each feature in the training part.
    pub features: Vec<Distribution>,
    /// The distribution of the predictions for the held-out part. The predictions for the training part would be too
    /// similar to the actual targets, and the actual targets have another distribution than the predictions.
    pub predictions: Distribution,
}

/// A distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The bins.
    pub bins: Bins,
    /// Number of rows in each of the [`Bins::count`] bins.
    pub rows: Vec<u64>,
}

/// How values are assigned to bins. The last bin is that of missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Bins {
    /// Numbers, or dates in seconds since 1970.
    Numbers {
        /// The ascending upper edges of all bins except the last. An edge belongs to the bin below it.
        edges: Vec<f64>,
    },
    /// The bins of `false` and `true`.
    Booleans,
    /// A bin for each of the most frequent categories or classes, and a bin for the others.
    Codes {
        /// The codes with their own bin, in the order of the bins.
        top: Vec<u32>,
    },
}

impl Bins {
    /// Number of bins, with that of missing values.
    pub fn count(&self) -> usize {
        match self {
            Self::Numbers { edges } => edges.len() + 2,
            Self::Booleans => 3,
            Self::Codes { top } => top.len() + 2,
        }
    }
}

impl Distribution {
    /// Number of rows without a value.
    pub fn missing(&self) -> u64 {
        self.rows.last().copied().unwrap_or(0)
    }
}
