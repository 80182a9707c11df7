//! CSV field by field (RFC 4180; LF, CRLF or CR; a UTF-8 byte order mark is skipped, blank lines too), holding one field
//! and one buffer at a time.

use std::io::{ErrorKind, Read};

use csv_core::ReadFieldResult;

use super::CsvError;

const BUFFER_BYTES: usize = 64 << 10;

/// Splits a reader into fields.
pub(super) struct Fields<R> {
    input: R,
    core: csv_core::Reader,
    buffer: Box<[u8]>,
    /// What of the buffer is still to be parsed.
    start: usize,
    end: usize,
    /// The input has ended, and a last line break was put behind it: it ends an unfinished row, and shows an open quote.
    ended: bool,
    bytes: u64,
    /// As large as the largest field allowed.
    field: Box<[u8]>,
}

/// One step.
pub(super) enum Next<'a> {
    /// A field, unquoted; `last` of its row or not.
    Field { text: &'a str, last: bool },
    /// The end of the file.
    End,
}

/// What stops the reading, its place still unknown.
pub(super) enum Fault {
    Read(std::io::Error),
    Binary,
    NotUtf8,
    TooLong(usize),
    OpenQuote,
}

impl Fault {
    /// Says where it happened.
    pub(super) fn at(self, row: Option<u64>, column: Option<String>) -> CsvError {
        let what = match &self {
            Self::Read(_) => "the file could not be read to its end".to_owned(),
            Self::Binary => "the file holds NUL bytes, so it is not a CSV text".to_owned(),
            Self::NotUtf8 => "the text is not UTF-8; save the file with that encoding".to_owned(),
            Self::TooLong(max) => format!("a field has more than {max} bytes"),
            Self::OpenQuote => "a quoted field is never closed".to_owned(),
        };
        let source = if let Self::Read(error) = self { Some(error) } else { None };
        CsvError { source, ..CsvError::new(row, column, what) }
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
            // csv-core wants room for one byte more before it calls a field complete.
            field: vec![0; max_field_bytes.max(1) + 1].into(),
        }
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next field. After an error or the end, don't ask again.
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
                // A line break becomes part of a field inside quotes alone.
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

    /// Reads on: at least four bytes unless the input ends. csv-core wants a byte order mark in one piece, and takes a
    /// piece that holds nothing else for the end.
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
