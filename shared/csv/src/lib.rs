//! The content of a CSV file: columns, types and warnings.
//!
//! One pass in bounded memory: every field, header and list of distinct values has a limit. The caller handles
//! decompression and the maximum file size.

mod column;
mod dictionary;
mod digest;
mod fields;
mod header;
mod preview;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::io::Read;

use trainyard_domain::ColumnProfile;

use self::column::Column;
use self::fields::{Fields, Next};

pub use self::preview::{PreviewRow, preview};

/// Limits for reading a CSV.
#[derive(Debug, Clone)]
pub struct ProfileLimits {
    /// Maximum number of columns.
    pub max_columns: usize,
    /// Maximum number of data rows.
    pub max_rows: u64,
    /// Maximum size of a field, in bytes.
    pub max_field_bytes: usize,
    /// Maximum size of the header line, in bytes.
    pub max_header_bytes: u64,
    /// Maximum number of distinct values that are counted per column. Above it `distinct` is a lower bound.
    pub max_distinct: usize,
    /// Maximum number of distinct values over all columns, divided equally among the columns.
    pub max_distinct_total: usize,
}

impl Default for ProfileLimits {
    fn default() -> Self {
        Self {
            max_columns: 10_000,
            max_rows: 100_000_000,
            max_field_bytes: 64 << 10,
            max_header_bytes: 1 << 20,
            max_distinct: 10_000,
            max_distinct_total: 500_000,
        }
    }
}

/// The profile of a CSV.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Number of data rows, without the header.
    pub rows: u64,
    /// Number of bytes read.
    pub bytes: u64,
    /// The column profiles, in file order.
    pub columns: Vec<ColumnProfile>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// Why a CSV is refused.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CsvError {
    /// The data row, counted from 1; `None` for the header or the whole file.
    pub row: Option<u64>,
    /// The column's name, or `#<position>` counted from 1 if it has no name.
    pub column: Option<String>,
    /// The message for the user, with row and column.
    pub message: String,
    /// The read error, if the source failed.
    #[source]
    pub source: Option<std::io::Error>,
}

impl CsvError {
    pub(crate) fn new(row: Option<u64>, column: Option<String>, reason: impl std::fmt::Display) -> Self {
        let location = match (row, &column) {
            (None, None) => String::new(),
            (None, Some(column)) => format!("header, column {column}: "),
            (Some(row), None) => format!("row {row}: "),
            (Some(row), Some(column)) => format!("row {row}, column {column}: "),
        };
        Self { row, column, message: format!("{location}{reason}"), source: None }
    }

    fn file(reason: impl std::fmt::Display) -> Self {
        Self::new(None, None, reason)
    }
}

/// Maximum number of warnings that are listed.
const MAX_WARNINGS: usize = 100;

/// Profiles every column of a CSV.
///
/// # Errors
/// A file that is empty, binary, not UTF-8 or above a limit; an empty, duplicate or too long column name; a row with
/// another number of fields than the header; an unclosed quote; a failed read.
pub fn profile(reader: impl Read, limits: &ProfileLimits) -> Result<Profile, CsvError> {
    let mut fields = Fields::new(reader, limits.max_field_bytes);
    let names = header::read(&mut fields, limits)?;
    let share = (limits.max_distinct_total / names.len()).clamp(1, limits.max_distinct);
    let mut columns: Vec<_> = names.into_iter().map(|name| Column::new(name, share)).collect();
    let rows = read_rows(&mut fields, &mut columns, limits.max_rows)?;
    if rows == 0 {
        return Err(CsvError::file("the file has a header but no data rows"));
    }
    let (mut profiles, mut warnings) = (Vec::with_capacity(columns.len()), Vec::new());
    for column in columns {
        let (profile, column_warnings) = column.finish(rows);
        profiles.push(profile);
        warnings.extend(column_warnings);
    }
    if warnings.len() > MAX_WARNINGS {
        let more = warnings.len() - MAX_WARNINGS;
        warnings.truncate(MAX_WARNINGS);
        warnings.push(format!("{more} more warnings are not listed"));
    }
    Ok(Profile { rows, bytes: fields.bytes(), columns: profiles, warnings })
}

fn read_rows<R: Read>(fields: &mut Fields<R>, columns: &mut [Column], max_rows: u64) -> Result<u64, CsvError> {
    let width = columns.len();
    let (mut rows, mut at) = (0_u64, 0_usize);
    loop {
        let row = rows + 1;
        let location = |columns: &[Column]| columns.get(at).map(|column| format!("'{}'", column.name()));
        match fields.next() {
            Err(error) => return Err(error.at(Some(row), location(columns))),
            Ok(Next::End) => return Ok(rows),
            Ok(Next::Field { text, last }) => {
                if row > max_rows {
                    return Err(CsvError::file(format!("the file has more than {max_rows} data rows")));
                }
                let Some(column) = columns.get_mut(at) else {
                    return Err(CsvError::new(Some(row), None, format!("expected {width} fields, found more")));
                };
                column.push(text, row);
                at += 1;
                if last {
                    if at < width {
                        return Err(CsvError::new(Some(row), None, format!("expected {width} fields, found {at}")));
                    }
                    (rows, at) = (row, 0);
                }
            }
        }
    }
}
