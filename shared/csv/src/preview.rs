//! The preview of a CSV: its first rows.

use std::io::Read;

use super::fields::{Fields, Next};
use super::{CsvError, ProfileLimits, header};
use crate::tokens;

/// Maximum length of a cell, in characters.
const MAX_CELL_CHARS: usize = 1_000;
/// Maximum size of the preview, in bytes; wide files have fewer rows.
const MAX_BYTES: usize = 4 << 20;

/// A row of the preview; `None` is a missing value.
pub type PreviewRow = Vec<Option<String>>;

/// Returns the column names and up to `rows` rows. Long cells are truncated with an ellipsis.
///
/// # Errors
/// See [`super::profile`], for the rows that are read.
pub fn preview(reader: impl Read, rows: usize) -> Result<(Vec<String>, Vec<PreviewRow>), CsvError> {
    let limits = ProfileLimits::default();
    let mut fields = Fields::new(reader, limits.max_field_bytes);
    let names = header::read(&mut fields, &limits)?;
    let mut table = Vec::new();
    let mut bytes = 0;
    while table.len() < rows && bytes < MAX_BYTES {
        let number = table.len() as u64 + 1;
        let Some(row) = read_row(&mut fields, &names, number)? else { break };
        bytes += row.iter().flatten().map(String::len).sum::<usize>();
        table.push(row);
    }
    Ok((names, table))
}

fn read_row<R: Read>(fields: &mut Fields<R>, names: &[String], number: u64) -> Result<Option<PreviewRow>, CsvError> {
    let mut row = Vec::new();
    let ragged = |found| CsvError::new(Some(number), None, format!("expected {} fields, found {found}", names.len()));
    loop {
        let column = names.get(row.len()).map(|name| format!("'{name}'"));
        match fields.next() {
            Err(error) => return Err(error.at(Some(number), column)),
            Ok(Next::End) => return Ok(None),
            Ok(Next::Field { .. }) if row.len() == names.len() => return Err(ragged("more")),
            Ok(Next::Field { text, last }) => {
                row.push(tokens::present(text).map(shorten));
                if last && row.len() < names.len() {
                    return Err(ragged(&row.len().to_string()));
                }
                if last {
                    return Ok(Some(row));
                }
            }
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
