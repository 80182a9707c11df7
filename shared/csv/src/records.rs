//! The rows of a file in batches: decoded, split, and with the same number of fields each.

use std::io::Read;
use std::ops::Range;

use crate::encoding::Text;
use crate::split::{Batch, Progress, Sink, Span, split};
use crate::{CsvError, Limits, hash};

/// Bytes of text that the format is decided from.
pub(crate) const SAMPLE_BYTES: usize = 64 << 10;
/// Bytes of text in a batch. Its fields fit into the cache of a core.
const BATCH_BYTES: usize = 512 << 10;

/// Reads a file in batches of rows.
pub(crate) struct Records<R> {
    text: Text<R>,
    delimiter: u8,
    limits: Limits,
    /// Text that is read and not split.
    rest: String,
    unquoted: String,
    ended: bool,
    rows: u64,
    failed: Option<CsvError>,
    uneven: Uneven,
}

/// Rows whose number of fields differs from that of the header.
#[derive(Debug, Default)]
pub(crate) struct Uneven {
    /// Number of rows that end early, and the first of them.
    pub(crate) short: u64,
    pub(crate) first_short: u64,
    /// Number of rows with additional empty fields.
    pub(crate) long: u64,
}

impl<R: Read> Records<R> {
    /// Reads the sample at the start of the file.
    ///
    /// # Errors
    /// A failed read.
    pub(crate) fn new(mut text: Text<R>, limits: &Limits) -> Result<Self, CsvError> {
        let mut rest = String::new();
        let mut ended = false;
        while rest.len() < SAMPLE_BYTES && !ended {
            match text.read(&mut rest, SAMPLE_BYTES) {
                Ok(more) => ended = !more,
                Err(fault) => {
                    // The row of the fault is known later.
                    text.defer(fault);
                    break;
                }
            }
        }
        let (unquoted, uneven) = (String::new(), Uneven::default());
        Ok(Self { text, delimiter: b',', limits: limits.clone(), rest, unquoted, ended, rows: 0, failed: None, uneven })
    }

    /// The text at the start of the file, and whether the file ends behind.
    pub(crate) fn sample(&self) -> (&str, bool) {
        (&self.rest, self.ended)
    }

    /// Sets the delimiter, and skips lines.
    pub(crate) fn start(&mut self, delimiter: u8, skipped_lines: u64) {
        self.delimiter = delimiter;
        let mut at = 0;
        for _ in 0..skipped_lines {
            at += line_length(&self.rest[at..]);
        }
        self.rest.drain(..at);
    }

    /// The decoder, for the facts that it knows at the end.
    pub(crate) fn text(&self) -> &Text<R> {
        &self.text
    }

    /// The rows whose number of fields differs from that of the header.
    pub(crate) fn uneven(&self) -> &Uneven {
        &self.uneven
    }

    /// The fields of the next row, which can be of any number. `None` at the end of the file.
    ///
    /// # Errors
    /// A failed read, or a header beyond a limit.
    pub(crate) fn header(&mut self) -> Result<Option<Vec<String>>, CsvError> {
        loop {
            let mut sink = Header::default();
            self.unquoted.clear();
            let progress = split(&self.rest, self.delimiter, self.ended, &mut self.unquoted, &mut sink);
            let (columns, bytes) = (self.limits.max_columns, self.limits.max_header_bytes);
            if sink.spans.len() > columns {
                return Err(CsvError::file(format!("the header has more than {columns} columns")));
            }
            let length = if sink.is_complete { progress.consumed } else { self.rest.len() };
            if length as u64 > bytes {
                return Err(CsvError::file(format!("the header has more than {bytes} bytes")));
            }
            if sink.is_complete {
                let fields = sink.spans.iter().map(|span| span.of(&self.rest, &self.unquoted).to_owned()).collect();
                self.rest.drain(..progress.consumed);
                return Ok(Some(fields));
            }
            if self.ended {
                return if progress.in_quotes { Err(open_quote(None, position(sink.spans.len()))) } else { Ok(None) };
            }
            match self.text.read(&mut self.rest, SAMPLE_BYTES) {
                Ok(more) => self.ended = !more,
                Err(fault) => return Err(fault.at(None, position(sink.spans.len()))),
            }
        }
    }

    /// The next rows, each with one field per name. Returns false at the end of the file.
    ///
    /// # Errors
    /// A failed read, a row beyond a limit or with too many fields, or a quote that is not closed.
    pub(crate) fn next_batch(&mut self, batch: &mut Batch, names: &[String]) -> Result<bool, CsvError> {
        batch.clear();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        batch.first_row = self.rows;
        std::mem::swap(&mut batch.text, &mut self.rest);
        let mut wanted = BATCH_BYTES;
        loop {
            let mut fault = None;
            if !self.ended && batch.text.len() < wanted {
                match self.text.read(&mut batch.text, BATCH_BYTES) {
                    Ok(more) => self.ended = !more,
                    Err(error) => fault = Some(error),
                }
            }
            // Without a complete row, more text is needed.
            wanted = batch.text.len() + BATCH_BYTES;
            self.unquoted.clear();
            batch.fields.clear();
            batch.row_hashes.clear();
            let target = (&mut batch.fields, &mut batch.row_hashes);
            let mut sink = RowSink::new(target, names, &self.limits, self.rows);
            let progress = split(&batch.text, self.delimiter, self.ended, &mut self.unquoted, &mut sink);
            let pending = sink.pending();
            let (failed, uneven) = (sink.failed.take(), std::mem::take(&mut sink.uneven));
            batch.fields.truncate(batch.row_hashes.len() * names.len());
            let rows = batch.row_hashes.len() as u64;
            let place =
                |row: u64| (Some(row), names.get(pending).map_or_else(|| position(pending), |name| Some(quoted(name))));
            self.failed = failed.or_else(|| {
                let (row, column) = place(self.rows + rows + 1);
                if let Some(fault) = fault {
                    return Some(fault.at(row, column));
                }
                self.incomplete(progress, batch.text.len(), row, column)
            });
            if rows > 0 || self.failed.is_some() || self.ended {
                self.finish_batch(batch, progress, uneven, rows);
                return match self.failed.take() {
                    Some(error) if rows == 0 => Err(error),
                    error => {
                        self.failed = error;
                        Ok(rows > 0)
                    }
                };
            }
        }
    }

    /// Keeps the incomplete row, and counts the complete ones.
    fn finish_batch(&mut self, batch: &mut Batch, progress: Progress, uneven: Uneven, rows: u64) {
        self.rest.clear();
        self.rest.push_str(&batch.text[progress.consumed..]);
        // Spans behind the text are in `unquoted`.
        batch.text.push_str(&self.unquoted);
        self.rows += rows;
        if self.uneven.short == 0 {
            self.uneven.first_short = uneven.first_short;
        }
        self.uneven.short += uneven.short;
        self.uneven.long += uneven.long;
    }

    /// The error of an incomplete row at the end of the text.
    fn incomplete(
        &self,
        progress: Progress,
        length: usize,
        row: Option<u64>,
        column: Option<String>,
    ) -> Option<CsvError> {
        // Each quote within a quoted field is written twice.
        let max_field = self.limits.max_field_bytes;
        let field_bytes = (length - progress.field_start) / if progress.in_quotes { 2 } else { 1 };
        if self.ended {
            return progress.in_quotes.then(|| open_quote(row, column));
        }
        if field_bytes > max_field + 1 {
            let hint = if progress.in_quotes { "; is a quote not closed?" } else { "" };
            return Some(CsvError::new(row, column, format!("a field has more than {max_field} bytes{hint}")));
        }
        let max_row = self.limits.max_row_bytes;
        (length - progress.consumed > max_row)
            .then(|| CsvError::new(row, None, format!("the row has more than {max_row} bytes")))
    }
}

fn open_quote(row: Option<u64>, column: Option<String>) -> CsvError {
    CsvError::new(row, column, "a quoted field is not closed")
}

/// A column without a name, by its position.
pub(crate) fn position(at: usize) -> Option<String> {
    Some(format!("#{}", at + 1))
}

fn quoted(name: &str) -> String {
    format!("'{name}'")
}

/// The length of the first line with its end.
fn line_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match memchr::memchr2(b'\n', b'\r', bytes) {
        Some(at) if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') => at + 2,
        Some(at) => at + 1,
        None => bytes.len(),
    }
}

/// Takes the first row.
#[derive(Default)]
struct Header {
    spans: Vec<Span>,
    is_complete: bool,
}

impl Sink for Header {
    fn field(&mut self, span: Span) {
        self.spans.push(span);
    }

    fn row(&mut self, _: Range<usize>, _: &str, _: &str) -> bool {
        self.is_complete = true;
        false
    }
}

/// Takes rows of one width.
struct RowSink<'a> {
    spans: &'a mut Vec<Span>,
    hashes: &'a mut Vec<u64>,
    names: &'a [String],
    limits: &'a Limits,
    rows: u64,
    /// The first field that is too long, in the current row.
    too_long: Option<usize>,
    row_start: usize,
    uneven: Uneven,
    failed: Option<CsvError>,
}

impl<'a> RowSink<'a> {
    fn new(batch: (&'a mut Vec<Span>, &'a mut Vec<u64>), names: &'a [String], limits: &'a Limits, rows: u64) -> Self {
        let (spans, hashes) = batch;
        Self {
            spans,
            hashes,
            names,
            limits,
            rows,
            too_long: None,
            row_start: 0,
            uneven: Uneven::default(),
            failed: None,
        }
    }

    /// The number of fields of the incomplete row.
    fn pending(&self) -> usize {
        self.spans.len() - self.row_start
    }

    /// Gives the row the width of the table, or says why that is not possible.
    fn align(&mut self, text: &str, unquoted: &str) -> Result<(), CsvError> {
        let (width, found) = (self.names.len(), self.pending());
        let row = self.rows + self.hashes.len() as u64 + 1;
        if row > self.limits.max_rows {
            return Err(CsvError::file(format!("the file has more than {} data rows", self.limits.max_rows)));
        }
        if let Some(at) = self.too_long.take() {
            let column = self.names.get(at).map_or_else(|| position(at), |name| Some(quoted(name)));
            let reason = format!("a field has more than {} bytes", self.limits.max_field_bytes);
            return Err(CsvError::new(Some(row), column, reason));
        }
        if found < width {
            if self.uneven.short == 0 {
                self.uneven.first_short = row;
            }
            self.uneven.short += 1;
            self.spans.resize(self.row_start + width, Span::EMPTY);
        } else if found > width {
            let extra = self.spans[self.row_start + width..].iter().map(|span| span.of(text, unquoted).trim());
            if let Some((at, value)) = extra.enumerate().find(|(_, value)| !value.is_empty()) {
                let value = shortened(value);
                let reason = format!(
                    "expected {width} fields, found {found}; '{value}' has no column; quote values that contain the delimiter"
                );
                return Err(CsvError::new(Some(row), position(width + at), reason));
            }
            self.uneven.long += 1;
            self.spans.truncate(self.row_start + width);
        }
        self.row_start += width;
        Ok(())
    }
}

impl Sink for RowSink<'_> {
    #[inline]
    fn field(&mut self, span: Span) {
        if span.len() > self.limits.max_field_bytes && self.too_long.is_none() {
            self.too_long = Some(self.pending());
        }
        self.spans.push(span);
    }

    #[inline]
    fn row(&mut self, row: Range<usize>, text: &str, unquoted: &str) -> bool {
        let is_even = self.pending() == self.names.len() && self.too_long.is_none();
        if is_even && self.rows + (self.hashes.len() as u64) < self.limits.max_rows {
            self.row_start += self.names.len();
        } else if let Err(error) = self.align(text, unquoted) {
            self.failed = Some(error);
            return false;
        }
        self.hashes.push(hash::bytes(&text.as_bytes()[row]));
        true
    }
}

/// A value in a message: short, on one line.
pub(crate) fn shortened(value: &str) -> String {
    const MAX_CHARS: usize = 40;
    let line = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    match value.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", line(&value[..end])),
        None => line(value),
    }
}
