//! The splitting of text into rows and fields, as in RFC 4180: a field that starts with a quote ends with a quote, two
//! quotes within mean one. Lines end with LF, CRLF or CR; blank lines are skipped.

use std::ops::Range;

/// The place of a field in a [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// A field without text.
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };

    /// Size in bytes.
    #[inline]
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// The text of the field, in `text` or behind it in `unquoted`.
    pub(crate) fn of<'a>(self, text: &'a str, unquoted: &'a str) -> &'a str {
        let (start, end) = (self.start as usize, self.end as usize);
        match start.checked_sub(text.len()) {
            Some(start) if self.len() > 0 => unquoted.get(start..end - text.len()).unwrap_or_default(),
            _ => text.get(start..end).unwrap_or_default(),
        }
    }
}

/// Rows in one buffer. All rows have the same number of fields, unless they were split without a width.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The text of the rows, then the fields whose quotes were removed.
    pub(crate) text: String,
    /// The fields of all rows.
    pub(crate) fields: Vec<Span>,
    /// For each row, a hash of its text.
    pub(crate) row_hashes: Vec<u64>,
    /// The number of the first row, from 0.
    pub(crate) first_row: u64,
}

impl Batch {
    /// The text of a field.
    #[inline]
    pub(crate) fn field(&self, span: Span) -> &str {
        // Spans start and end at ASCII characters or at the ends of the text.
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.row_hashes.len()
    }

    /// Removes all rows and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.row_hashes.clear();
    }
}

/// Takes the fields of the rows in order.
pub(crate) trait Sink {
    /// A field of the current row. Spans behind `text` are in `unquoted`.
    fn field(&mut self, span: Span);
    /// The current row is `start..end` of the text. Returns false to stop.
    fn row(&mut self, row: Range<usize>, text: &str, unquoted: &str) -> bool;
}

/// The character that old programs write at the end of a file.
const DOS_END: &[u8] = b"\x1a";

/// How far the text was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The end of the last complete row.
    pub(crate) consumed: usize,
    /// Where the incomplete field starts, if there is one.
    pub(crate) field_start: usize,
    /// Whether the incomplete field is within quotes.
    pub(crate) in_quotes: bool,
}

/// Splits `text`. An incomplete row at the end is left, or completed if the file ends here.
pub(crate) fn split<S: Sink>(text: &str, delimiter: u8, ended: bool, unquoted: &mut String, sink: &mut S) -> Progress {
    let bytes = text.as_bytes();
    let mut specials = Specials::new(bytes, delimiter);
    let mut progress = Progress { consumed: 0, field_start: 0, in_quotes: false };
    let (mut start, mut row_start, mut is_new_row) = (0, 0, true);
    let mut quoted = Quoted::No;
    let mut skip = usize::MAX;
    while let Some(at) = specials.next() {
        if at == skip {
            continue;
        }
        let byte = bytes[at];
        match quoted {
            Quoted::Open { doubled } => {
                if byte != b'"' {
                    continue;
                }
                match bytes.get(at + 1) {
                    Some(b'"') => {
                        quoted = Quoted::Open { doubled: true };
                        skip = at + 1;
                    }
                    None if !ended => break,
                    _ => quoted = Quoted::Closed { doubled, at },
                }
                continue;
            }
            _ if byte == b'"' => {
                if at == start && quoted == Quoted::No {
                    quoted = Quoted::Open { doubled: false };
                }
                continue;
            }
            _ => {}
        }
        if byte == delimiter {
            sink.field(place(text, start, at, quoted, unquoted));
            (start, quoted, is_new_row) = (at + 1, Quoted::No, false);
            continue;
        }
        if is_new_row && at == start {
            // A blank line, or the LF of CRLF.
            (start, row_start) = (at + 1, at + 1);
            progress.consumed = at + 1;
            continue;
        }
        sink.field(place(text, start, at, quoted, unquoted));
        progress.consumed = at + 1;
        if !sink.row(row_start..at, text, unquoted) {
            return Progress { field_start: progress.consumed, ..progress };
        }
        (start, row_start, quoted, is_new_row) = (at + 1, at + 1, Quoted::No, true);
    }
    let in_quotes = matches!(quoted, Quoted::Open { .. });
    let rest = &bytes[row_start.min(bytes.len())..];
    if ended && rest == DOS_END {
        progress.consumed = bytes.len();
    } else if ended && !in_quotes && !rest.is_empty() {
        sink.field(place(text, start, bytes.len(), quoted, unquoted));
        progress.consumed = bytes.len();
        sink.row(row_start..bytes.len(), text, unquoted);
        start = bytes.len();
    }
    Progress { field_start: start, in_quotes, ..progress }
}

/// Where the current field is relative to its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    Open { doubled: bool },
    Closed { doubled: bool, at: usize },
}

/// The span of the field in `start..end` without its quotes.
#[inline]
fn place(text: &str, start: usize, end: usize, quoted: Quoted, unquoted: &mut String) -> Span {
    match quoted {
        Quoted::Closed { doubled: false, at } if at + 1 == end => span(start + 1, at),
        Quoted::Closed { at, .. } => {
            let before = unquoted.len();
            let mut parts = text[start + 1..at].split("\"\"");
            unquoted.push_str(parts.next().unwrap_or_default());
            for part in parts {
                unquoted.push('"');
                unquoted.push_str(part);
            }
            unquoted.push_str(&text[at + 1..end]);
            span(text.len() + before, text.len() + unquoted.len())
        }
        Quoted::No | Quoted::Open { .. } => span(start, end),
    }
}

fn span(start: usize, end: usize) -> Span {
    #[allow(clippy::cast_possible_truncation, reason = "a batch is far below 4 GiB: rows have a limit")]
    Span { start: start as u32, end: end as u32 }
}

/// The positions of delimiters, quotes and line ends, found in words of eight bytes.
struct Specials<'a> {
    words: &'a [[u8; 8]],
    tail: &'a [u8],
    delimiter: u8,
    word: usize,
    /// One bit in each byte of the current word that is special.
    found: u64,
    tail_at: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// The high bit of every byte that is zero.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    !(((word & LOW) + LOW) | word | LOW)
}

impl<'a> Specials<'a> {
    fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let (words, tail) = bytes.as_chunks();
        let mut specials = Self { words, tail, delimiter, word: 0, found: 0, tail_at: 0 };
        specials.found = specials.find();
        specials
    }

    #[inline]
    fn find(&self) -> u64 {
        let Some(word) = self.words.get(self.word) else { return 0 };
        let word = u64::from_le_bytes(*word);
        zero_bytes(word ^ (ONES * u64::from(self.delimiter)))
            | zero_bytes(word ^ (ONES * u64::from(b'"')))
            | zero_bytes(word ^ (ONES * u64::from(b'\n')))
            | zero_bytes(word ^ (ONES * u64::from(b'\r')))
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            if self.word + 1 >= self.words.len() {
                self.word = self.words.len();
                return self.next_in_tail();
            }
            self.word += 1;
            self.found = self.find();
        }
        let at = self.word * 8 + self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(at)
    }

    fn next_in_tail(&mut self) -> Option<usize> {
        let rest = &self.tail[self.tail_at..];
        let at = rest.iter().position(|byte| *byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r'))?;
        let found = self.words.len() * 8 + self.tail_at + at;
        self.tail_at += at + 1;
        Some(found)
    }
}
