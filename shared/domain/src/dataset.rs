//! Datasets: names, versions and column profiles.

mod index;
mod schema;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use index::IndexedDataset;
#[cfg(test)]
pub(crate) use index::profile_reads;

use crate::ids::{DatasetId, UserId};
use crate::model::parse_name;
use crate::table::{CellReading, TableFormat, TaskKind};

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

/// The type of a column: inferred from its values, or set by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Finite numbers.
    Number,
    /// 0/1, true/false, yes/no.
    Boolean,
    /// Text with few distinct values.
    Category,
    /// Dates, with or without a time of day.
    Datetime,
    /// Text with many distinct values, such as names, or no values. Cannot be a feature; `*` excludes it.
    Text,
}

impl Dtype {
    /// Every type with its name.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Number, "number"),
        (Self::Category, "category"),
        (Self::Boolean, "boolean"),
        (Self::Datetime, "datetime"),
        (Self::Text, "text"),
    ];

    /// Parses a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(dtype, _)| *dtype)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Category => "category",
            Self::Boolean => "boolean",
            Self::Datetime => "datetime",
            Self::Text => "text",
        }
    }
}

/// The profile of one column, computed at the upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The column's unique name.
    pub name: String,
    /// The type.
    pub dtype: Dtype,
    /// How the cells are read.
    pub reading: CellReading,
    /// Whether the column only names or numbers the rows, as R writes it. `*` excludes it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub row_names: bool,
    /// Rows without a value.
    pub missing: u64,
    /// Distinct values without missing ones: exact up to the profiler's limit, a lower bound above it.
    pub distinct: u64,
    /// Minimum, for numbers and dates. A date is in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min: Option<f64>,
    /// Maximum, for numbers and dates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max: Option<f64>,
    /// Values in each of ten bins of equal width between `min` and `max`, for numbers and dates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<Vec<u64>>,
    /// The most frequent values with their counts, in descending order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top: Option<Vec<(String, u64)>>,
    /// Warnings about the column.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// Digest of the values in row order. Columns with the same digest are equal.
    pub values_digest: String,
    /// Digest of the values, each replaced by its order of first appearance. Columns with the same digest differ only in
    /// the names of their values.
    pub partition_digest: String,
}

impl ColumnProfile {
    /// A profile without statistics.
    pub fn new(name: impl Into<String>, dtype: Dtype) -> Self {
        Self {
            name: name.into(),
            dtype,
            reading: CellReading::default(),
            row_names: false,
            missing: 0,
            distinct: 0,
            min: None,
            max: None,
            histogram: None,
            top: None,
            warnings: Vec::new(),
            values_digest: String::new(),
            partition_digest: String::new(),
        }
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
    /// Size of the uncompressed file in bytes.
    pub bytes: i64,
    /// How the bytes of the file become rows and fields.
    pub format: TableFormat,
    /// One profile for each column, in file order.
    pub columns: Vec<ColumnProfile>,
    /// Rows that repeat an earlier row.
    pub duplicate_rows: i64,
    /// The column that is most likely the target.
    pub suggested_target: Option<String>,
    /// The task for the suggested target.
    pub suggested_task: Option<TaskKind>,
    /// SHA-256 of the uncompressed file, hexadecimal.
    pub sha256: String,
    /// The file's key in the object store.
    pub storage_key: String,
    /// Warnings about the data, for people.
    pub warnings: Vec<String>,
    /// The account that uploaded it; `None` for a built-in dataset.
    pub created_by: Option<UserId>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
}
