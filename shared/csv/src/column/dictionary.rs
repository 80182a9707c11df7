//! The distinct texts of a column with their counts, up to a limit.

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
    /// The text, with an ellipsis if it is only the start.
    pub(super) fn shown(&self) -> String {
        if self.is_whole { self.text.to_string() } else { format!("{}…", self.text) }
    }
}

/// Distinct texts in the order of their first occurrence. Texts are compared by a hash of 64 bits.
#[derive(Debug)]
pub(super) struct Dictionary {
    entries: Vec<Entry>,
    /// A hash table with open addressing: the hash of a text, and the position of its entry plus one.
    slots: Vec<(u64, u32)>,
    limit: usize,
}

impl Dictionary {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), slots: vec![(0, 0); 16], limit }
    }

    /// Counts a text. Returns false if the text is new and the dictionary is full.
    #[inline]
    pub(super) fn count(&mut self, text: &str, row: u64, row_key: u128) -> bool {
        let hash = hash::bytes(text.as_bytes());
        let mask = self.slots.len() - 1;
        let mut slot = Self::first_slot(hash, mask);
        loop {
            let (found, position) = self.slots[slot];
            if position == 0 {
                return self.insert(slot, hash, text, row, row_key);
            }
            if found == hash {
                let entry = &mut self.entries[position as usize - 1];
                entry.count += 1;
                entry.rows = entry.rows.wrapping_add(row_key);
                return true;
            }
            slot = (slot + 1) & mask;
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the mask keeps the low bits")]
    fn first_slot(hash: u64, mask: usize) -> usize {
        hash as usize & mask
    }

    #[cold]
    fn insert(&mut self, slot: usize, hash: u64, text: &str, row: u64, row_key: u128) -> bool {
        if self.entries.len() >= self.limit {
            return false;
        }
        let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let entry = Entry {
            text: text[..end].into(),
            hash,
            is_whole: end == text.len(),
            count: 1,
            first_row: row,
            rows: row_key,
        };
        self.entries.push(entry);
        let Ok(position) = u32::try_from(self.entries.len()) else { return false };
        self.slots[slot] = (hash, position);
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
        true
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let mut slots = vec![(0, 0); mask + 1];
        for (hash, position) in self.slots.iter().filter(|(_, position)| *position > 0) {
            let mut slot = Self::first_slot(*hash, mask);
            while slots[slot].1 > 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = (*hash, *position);
        }
        self.slots = slots;
    }

    /// The maximum number of entries.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The entries, in the order of their first occurrence.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// The entries, in the order of their first occurrence.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
