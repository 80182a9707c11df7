//! The content of a CSV file: columns, types and warnings.
//!
//! One pass in bounded memory: every field, header and list of distinct values has a limit. The caller handles
//! decompression and the maximum file size.

pub mod cell;
mod column;
mod dictionary;
mod digest;
mod error;
mod fields;
mod header;
mod options;
mod preview;
mod rows;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::io::Read;

use trainyard_domain::{ColumnProfile, TableFormat, TableSchema, TaskKind};

use self::column::Column;
use self::fields::{Fields, Next};

pub use self::error::CsvError;
pub use self::options::{Limits, ReadOptions};
pub use self::preview::{PreviewRow, preview};
pub use self::rows::{Record, Rows};

/// The profile of a CSV.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// How bytes become rows and fields.
    pub format: TableFormat,
    /// Number of data rows, without the header.
    pub rows: u64,
    /// Number of bytes read.
    pub bytes: u64,
    /// The column profiles, in file order.
    pub columns: Vec<ColumnProfile>,
    /// Number of rows that repeat an earlier row; a lower bound if a warning says so.
    pub duplicate_rows: u64,
    /// The column that is most likely the target.
    pub suggested_target: Option<String>,
    /// The task for the suggested target.
    pub suggested_task: Option<TaskKind>,
    /// All warnings for the user: about the table, then about its columns. Each column has its own in addition.
    pub warnings: Vec<String>,
}

impl Profile {
    /// What is needed to read the file again.
    pub fn schema(&self) -> TableSchema {
        TableSchema { format: self.format.clone(), columns: self.columns.iter().map(ColumnProfile::schema).collect() }
    }
}

/// Maximum number of warnings that are listed.
const MAX_WARNINGS: usize = 100;

/// Profiles every column of a CSV.
///
/// # Errors
/// A file that is empty, binary, not UTF-8 or above a limit; an empty, duplicate or too long column name; a row with
/// another number of fields than the header; an unclosed quote; a failed read.
pub fn profile(reader: impl Read, options: &ReadOptions, limits: &Limits) -> Result<Profile, CsvError> {
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
    let format = TableFormat {
        delimiter: options.delimiter.unwrap_or_default(),
        decimal: options.decimal.unwrap_or_default(),
        encoding: "utf-8".into(),
        header: options.header.unwrap_or_default(),
        missing: options.missing.clone(),
        skipped_lines: 0,
    };
    let bytes = fields.bytes();
    Ok(Profile {
        format,
        rows,
        bytes,
        columns: profiles,
        duplicate_rows: 0,
        suggested_target: None,
        suggested_task: None,
        warnings,
    })
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
