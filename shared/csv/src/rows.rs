//! The rows of a stored table, by its schema.

use std::io::Read;

use trainyard_domain::{Header, TableSchema};

use crate::fields::{Fields, Next};
use crate::{CsvError, Limits};

/// Reads the rows of a stored table one after the other.
pub struct Rows<R> {
    fields: Fields<R>,
    names: Vec<String>,
    cells: Vec<String>,
    row: u64,
}

/// One row: the decoded, untrimmed text of every column of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    cells: &'a [String],
}

impl Record<'_> {
    /// The text of column `at` of the schema; empty where the row ends early.
    pub fn get(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", String::as_str)
    }
}

impl<R: Read> Rows<R> {
    /// Opens a table and skips everything before its first data row.
    ///
    /// # Errors
    /// A failed read, or bytes that do not match the schema.
    pub fn open(reader: R, schema: &TableSchema, limits: &Limits) -> Result<Self, CsvError> {
        let names: Vec<String> = schema.columns.iter().map(|column| column.name.clone()).collect();
        let cells = vec![String::new(); names.len()];
        let mut rows = Self { fields: Fields::new(reader, limits.max_field_bytes), names, cells, row: 0 };
        if schema.format.header == Header::Present {
            rows.next()?;
            rows.row = 0;
        }
        Ok(rows)
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// A failed read, or a row that does not match the schema.
    #[allow(clippy::should_implement_trait, reason = "the row borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, CsvError> {
        self.row += 1;
        let mut at = 0;
        self.cells.iter_mut().for_each(String::clear);
        loop {
            let column = self.names.get(at).map(|name| format!("'{name}'"));
            match self.fields.next() {
                Err(error) => return Err(error.at(Some(self.row), column)),
                Ok(Next::End) => return Ok(None),
                Ok(Next::Field { text, last }) => {
                    if let Some(cell) = self.cells.get_mut(at) {
                        cell.push_str(text);
                    }
                    at += 1;
                    if last {
                        return Ok(Some(Record { cells: &self.cells }));
                    }
                }
            }
        }
    }
}
