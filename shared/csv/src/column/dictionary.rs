//! The distinct texts of a column with their counts, up to a limit.

use crate::cell::word::Word;
use crate::hash;

/// Texts are kept up to this size; a longer text is no number and no date.
const MAX_TEXT_BYTES: usize = 96;

/// A distinct text.
#[derive(Debug)]
pub(super) struct Entry {
    /// The text, or its start if it is long.
    pub(super) text: Box<str>,
    /// The hash of the whole text.
    pub(super) hash: u64,
    /// Whether `text` is the whole text.
    pub(super) is_whole: bool,
    /// Number of cells with the text.
    pub(super) count: u64,
    /// The first row with the text, counted from 1.
    pub(super) first_row: u64,
    /// The sum of the keys of the rows with the text.
    pub(super) rows: u128,
}

impl Entry {
    fn new(text: &str, row: u64) -> Self {
        let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let (hash, is_whole) = (hash::bytes(text.as_bytes()), end == text.len());
        Self { text: text[..end].into(), hash, is_whole, count: 0, first_row: row, rows: 0 }
    }

    /// The text, with an ellipsis if it is only the start.
    pub(super) fn shown(&self) -> String {
        if self.is_whole { self.text.to_string() } else { format!("{}…", self.text) }
    }
}

/// What texts are compared by: the bytes of a short ASCII text, or the hash of another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(u128);

/// The last byte of a short ASCII text is never this one.
const HASHED: u128 = 0xff << 120;

impl Key {
    fn of(text: &str) -> Self {
        match Word::of(text) {
            Some(word) if word.is_ascii() => Self(word.bits),
            _ => Self(HASHED | u128::from(hash::bytes(text.as_bytes()))),
        }
    }

    /// The first slot of the key in a table whose size is a power of two.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the two halves, and the mask keeps the low bits")]
    fn slot(self, mask: usize) -> usize {
        let (low, high) = (self.0 as u64 ^ 0x2d35_8dcc_aa6c_78a5, (self.0 >> 64) as u64 ^ 0x8bb8_4b93_962e_acc9);
        let product = u128::from(low) * u128::from(high);
        (product as u64 ^ (product >> 64) as u64) as usize & mask
    }
}

/// The cells with one key. What is needed for every cell is apart from what is needed once.
#[derive(Debug)]
struct Cells {
    key: Key,
    rows: u128,
    count: u64,
}

/// Distinct texts in the order of their first occurrence. Long texts are compared by a hash of 64 bits.
#[derive(Debug)]
pub(super) struct Dictionary {
    entries: Vec<Entry>,
    /// The counts of the entries.
    cells: Vec<Cells>,
    /// A hash table with open addressing: the position of an entry plus one.
    slots: Vec<u32>,
    limit: usize,
}

impl Dictionary {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), cells: Vec::new(), slots: vec![0; 16], limit }
    }

    /// Counts a text in normalization form C. Returns false if the text is new and the dictionary is full.
    pub(super) fn count(&mut self, text: &str, row: u64, row_key: u128) -> bool {
        self.count_key(Key::of(text), row, row_key, || text)
    }

    /// Counts a text of ASCII characters that is given as a word.
    #[inline]
    pub(super) fn count_word<'a>(
        &mut self,
        word: Word,
        row: u64,
        row_key: u128,
        text: impl FnOnce() -> &'a str,
    ) -> bool {
        self.count_key(Key(word.bits), row, row_key, text)
    }

    #[inline]
    fn count_key<'a>(&mut self, key: Key, row: u64, row_key: u128, text: impl FnOnce() -> &'a str) -> bool {
        let mask = self.slots.len() - 1;
        let mut slot = key.slot(mask);
        loop {
            let Some(at) = (self.slots[slot] as usize).checked_sub(1) else {
                return self.insert(slot, key, text(), row, row_key);
            };
            let cells = &mut self.cells[at];
            if cells.key == key {
                cells.count += 1;
                cells.rows = cells.rows.wrapping_add(row_key);
                return true;
            }
            slot = (slot + 1) & mask;
        }
    }

    #[cold]
    #[inline(never)]
    fn insert(&mut self, slot: usize, key: Key, text: &str, row: u64, row_key: u128) -> bool {
        if self.entries.len() >= self.limit {
            return false;
        }
        self.entries.push(Entry::new(text, row));
        self.cells.push(Cells { key, rows: row_key, count: 1 });
        let Ok(position) = u32::try_from(self.entries.len()) else { return false };
        self.slots[slot] = position;
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
        true
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let mut slots = vec![0; mask + 1];
        for (cells, position) in self.cells.iter().zip(1..) {
            let mut slot = cells.key.slot(mask);
            while slots[slot] > 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = position;
        }
        self.slots = slots;
    }

    /// The maximum number of entries.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The entries, in the order of their first occurrence.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        let entries = self.entries.into_iter().zip(self.cells);
        entries.map(|(entry, cells)| Entry { count: cells.count, rows: cells.rows, ..entry }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_counted_apart() {
        let mut dictionary = Dictionary::new(200);
        let texts: Vec<String> =
            (1..=60).flat_map(|n| ["x".repeat(n), "é".repeat(n), format!("{}y", "x".repeat(n))]).collect();
        for (text, row) in texts.iter().chain(&texts).zip(1..) {
            assert!(dictionary.count(text, row, 1 << (row % 100)), "{text}");
        }
        let entries = dictionary.into_entries();
        assert_eq!(entries.len(), texts.len());
        for ((entry, text), row) in entries.iter().zip(&texts).zip(1..) {
            assert!(text.starts_with(&*entry.text), "{text}");
            assert_eq!((entry.count, entry.first_row, entry.is_whole), (2, row, text.len() <= 96), "{text}");
        }
    }

    #[test]
    fn a_full_dictionary_counts_what_it_has() {
        let mut dictionary = Dictionary::new(2);
        let counted = ["a", "b", "a", "c", "b"].map(|text| dictionary.count(text, 1, 1));
        assert_eq!(counted, [true, true, true, false, true]);
    }
}
