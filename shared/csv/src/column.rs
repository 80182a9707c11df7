//! The profile of one column while the file is read.
//!
//! Up to a limit of distinct texts a column only counts texts, and everything is decided from the distinct texts at the end.
//! Beyond the limit the column counts what each cell could be.

mod decide;
mod dictionary;
mod estimate;
mod facts;
mod histogram;
mod summary;
mod tally;
mod warnings;

use trainyard_domain::Dtype;

use self::dictionary::{Dictionary, Entry};
use self::estimate::Estimate;
use self::facts::Facts;
use self::tally::{Cells, Tally};
use crate::cell::missing::Markers;
use crate::cell::{normalized, number, trimmed};
use crate::split::Batch;

pub(crate) use self::decide::DecimalRule;
pub(crate) use self::summary::{Context, Summary};

/// A column of the header.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    /// The unique name.
    pub(crate) name: String,
    /// The position in the file, from 1.
    pub(crate) position: usize,
    /// Whether the header has the name.
    pub(crate) is_given: bool,
    /// The type that the caller set.
    pub(crate) dtype: Option<Dtype>,
    /// Whether the column can hold row names: it is the first, and its name says so.
    pub(crate) can_be_row_names: bool,
}

/// The counts of a column.
#[derive(Debug)]
pub(crate) struct Column {
    named: Named,
    counts: Counts,
    markers: Markers,
}

#[derive(Debug)]
enum Counts {
    /// Distinct texts.
    Few(Dictionary),
    /// What the cells could be.
    Many(Box<Many>),
}

/// The counts of a column with more distinct texts than the limit.
#[derive(Debug, Default)]
struct Many {
    tally: Tally,
    distinct: Estimate,
    digits_are_dates: bool,
    /// The limit of distinct texts that was exceeded.
    limit: u64,
}

impl Column {
    /// A column with up to `limit` distinct texts that are counted.
    pub(crate) fn new(named: Named, markers: Markers, limit: usize) -> Self {
        Self { named, counts: Counts::Few(Dictionary::new(limit)), markers }
    }

    /// Adds column `at` of a batch of rows with `width` fields. `keys` are the keys of the rows.
    pub(crate) fn push(&mut self, batch: &Batch, at: usize, width: usize, keys: &[u128]) {
        let spans = batch.fields.iter().skip(at).step_by(width);
        for (offset, (span, key)) in spans.zip(keys).enumerate() {
            let text = trimmed(batch.field(*span));
            if !text.is_empty() {
                self.push_text(text, batch.first_row + offset as u64 + 1, *key);
            }
        }
    }

    #[inline]
    fn push_text(&mut self, text: &str, row: u64, key: u128) {
        match &mut self.counts {
            Counts::Many(many) => many.push(text, row, key, &self.markers),
            Counts::Few(dictionary) => {
                let normal = normalized(text);
                if !dictionary.count(&normal, row, key) {
                    self.expand();
                    self.push_text(text, row, key);
                }
            }
        }
    }

    /// Counts what the cells could be from now on.
    #[cold]
    fn expand(&mut self) {
        let mut many =
            Box::new(Many { digits_are_dates: self.named.dtype == Some(Dtype::Datetime), ..Many::default() });
        if let Counts::Few(dictionary) = &self.counts {
            many.limit = dictionary.limit() as u64;
            for entry in dictionary.entries() {
                many.push_entry(entry, &self.markers);
            }
        }
        self.counts = Counts::Many(many);
    }
}

impl Many {
    #[inline]
    fn push(&mut self, text: &str, row: u64, key: u128, markers: &Markers) {
        let cells = Cells { count: 1, first_row: row, rows: key };
        match number::short_plain(text) {
            Some(short) if markers.has_no_numbers() && !self.digits_are_dates => {
                self.distinct.add_number(short.value);
                self.tally.add_short(short, cells);
            }
            _ => self.push_cells(&normalized(text), cells, markers),
        }
    }

    fn push_entry(&mut self, entry: &Entry, markers: &Markers) {
        let cells = Cells { count: entry.count, first_row: entry.first_row, rows: entry.rows };
        match number::short_plain(&entry.text).filter(|_| markers.has_no_numbers() && !self.digits_are_dates) {
            Some(short) => {
                self.distinct.add_number(short.value);
                self.tally.add_short(short, cells);
            }
            None if entry.is_whole => self.push_cells(&entry.text, cells, markers),
            None => {
                self.distinct.add_hash(entry.hash);
                self.tally.add(&entry.text, &Facts::default(), cells);
            }
        }
    }

    fn push_cells(&mut self, text: &str, cells: Cells, markers: &Markers) {
        self.distinct.add_text(text);
        self.tally.add(text, &Facts::read(text, markers, self.digits_are_dates), cells);
    }
}
