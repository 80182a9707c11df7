//! The preview of a table: its first rows.

use std::io::Read;

use trainyard_domain::TableSchema;

use crate::CsvError;
use crate::cell::{Cell, Reader, trimmed};
use crate::rows::Rows;

/// Maximum length of a cell, in characters.
const MAX_CELL_CHARS: usize = 1_000;
/// Maximum size of the preview, in bytes; wide files have fewer rows.
const MAX_BYTES: usize = 4 << 20;

/// A row of the preview; `None` is a missing value.
pub type PreviewRow = Vec<Option<String>>;

/// Returns up to `rows` rows, with the cells as they are written. Long cells are truncated with an ellipsis.
///
/// # Errors
/// See [`super::profile`], for the rows that are read.
pub fn preview(reader: impl Read, schema: &TableSchema, rows: usize) -> Result<Vec<PreviewRow>, CsvError> {
    let readers: Vec<_> = schema.columns.iter().map(|column| Reader::new(&schema.format, column)).collect();
    let mut records = Rows::open(reader, schema)?;
    let mut table: Vec<PreviewRow> = Vec::new();
    let mut bytes = 0;
    while table.len() < rows && bytes < MAX_BYTES {
        let Some(record) = records.next()? else { break };
        let cells = readers.iter().enumerate().map(|(at, reader)| {
            let text = record.get(at);
            (reader.read(text) != Cell::Missing).then(|| shorten(trimmed(text)))
        });
        let row: PreviewRow = cells.collect();
        bytes += row.iter().flatten().map(String::len).sum::<usize>();
        table.push(row);
    }
    Ok(table)
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
