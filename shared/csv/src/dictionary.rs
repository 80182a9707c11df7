//! The distinct values of a column with their counts, up to a limit.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::tokens::{self, BooleanForm};

/// Longer strings are compared by their SHA-256, so that the size of an entry is bounded.
const MAX_KEY_BYTES: usize = 96;

/// A present value. `1` and `1.0` are equal, and so are `True` and `true`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// A finite number, even if it could be a boolean.
    Number(f64),
    /// `true`, `false`, `yes` or `no`.
    Word(bool, BooleanForm),
    /// Any other string.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// Parses a present, trimmed value.
    pub(super) fn read(text: &'a str) -> Self {
        match (tokens::number(text), tokens::boolean(text)) {
            (Some(number), _) => Self::Number(number),
            (None, Some((value, form))) => Self::Word(value, form),
            (None, None) => Self::Text(text),
        }
    }

    /// The value as a boolean, with its form.
    pub(super) fn boolean(self) -> Option<(bool, BooleanForm)> {
        match self {
            Self::Number(number) if number == 0.0 || number == 1.0 => Some((number == 1.0, BooleanForm::Digit)),
            Self::Word(value, form) => Some((value, form)),
            Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// The canonical spelling.
    fn spelled(self) -> String {
        match self {
            Self::Number(number) => tokens::number_text(number),
            Self::Word(value, BooleanForm::YesNo) => if value { "yes" } else { "no" }.to_owned(),
            Self::Word(value, _) => value.to_string(),
            Self::Text(text) => match text.char_indices().nth(MAX_KEY_BYTES) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text.to_owned(),
            },
        }
    }
}

/// Distinct values with their counts, numbered in the order of their first occurrence.
#[derive(Debug)]
pub(super) struct Dictionary {
    entries: HashMap<Box<[u8]>, Entry>,
    cap: usize,
    full: bool,
    key: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    position: u32,
    count: u64,
    spelled: Box<str>,
}

impl Dictionary {
    pub(super) fn new(cap: usize) -> Self {
        Self { entries: HashMap::new(), cap, full: false, key: Vec::new() }
    }

    /// Counts a value and returns its number. Above the limit all entries are dropped and the result is `None`.
    pub(super) fn count(&mut self, value: Value<'_>) -> Option<u32> {
        if self.full {
            return None;
        }
        write_key(&mut self.key, value);
        if let Some(entry) = self.entries.get_mut(self.key.as_slice()) {
            entry.count += 1;
            return Some(entry.position);
        }
        if self.entries.len() == self.cap {
            self.full = true;
            self.entries = HashMap::new();
            return None;
        }
        let position = u32::try_from(self.entries.len()).ok()?;
        let entry = Entry { position, count: 1, spelled: value.spelled().into() };
        self.entries.insert(self.key.as_slice().into(), entry);
        Some(position)
    }

    /// Number of distinct values; above the limit, the limit plus one.
    pub(super) fn distinct(&self) -> u64 {
        if self.full { self.cap as u64 + 1 } else { self.entries.len() as u64 }
    }

    /// Whether there were more distinct values than the limit.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// The `n` most frequent values. Values with equal counts keep the order of their first occurrence.
    pub(super) fn top(&self, n: usize) -> Vec<(String, u64)> {
        let mut entries: Vec<_> = self.entries.values().collect();
        entries.sort_unstable_by_key(|entry| (std::cmp::Reverse(entry.count), entry.position));
        entries.into_iter().take(n).map(|entry| (entry.spelled.to_string(), entry.count)).collect()
    }
}

fn write_key(key: &mut Vec<u8>, value: Value<'_>) {
    key.clear();
    match value {
        Value::Number(number) => {
            key.push(0);
            key.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Word(value, form) => key.extend_from_slice(&[1, form as u8, u8::from(value)]),
        Value::Text(text) if text.len() <= MAX_KEY_BYTES => {
            key.push(2);
            key.extend_from_slice(text.as_bytes());
        }
        Value::Text(text) => {
            key.push(3);
            key.extend_from_slice(&Sha256::digest(text));
        }
    }
}
