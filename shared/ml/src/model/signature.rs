//! The signature of a model: features and target, with statistics of the training part.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use trainyard_domain::table::CellReading;

use super::dates::DatePart;
use super::{Categories, Scaling, Task};

/// The signature of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// The features, in the order of a raw row.
    pub features: Vec<Feature>,
    /// The target column.
    pub target: String,
    /// The task.
    pub task: Task,
    /// Features of the job that training dropped. Requests may contain them; their values are not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Texts that mean a missing value, besides the empty text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
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
    /// How texts are read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reading: CellReading,
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
        /// From the number to its raw value.
        #[serde(default, skip_serializing_if = "is_default")]
        scaling: Scaling,
    },
    /// A boolean.
    Boolean {
        /// The most frequent value of the training part.
        mode: bool,
    },
    /// One of a list of strings.
    Category {
        /// The position of a category is its code.
        categories: Categories,
        /// Code of the most frequent category of the training part.
        mode: usize,
        /// Whether the code after the last category stands for all other categories, because there were too many.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        grouped: bool,
        /// Orders of the codes by the mean target, for trees: one `rank <= threshold` split is as good as any split into
        /// two sets of categories (Fisher 1958; Breiman et al. 1984, section 4.2). Each tree of a forest uses one order.
        /// Without an order the raw value is the code.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        orders: Vec<CategoryOrder>,
        /// Target statistics of the codes, for gradient boosting. With statistics there are no orders.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        statistics: Vec<CategoryStatistic>,
    },
    /// A date.
    Datetime {
        /// Minimum of the training part, in seconds since 1970.
        min: f64,
        /// Maximum of the training part, in seconds since 1970.
        max: f64,
        /// The parts that vary in the training part; at least one.
        parts: Vec<DatePart>,
    },
}

/// An order of the codes of a category. Codes without a rank, and categories that did not occur in training, have the raw
/// value NaN, whose side each node of a tree has learned. No place in the order is right for them: one at the overall
/// mean is always on the same side of a split there, whatever the sizes of both sides are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryOrder {
    /// The rank of each code; `None` if the rows of the order do not contain it.
    pub ranks: Vec<Option<u32>>,
    /// The rank of a missing value, as if it were a category: missing values can predict the target, and must not decide
    /// for unseen categories. `None` if the rows of the order have none.
    pub missing: Option<u32>,
}

/// The mean target per code, shrunk towards the mean of all rows (Micci-Barreca 2001; Prokhorenkova et al. 2018). A missing
/// value has the raw value NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryStatistic {
    /// The value of each code.
    pub values: Vec<f64>,
    /// The value of a category that did not occur in training: the mean of all rows.
    pub unseen: f64,
}

impl FeatureKind {
    /// Number of raw values: one per order or statistic of a category, one per part of a date, else one.
    pub fn width(&self) -> usize {
        match self {
            Self::Number { .. } | Self::Boolean { .. } => 1,
            Self::Category { orders, statistics, .. } => orders.len().max(statistics.len()).max(1),
            Self::Datetime { parts, .. } => parts.len(),
        }
    }

    /// Whether the feature is a category.
    pub fn is_category(&self) -> bool {
        matches!(self, Self::Category { .. })
    }

    /// Number of codes of a category, with the group of the other categories; 0 for other types.
    pub fn codes(&self) -> usize {
        match self {
            Self::Category { categories, grouped, .. } => categories.len() + usize::from(*grouped),
            _ => 0,
        }
    }
}

impl Signature {
    /// The index of the feature `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }

    /// Number of raw values of a row.
    pub fn width(&self) -> usize {
        self.features.iter().map(|feature| feature.kind.width()).sum()
    }

    /// The raw values of each feature, as ranges of a raw row.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        ranges(&self.features)
    }
}

/// The raw values of each feature, as ranges of a raw row.
pub fn ranges(features: &[Feature]) -> Vec<Range<usize>> {
    let mut end = 0;
    let of = |feature: &Feature| {
        let start = end;
        end += feature.kind.width();
        start..end
    };
    features.iter().map(of).collect()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
