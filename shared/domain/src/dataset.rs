//! Datasets: names, versions and column profiles.

mod index;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use index::IndexedDataset;
#[cfg(test)]
pub(crate) use index::profile_reads;

use crate::ids::{DatasetId, UserId};
use crate::model::parse_name;

/// A dataset's name: `[a-z0-9][a-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatasetName(String);

impl DatasetName {
    /// Parses a name; the error is a message for the client.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        parse_name(text).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The type of a column, inferred from its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Finite numbers.
    Number,
    /// 0/1, true/false, yes/no.
    Boolean,
    /// Text with few distinct values.
    Category,
    /// Text with many distinct values, such as names. Cannot be a feature; `*` excludes it.
    Text,
    /// No row has a value.
    Empty,
}

/// The profile of one column, computed at the upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The column's name in the header.
    pub name: String,
    /// The inferred type.
    pub dtype: Dtype,
    /// Rows without a value.
    pub missing: u64,
    /// Distinct values without missing ones: exact up to the profiler's limit, a lower bound above it.
    pub distinct: u64,
    /// Minimum, for numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min: Option<f64>,
    /// Maximum, for numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// The most frequent values with their counts, in descending order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top: Option<Vec<(String, u64)>>,
    /// SHA-256 (hex) of the values in row order. Columns with the same digest are equal.
    pub values_sha256: String,
    /// SHA-256 (hex) of the values, each replaced by its order of first appearance. Columns with the same digest differ
    /// only in the names of their values.
    pub partition_sha256: String,
}

/// One version of a dataset.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// Its name.
    pub name: DatasetName,
    /// Starts at 1 and increases with each upload under the name.
    pub version: i64,
    /// Number of rows without the header.
    pub rows: i64,
    /// Size of the uncompressed CSV in bytes.
    pub bytes: i64,
    /// One profile for each column, in file order.
    pub columns: Vec<ColumnProfile>,
    /// SHA-256 of the CSV, hexadecimal.
    pub sha256: String,
    /// The CSV's key in the object store.
    pub storage_key: String,
    /// Warnings about the data, for people.
    pub warnings: Vec<String>,
    /// The account that uploaded it; `None` for a built-in dataset.
    pub created_by: Option<UserId>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
}
