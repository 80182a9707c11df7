//! Datasets: names, versions and column profiles.

mod index;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use index::IndexedDataset;
#[cfg(test)]
pub(crate) use index::profile_reads;

use crate::ids::{DatasetId, UserId};
use crate::model::parse_name;
use crate::table::{CellReading, ColumnSchema};

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
    /// A date, with or without a time.
    Datetime,
    /// Text with many distinct values, such as names, or no value at all. Cannot be a feature; `*` excludes it.
    #[serde(alias = "empty")]
    Text,
}

/// The profile of one column, computed at the upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The column's name in the header.
    pub name: String,
    /// The type, inferred or set at the upload.
    pub dtype: Dtype,
    /// How the cells are read.
    #[serde(default)]
    pub reading: CellReading,
    /// Whether the column only names or numbers the rows, as R writes it. `*` excludes it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub row_names: bool,
    /// Rows without a value.
    pub missing: u64,
    /// Distinct values without missing ones: exact up to the profiler's limit, a lower bound above it.
    pub distinct: u64,
    /// Minimum, for numbers; for dates in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min: Option<f64>,
    /// Maximum, for numbers; for dates in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// Number of values in each of ten intervals of equal width from the minimum to the maximum, for numbers and dates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<Vec<u64>>,
    /// The most frequent values with their counts, in descending order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top: Option<Vec<(String, u64)>>,
    /// Warnings about the column, for people.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// A digest of the values in row order. Columns with the same digest are equal.
    #[serde(alias = "values_sha256")]
    pub values_digest: String,
    /// A digest of the rows grouped by equal values. Columns with the same digest differ only in the names of their
    /// values.
    #[serde(alias = "partition_sha256")]
    pub partition_digest: String,
}

impl ColumnProfile {
    /// What is needed to read the column again.
    pub fn schema(&self) -> ColumnSchema {
        ColumnSchema { name: self.name.clone(), dtype: self.dtype, reading: self.reading.clone() }
    }
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
