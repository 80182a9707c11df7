//! What an uploaded CSV holds: its columns, how their values read, and what is wrong with it.
//!
//! One pass over a reader in bounded memory, whatever the file does: a field without an end, a header line of a million
//! columns and a column of a million values are all given up on, or counted no further, at a limit. Decompression and
//! the size of the whole are the caller's business.

mod column;
mod dictionary;
mod digest;
mod fields;
mod header;
mod preview;
#[cfg(test)]
mod tests;

use std::io::Read;

use trainyard_domain::ColumnProfile;

use self::column::Column;
use self::fields::{Fields, Next};

pub use self::preview::{PreviewRow, preview};

/// Bounds on what is read and kept.
#[derive(Debug, Clone)]
pub struct ProfileLimits {
    /// Most columns.
    pub max_columns: usize,
    /// Most data rows.
    pub max_rows: u64,
    /// Largest field, in bytes.
    pub max_field_bytes: usize,
    /// Largest header line, in bytes.
    pub max_header_bytes: u64,
    /// Most distinct values that are counted in one column; past it `distinct` is a lower bound.
    pub max_distinct: usize,
    /// Most distinct values that are kept over all columns; wide files get a smaller share for each.
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

/// What a CSV holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Data rows, the header not counted.
    pub rows: u64,
    /// Bytes read.
    pub bytes: u64,
    /// One profile per column, in file order.
    pub columns: Vec<ColumnProfile>,
    /// What a person should know before training on it.
    pub warnings: Vec<String>,
}

/// Why a CSV is refused.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CsvError {
    /// The data row, counted from 1; `None` for the header and for the file as a whole.
    pub row: Option<u64>,
    /// The column's name, or `#<position>` counted from 1 where it has none.
    pub column: Option<String>,
    /// A sentence fit for the person who sent the file; it names row and column too.
    pub message: String,
    /// The failed read, where that was the reason: not the file's fault.
    #[source]
    pub source: Option<std::io::Error>,
}

impl CsvError {
    pub(crate) fn new(row: Option<u64>, column: Option<String>, what: impl std::fmt::Display) -> Self {
        let place = match (row, &column) {
            (None, None) => String::new(),
            (None, Some(column)) => format!("header, column {column}: "),
            (Some(row), None) => format!("row {row}: "),
            (Some(row), Some(column)) => format!("row {row}, column {column}: "),
        };
        Self { row, column, message: format!("{place}{what}"), source: None }
    }

    fn file(what: impl std::fmt::Display) -> Self {
        Self::new(None, None, what)
    }
}

/// Most warnings that are listed.
const MAX_WARNINGS: usize = 100;

/// Reads a CSV to its end and profiles every column.
///
/// # Errors
/// A file that is empty, has no data rows, is binary or no UTF-8, has an empty, repeated or overlong column name, a row
/// with more or fewer fields than the header, a quote that is never closed, or passes a limit; also a failed read.
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
        let (profile, noticed) = column.finish(rows);
        profiles.push(profile);
        warnings.extend(noticed);
    }
    if warnings.len() > MAX_WARNINGS {
        let more = warnings.len() - MAX_WARNINGS;
        warnings.truncate(MAX_WARNINGS);
        warnings.push(format!("and {more} more warnings"));
    }
    Ok(Profile { rows, bytes: fields.bytes(), columns: profiles, warnings })
}

fn read_rows<R: Read>(fields: &mut Fields<R>, columns: &mut [Column], max_rows: u64) -> Result<u64, CsvError> {
    let width = columns.len();
    let (mut rows, mut at) = (0_u64, 0_usize);
    loop {
        let row = rows + 1;
        let place = |columns: &[Column]| columns.get(at).map(|column| format!("'{}'", column.name()));
        match fields.next() {
            Err(fault) => return Err(fault.at(Some(row), place(columns))),
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
