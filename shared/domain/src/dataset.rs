//! Data sets: their names, versions and column profiles.

mod index;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use index::IndexedDataset;
#[cfg(test)]
pub(crate) use index::visits;

use crate::ids::{DatasetId, UserId};
use crate::model::parse_name;

/// A data set's name: `[a-z0-9][a-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatasetName(String);

impl DatasetName {
    /// Parses a name.
    ///
    /// # Errors
    /// A sentence for the client.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        parse_name(text).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a column's values read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Numbers, finite.
    Number,
    /// 0/1, true/false, yes/no.
    Boolean,
    /// Few distinct texts.
    Category,
    /// Many distinct texts, such as names: of no use as a feature, and left out of `*`.
    Text,
    /// No value at all in any row.
    Empty,
}

/// What an upload learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The header's name.
    pub name: String,
    /// How the values read.
    pub dtype: Dtype,
    /// Rows without a value.
    pub missing: u64,
    /// Distinct values, missing not counted; exact up to the profiler's cap, a lower bound past it.
    pub distinct: u64,
    /// Smallest number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min: Option<f64>,
    /// Largest number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// The most frequent values with their counts, most frequent first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top: Option<Vec<(String, u64)>>,
    /// SHA-256 (hex) over the column's values in row order: two columns with the same digest are equal.
    pub values_sha256: String,
    /// The same over each value's order of first appearance: equal when one column only renames the other's values.
    pub partition_sha256: String,
}

/// One version of a data set.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// Its name.
    pub name: DatasetName,
    /// Counts up from 1 with each upload of the name.
    pub version: i64,
    /// Data rows, the header not counted.
    pub rows: i64,
    /// Size of the CSV in bytes, uncompressed.
    pub bytes: i64,
    /// A profile per column, in file order.
    pub columns: Vec<ColumnProfile>,
    /// SHA-256 of the CSV, hexadecimal.
    pub sha256: String,
    /// Where the CSV lies in the object store.
    pub storage_key: String,
    /// What a person should know before training on it.
    pub warnings: Vec<String>,
    /// Who uploaded it; `None` for a built-in one.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: DateTime<Utc>,
}
