//! A CSV tokenizer (RFC 4180; lines end with LF, CRLF or CR; a UTF-8 byte order mark and blank lines are skipped). It
//! keeps one field and one buffer in memory.

use std::io::{ErrorKind, Read};

use csv_core::ReadFieldResult;

use super::CsvError;

const BUFFER_BYTES: usize = 64 << 10;

/// Splits the input into fields.
pub(super) struct Fields<R> {
    input: R,
    core: csv_core::Reader,
    buffer: Box<[u8]>,
    /// The unread part of the buffer is `start..end`.
    start: usize,
    end: usize,
    /// The input has ended, and a final line feed was appended: it ends an incomplete row and reveals an unclosed
    /// quote.
    ended: bool,
    bytes: u64,
    /// The current field, with the size of the largest allowed field.
    field: Box<[u8]>,
}

/// The result of one step.
pub(super) enum Next<'a> {
    /// An unquoted field; `last` marks the last field of a row.
    Field { text: &'a str, last: bool },
    /// The end of the file.
    End,
}

/// A read error without its location.
pub(super) enum Fault {
    Read(std::io::Error),
    Binary,
    NotUtf8,
    TooLong(usize),
    OpenQuote,
}

impl Fault {
    /// Adds the location of the error.
    pub(super) fn at(self, row: Option<u64>, column: Option<String>) -> CsvError {
        let reason = match &self {
            Self::Read(_) => "the file could not be read completely".to_owned(),
            Self::Binary => "the file contains NUL bytes, so it is not a CSV file".to_owned(),
            Self::NotUtf8 => "the text is not UTF-8; save the file as UTF-8".to_owned(),
            Self::TooLong(max) => format!("a field has more than {max} bytes"),
            Self::OpenQuote => "a quoted field is not closed".to_owned(),
        };
        let source = if let Self::Read(error) = self { Some(error) } else { None };
        CsvError { source, ..CsvError::new(row, column, reason) }
    }
}

impl<R: Read> Fields<R> {
    pub(super) fn new(input: R, max_field_bytes: usize) -> Self {
        Self {
            input,
            core: csv_core::Reader::new(),
            buffer: vec![0; BUFFER_BYTES].into(),
            start: 0,
            end: 0,
            ended: false,
            bytes: 0,
            // csv-core needs one extra byte to complete a field.
            field: vec![0; max_field_bytes.max(1) + 1].into(),
        }
    }

    /// Number of bytes read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next field. Must not be called after an error or the end.
    pub(super) fn next(&mut self) -> Result<Next<'_>, Fault> {
        let mut length = 0;
        loop {
            if self.start == self.end && !self.ended {
                self.fill()?;
            }
            let input = &self.buffer[self.start..self.end];
            let (result, read, written) = self.core.read_field(input, &mut self.field[length..]);
            self.start += read;
            length += written;
            match result {
                // A line feed belongs to a field only within quotes.
                ReadFieldResult::InputEmpty if self.ended && written > 0 => return Err(Fault::OpenQuote),
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => return Err(Fault::TooLong(self.field.len() - 1)),
                ReadFieldResult::Field { record_end } => {
                    let text = std::str::from_utf8(&self.field[..length]).map_err(|_| Fault::NotUtf8)?;
                    return Ok(Next::Field { text, last: record_end });
                }
                ReadFieldResult::End => return Ok(Next::End),
            }
        }
    }

    /// Reads at least four bytes unless the input ends: csv-core needs the whole byte order mark at once, and takes a
    /// chunk without further bytes for the end.
    fn fill(&mut self) -> Result<(), Fault> {
        let mut filled = 0;
        while filled < 4 {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Read(error)),
            }
        }
        if self.buffer[..filled].contains(&0) {
            return Err(Fault::Binary);
        }
        self.bytes += filled as u64;
        if filled == 0 {
            self.ended = true;
            self.buffer[0] = b'\n';
            filled = 1;
        }
        (self.start, self.end) = (0, filled);
        Ok(())
    }
}
