//! The rows of a stored table, by its schema.

use std::io::Read;

use trainyard_domain::{Header, TableSchema};

use crate::encoding::Text;
use crate::records::Records;
use crate::split::{Batch, Span};
use crate::{CsvError, Limits};

/// Reads the rows of a stored table one after the other.
pub struct Rows<R> {
    records: Records<R>,
    names: Vec<String>,
    batch: Batch,
    /// The next row of the batch.
    next: usize,
}

/// One row: the decoded, untrimmed text of every column of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    batch: &'a Batch,
    fields: &'a [Span],
}

impl<'a> Record<'a> {
    /// The text of column `at` of the schema; empty where the row ends early.
    pub fn get(&self, at: usize) -> &'a str {
        self.fields.get(at).map_or("", |span| self.batch.field(*span))
    }
}

impl<R: Read> Rows<R> {
    /// Opens a table and skips everything before its first data row.
    ///
    /// # Errors
    /// A failed read, or bytes that do not match the schema.
    pub fn open(reader: R, schema: &TableSchema) -> Result<Self, CsvError> {
        let mut records = Records::new(Text::reopen(reader, &schema.format.encoding)?, &Limits::stored())?;
        records.start(schema.format.delimiter.byte(), schema.format.skipped_lines);
        if schema.format.header == Header::Present {
            records.header()?;
        }
        let names = schema.columns.iter().map(|column| column.name.clone()).collect();
        Ok(Self { records, names, batch: Batch::default(), next: 0 })
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// A failed read, or a row that does not match the schema.
    #[allow(clippy::should_implement_trait, reason = "the row borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, CsvError> {
        if self.next == self.batch.rows() {
            self.next = 0;
            if self.names.is_empty() || !self.records.next_batch(&mut self.batch, &self.names)? {
                return Ok(None);
            }
        }
        let width = self.names.len();
        let fields = &self.batch.fields[self.next * width..(self.next + 1) * width];
        self.next += 1;
        Ok(Some(Record { batch: &self.batch, fields }))
    }
}
