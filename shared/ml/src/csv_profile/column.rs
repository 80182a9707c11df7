//! One column's profile, value by value.
//!
//! How a column reads: without a value it is empty; booleans all written in one form make a boolean; finite numbers a
//! number; of texts, at most [`MAX_CATEGORIES`] distinct ones make a category, unless most rows have a text of their own
//! (more than half as many distinct texts as values, from [`FEW`] on): that is free text, such as names, ticket numbers,
//! or cabins that two or three people share.

use trainyard_domain::{ColumnProfile, Dtype};

use super::dictionary::{Dictionary, Value};
use super::digest::Digests;
use crate::tokens::{self, BooleanForm};

/// More distinct texts than this are never categories.
const MAX_CATEGORIES: u64 = 1_000;
/// This few distinct texts are categories in however few rows.
const FEW: u64 = 10;
/// Values listed as `top`.
const TOP: usize = 10;
/// Numbers with more distinct values than this are described by their range, not by their top values.
const MAX_TOP_NUMBERS: u64 = 20;

/// The profile in the making.
#[derive(Debug)]
pub(super) struct Column {
    name: String,
    present: u64,
    missing: u64,
    numbers: u64,
    integers: bool,
    min: f64,
    max: f64,
    booleans: u64,
    sides: [bool; 2],
    form: Option<BooleanForm>,
    /// Whether booleans came in more than one form.
    mixed: bool,
    /// Row and text of the first value that is no number.
    first_text: Option<(u64, String)>,
    dictionary: Dictionary,
    digests: Digests,
}

impl Column {
    pub(super) fn new(name: String, max_distinct: usize) -> Self {
        Self {
            name,
            present: 0,
            missing: 0,
            numbers: 0,
            integers: true,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            booleans: 0,
            sides: [false; 2],
            form: None,
            mixed: false,
            first_text: None,
            dictionary: Dictionary::new(max_distinct),
            digests: Digests::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the cell of row number `row`.
    pub(super) fn push(&mut self, text: &str, row: u64) {
        let Some(text) = tokens::present(text) else {
            self.missing += 1;
            return self.digests.push_missing();
        };
        self.present += 1;
        let value = Value::read(text);
        if let Value::Number(number) = value {
            self.numbers += 1;
            self.min = self.min.min(number);
            self.max = self.max.max(number);
            self.integers &= number.fract() == 0.0;
        } else if self.first_text.is_none() {
            self.first_text = Some((row, text.chars().take(40).collect()));
        }
        if let Some((value, form)) = value.boolean() {
            self.booleans += 1;
            self.sides[usize::from(value)] = true;
            self.mixed |= *self.form.get_or_insert(form) != form;
        }
        let position = self.dictionary.count(value);
        self.digests.push(value, position);
    }

    fn dtype(&self) -> Dtype {
        let distinct = self.dictionary.distinct();
        if self.present == 0 {
            Dtype::Empty
        } else if self.booleans == self.present && !self.mixed {
            Dtype::Boolean
        } else if self.numbers == self.present {
            Dtype::Number
        } else if !self.dictionary.is_full()
            && distinct <= MAX_CATEGORIES
            && (distinct <= FEW || 2 * distinct <= self.present)
        {
            Dtype::Category
        } else {
            Dtype::Text
        }
    }

    /// The profile, and what a person should know about the column; `rows` is the file's number of data rows.
    pub(super) fn finish(self, rows: u64) -> (ColumnProfile, Vec<String>) {
        let dtype = self.dtype();
        let distinct = match dtype {
            Dtype::Boolean => self.sides.iter().map(|seen| u64::from(*seen)).sum(),
            _ => self.dictionary.distinct(),
        };
        let listed = match dtype {
            Dtype::Boolean | Dtype::Category => true,
            Dtype::Number => distinct <= MAX_TOP_NUMBERS && !self.dictionary.is_full(),
            Dtype::Text | Dtype::Empty => false,
        };
        let warnings = self.warnings(dtype, distinct, rows);
        let (values_sha256, partition_sha256) = self.digests.finish();
        let profile = ColumnProfile {
            name: self.name,
            dtype,
            missing: self.missing,
            distinct,
            min: (dtype == Dtype::Number).then_some(self.min),
            max: (dtype == Dtype::Number).then_some(self.max),
            top: listed.then(|| self.dictionary.top(TOP)),
            values_sha256,
            partition_sha256,
        };
        (profile, warnings)
    }

    fn warnings(&self, dtype: Dtype, distinct: u64, rows: u64) -> Vec<String> {
        let name = &self.name;
        let mut warnings = Vec::new();
        match dtype {
            Dtype::Empty => return vec![format!("'{name}' has no value in any row")],
            _ if distinct == 1 => warnings.push(format!("'{name}' has the same value in every row that has one")),
            Dtype::Number if self.counts_rows(distinct, rows) => {
                warnings.push(format!("'{name}' numbers the rows, so a model can learn nothing general from it"));
            }
            Dtype::Text if distinct == rows => {
                warnings.push(format!("'{name}' has a different text in every row and can't be a feature"));
            }
            Dtype::Text => warnings.push(format!("'{name}' is free text and can't be a feature")),
            _ => {}
        }
        if let Some((row, text)) = self.stray_text(dtype) {
            let (numbers, present) = (self.numbers, self.present);
            warnings.push(format!(
                "'{name}' has numbers in {numbers} of {present} values but reads as text because of '{text}' in row {row}"
            ));
        }
        warnings
    }

    /// Consecutive integers, each once: an id. (Past the dictionary's cap the count is unknown, but a range that is
    /// exactly as long as the file tells.)
    fn counts_rows(&self, distinct: u64, rows: u64) -> bool {
        let all_different = distinct == rows || self.dictionary.is_full();
        self.integers && self.missing == 0 && rows > FEW && all_different && self.max - self.min + 1.0 == rows as f64
    }

    /// The first text in a column of which at least nine tenths are numbers.
    fn stray_text(&self, dtype: Dtype) -> Option<&(u64, String)> {
        let stray = matches!(dtype, Dtype::Category | Dtype::Text) && self.numbers * 10 >= self.present * 9;
        self.first_text.as_ref().filter(|_| stray)
    }
}
