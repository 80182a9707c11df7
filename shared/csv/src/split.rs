//! The splitting of text into rows and fields, as in RFC 4180: a field that starts with a quote ends with a quote, two
//! quotes within mean one. Lines end with LF, CRLF or CR; blank lines are skipped.

use std::ops::Range;

use crate::cell::word::Word;

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

    /// The text of a field as a word, if it is short.
    #[inline]
    pub(crate) fn word(&self, span: Span) -> Option<Word> {
        Word::at(self.text.as_bytes(), span.start as usize, span.end as usize)
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
    let (blocks, tail) = text.as_bytes().as_chunks();
    let mut last = [0; BLOCK];
    last[..tail.len()].copy_from_slice(tail);
    let mut splitter = Splitter { text, unquoted, sink, start: 0, row_start: 0, consumed: 0, quoted: Quoted::No };
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let masks = SeparatorMasks::find(block, delimiter);
        if !splitter.split_block(number * BLOCK, &masks, ended) {
            return Progress { consumed: splitter.consumed, field_start: splitter.consumed, in_quotes: false };
        }
    }
    splitter.finish(ended)
}

/// The state between two blocks.
struct Splitter<'a, S> {
    text: &'a str,
    unquoted: &'a mut String,
    sink: &'a mut S,
    /// Where the current field starts.
    start: usize,
    row_start: usize,
    /// The end of the last complete row.
    consumed: usize,
    quoted: Quoted,
}

impl<S: Sink> Splitter<'_, S> {
    /// Splits the block that starts at `base`. Returns false if the sink stops.
    #[inline]
    fn split_block(&mut self, base: usize, masks: &SeparatorMasks, ended: bool) -> bool {
        let mut left = masks.delimiters | masks.ends;
        if masks.quotes == 0 {
            if matches!(self.quoted, Quoted::Open { .. }) {
                return true;
            }
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !self.separator(base + bit as usize, masks.ends >> bit & 1 != 0) {
                    return false;
                }
            }
            return true;
        }
        left |= masks.quotes;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            let at = base + bit as usize;
            if masks.quotes >> bit & 1 != 0 {
                self.quote(at, ended);
            } else if !matches!(self.quoted, Quoted::Open { .. }) && !self.separator(at, masks.ends >> bit & 1 != 0) {
                return false;
            }
        }
        true
    }

    /// A delimiter or a line end that is not within quotes. Returns false if the sink stops.
    #[inline]
    fn separator(&mut self, at: usize, is_end: bool) -> bool {
        // A blank line, or the LF of CRLF.
        let is_blank = is_end && at == self.row_start;
        if !is_blank {
            self.sink.field(place(self.text, self.start, at, self.quoted, self.unquoted));
        }
        self.start = at + 1;
        self.quoted = Quoted::No;
        if !is_end {
            return true;
        }
        let row = self.row_start..at;
        (self.row_start, self.consumed) = (at + 1, at + 1);
        is_blank || self.sink.row(row, self.text, self.unquoted)
    }

    fn quote(&mut self, at: usize, ended: bool) {
        self.quoted = match self.quoted {
            Quoted::No if at == self.start => Quoted::Open { doubled: false, skip: at },
            Quoted::Open { skip, .. } if skip == at => self.quoted,
            Quoted::Open { doubled, .. } => match self.text.as_bytes().get(at + 1) {
                Some(b'"') => Quoted::Open { doubled: true, skip: at + 1 },
                // The next byte decides what the quote means.
                None if !ended => self.quoted,
                _ => Quoted::Closed { doubled, at },
            },
            quoted => quoted,
        };
    }

    fn finish(mut self, ended: bool) -> Progress {
        let length = self.text.len();
        let in_quotes = matches!(self.quoted, Quoted::Open { .. });
        let rest = &self.text.as_bytes()[self.row_start..];
        if ended && rest == DOS_END {
            self.consumed = length;
        } else if ended && !in_quotes && !rest.is_empty() {
            self.sink.field(place(self.text, self.start, length, self.quoted, self.unquoted));
            self.consumed = length;
            self.sink.row(self.row_start..length, self.text, self.unquoted);
            self.start = length;
        }
        Progress { consumed: self.consumed, field_start: self.start, in_quotes }
    }
}

/// Where the current field is relative to its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    /// Within quotes. The quote at `skip` is the first one, or the second of two.
    Open {
        doubled: bool,
        skip: usize,
    },
    /// Behind the quote at `at`.
    Closed {
        doubled: bool,
        at: usize,
    },
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

/// Number of bytes that are searched at once.
const BLOCK: usize = 64;

/// The bytes of a block that end a field, or may do so: one bit for each byte.
#[derive(Debug, PartialEq, Eq)]
struct SeparatorMasks {
    delimiters: u64,
    quotes: u64,
    /// LF and CR.
    ends: u64,
}

impl SeparatorMasks {
    #[inline]
    fn find(block: &[u8; BLOCK], delimiter: u8) -> Self {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 processor has SSE2.
        return unsafe { Self::find_in_vectors(block, delimiter) };
        #[cfg(not(target_arch = "x86_64"))]
        Self::find_in_integers(block, delimiter)
    }

    /// Compares 16 bytes at once.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "sse2")]
    fn find_in_vectors(block: &[u8; BLOCK], delimiter: u8) -> Self {
        use std::arch::x86_64::{
            __m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
        };
        let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
        let bits = |vector: __m128i, at: usize| u64::from(_mm_movemask_epi8(vector).cast_unsigned()) << at;
        let mut masks = Self { delimiters: 0, quotes: 0, ends: 0 };
        for (number, part) in block.as_chunks::<16>().0.iter().enumerate() {
            let [low, high] = [0, 8].map(|at| part[at..].first_chunk().map_or(0, |word| i64::from_le_bytes(*word)));
            let (part, at) = (_mm_set_epi64x(high, low), number * 16);
            let ends = _mm_or_si128(_mm_cmpeq_epi8(part, all(b'\n')), _mm_cmpeq_epi8(part, all(b'\r')));
            masks.delimiters |= bits(_mm_cmpeq_epi8(part, all(delimiter)), at);
            masks.quotes |= bits(_mm_cmpeq_epi8(part, all(b'"')), at);
            masks.ends |= bits(ends, at);
        }
        masks
    }

    /// Compares eight bytes at once.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn find_in_integers(block: &[u8; BLOCK], delimiter: u8) -> Self {
        // The product moves the lowest bit of every byte into the highest byte.
        let bits = |word: u64, byte: u8| {
            (zero_bytes(word ^ (ONES * u64::from(byte))) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
        };
        let mut masks = Self { delimiters: 0, quotes: 0, ends: 0 };
        for (number, word) in block.as_chunks().0.iter().enumerate() {
            let (word, at) = (u64::from_le_bytes(*word), number * 8);
            masks.delimiters |= bits(word, delimiter) << at;
            masks.quotes |= bits(word, b'"') << at;
            masks.ends |= (bits(word, b'\n') | bits(word, b'\r')) << at;
        }
        masks
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
const ONES: u64 = 0x0101_0101_0101_0101;

/// The high bit of every byte that is zero.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn zero_bytes(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    !(((word & LOW) + LOW) | word | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_and_integers_find_the_same_bytes() {
        for delimiter in [b',', b'\t', b'|'] {
            let mut byte = 7_u8;
            for _ in 0..2_000 {
                let block = std::array::from_fn(|_| {
                    byte = byte.wrapping_mul(77).wrapping_add(31).rotate_left(3);
                    [delimiter, b'"', b'\n', b'\r', delimiter ^ 0x80, delimiter + 1, 0, byte][usize::from(byte >> 5)]
                });
                let masks = SeparatorMasks::find(&block, delimiter);
                assert_eq!(masks, SeparatorMasks::find_in_integers(&block, delimiter));
                let bits =
                    |wanted: &[u8]| (0..BLOCK).fold(0, |bits, at| bits | u64::from(wanted.contains(&block[at])) << at);
                assert_eq!(
                    (masks.delimiters, masks.quotes, masks.ends),
                    (bits(&[delimiter]), bits(b"\""), bits(b"\n\r"))
                );
            }
        }
    }
}
