//! The profile of one column.
//!
//! The type of a column: without values it is empty. Booleans in one form are boolean. Finite numbers are a number.
//! Strings with at most [`MAX_CATEGORIES`] distinct values are a category. Strings are free text instead if there are
//! more than [`ALWAYS_CATEGORIES`] distinct values, and more than half as many distinct values as values: names or ticket
//! numbers, for example.

use trainyard_domain::{CellReading, ColumnProfile, Dtype};

use super::dictionary::{Dictionary, Value};
use super::digest::Digests;
use crate::tokens::{self, BooleanForm};

/// A column with more distinct strings is never a category.
const MAX_CATEGORIES: u64 = 1_000;
/// A column with at most this many distinct strings is always a category.
const ALWAYS_CATEGORIES: u64 = 10;
/// Number of values listed in `top`.
const TOP: usize = 10;
/// Columns of numbers with more distinct values have a range instead of top values.
const MAX_TOP_NUMBERS: u64 = 20;

/// The profile while the column is read.
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
    /// Whether booleans occurred in more than one form.
    mixed: bool,
    /// Row and text of the first value that is not a number.
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

    /// Adds the cell of row `row`.
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
            Dtype::Text
        } else if self.booleans == self.present && !self.mixed {
            Dtype::Boolean
        } else if self.numbers == self.present {
            Dtype::Number
        } else if !self.dictionary.is_full()
            && distinct <= MAX_CATEGORIES
            && (distinct <= ALWAYS_CATEGORIES || 2 * distinct <= self.present)
        {
            Dtype::Category
        } else {
            Dtype::Text
        }
    }

    /// Returns the profile and the warnings of the column; `rows` is the number of data rows of the file.
    pub(super) fn finish(self, rows: u64) -> (ColumnProfile, Vec<String>) {
        let dtype = self.dtype();
        let distinct = match dtype {
            Dtype::Boolean => self.sides.iter().map(|seen| u64::from(*seen)).sum(),
            _ => self.dictionary.distinct(),
        };
        let listed = match dtype {
            Dtype::Boolean | Dtype::Category => true,
            Dtype::Number => distinct <= MAX_TOP_NUMBERS && !self.dictionary.is_full(),
            Dtype::Text | Dtype::Datetime => false,
        };
        let warnings = self.warnings(dtype, distinct, rows);
        let (values_digest, partition_digest) = self.digests.finish();
        let profile = ColumnProfile {
            name: self.name,
            dtype,
            reading: CellReading::default(),
            row_names: false,
            missing: self.missing,
            distinct,
            min: (dtype == Dtype::Number).then_some(self.min),
            max: (dtype == Dtype::Number).then_some(self.max),
            histogram: None,
            warnings: warnings.clone(),
            top: listed.then(|| self.dictionary.top(TOP)),
            values_digest,
            partition_digest,
        };
        (profile, warnings)
    }

    fn warnings(&self, dtype: Dtype, distinct: u64, rows: u64) -> Vec<String> {
        let name = &self.name;
        let mut warnings = Vec::new();
        match dtype {
            _ if distinct == 0 => return vec![format!("'{name}' has no values")],
            _ if distinct == 1 => warnings.push(format!("'{name}' has only one distinct value")),
            Dtype::Number if self.contains_row_numbers(distinct, rows) => {
                warnings
                    .push(format!("'{name}' contains the row numbers, which do not help a model to predict new rows"));
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
                "'{name}' has numbers in {numbers} of {present} values but is text because of '{text}' in row {row}"
            ));
        }
        warnings
    }

    /// Consecutive unique integers are an id. If the dictionary is full, the range decides: it must equal the number of
    /// rows.
    fn contains_row_numbers(&self, distinct: u64, rows: u64) -> bool {
        let all_different = distinct == rows || self.dictionary.is_full();
        self.integers
            && self.missing == 0
            && rows > ALWAYS_CATEGORIES
            && all_different
            && self.max - self.min + 1.0 == rows as f64
    }

    /// The first string in a column with at least 90 % numbers.
    fn stray_text(&self, dtype: Dtype) -> Option<&(u64, String)> {
        let stray = matches!(dtype, Dtype::Category | Dtype::Text) && self.numbers * 10 >= self.present * 9;
        self.first_text.as_ref().filter(|_| stray)
    }
}
