//! What the caller can set, and the limits.

use std::collections::BTreeMap;

use trainyard_domain::{DecimalMark, Delimiter, Dtype, Header};

/// How to read an upload. Everything that is not set is decided from the file; a setting always wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The character between two fields.
    pub delimiter: Option<Delimiter>,
    /// The decimal mark of all number columns.
    pub decimal: Option<DecimalMark>,
    /// A label of the WHATWG encoding standard, such as `utf-8` or `windows-1252`; or `utf-16`.
    pub encoding: Option<String>,
    /// The charset that the content type of the upload names. Used if `encoding` is not set.
    pub declared_charset: Option<String>,
    /// Whether the first row holds the column names.
    pub header: Option<Header>,
    /// Further texts that mean a missing value, in every column.
    pub missing: Vec<String>,
    /// The types of some columns, by column name.
    pub types: BTreeMap<String, Dtype>,
}

/// Limits for reading a CSV.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Maximum number of columns.
    pub max_columns: usize,
    /// Maximum number of data rows.
    pub max_rows: u64,
    /// Maximum size of a field, in bytes.
    pub max_field_bytes: usize,
    /// Maximum size of a row, in bytes.
    pub max_row_bytes: usize,
    /// Maximum size of the header line, in bytes.
    pub max_header_bytes: u64,
    /// Maximum number of distinct values that are counted per column. Above it `distinct` is a lower bound.
    pub max_distinct: usize,
    /// Maximum number of distinct values over all columns, divided equally among the columns.
    pub max_distinct_total: usize,
    /// Maximum number of different rows that are remembered to count duplicate rows.
    pub max_remembered_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_columns: 10_000,
            max_rows: 100_000_000,
            max_field_bytes: 64 << 10,
            max_row_bytes: 16 << 20,
            max_header_bytes: 1 << 20,
            max_distinct: 10_000,
            max_distinct_total: 500_000,
            max_remembered_rows: 2_000_000,
        }
    }
}

impl Limits {
    /// For a stored table, which was within the limits of its upload.
    pub(crate) fn stored() -> Self {
        Self {
            max_columns: usize::MAX,
            max_rows: u64::MAX,
            max_row_bytes: usize::MAX,
            max_header_bytes: u64::MAX,
            ..Self::default()
        }
    }
}
