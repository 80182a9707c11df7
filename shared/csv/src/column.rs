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
use crate::cell::number::Short;
use crate::cell::word::Word;
use crate::cell::{normalized, number, trimmed};
use crate::hash;
use crate::split::{Batch, Span};

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
        let cells = spans.zip(keys).zip(batch.first_row + 1..).filter(|((span, _), _)| span.len() > 0);
        let mut cells = cells.map(|((span, key), row)| Place { span: *span, row, key: *key });
        let mut new = None;
        if let Counts::Few(dictionary) = &mut self.counts {
            new = cells.find(|cell| !dictionary.count_cell(batch, *cell));
            if new.is_none() {
                return;
            }
            self.expand();
        }
        if let Counts::Many(many) = &mut self.counts {
            new.into_iter().chain(cells).for_each(|cell| many.push(batch, cell, &self.markers));
            many.count_short();
        }
    }

    /// Counts what the cells could be from now on.
    #[cold]
    fn expand(&mut self) {
        let mut many =
            Box::new(Many { digits_are_dates: self.named.dtype == Some(Dtype::Datetime), ..Many::default() });
        if let Counts::Few(dictionary) = std::mem::replace(&mut self.counts, Counts::Many(Box::default())) {
            many.limit = dictionary.limit() as u64;
            for entry in dictionary.into_entries() {
                many.push_entry(&entry, &self.markers);
            }
        }
        self.counts = Counts::Many(many);
    }
}

/// A cell that is not empty: its place in a batch, its row from 1, and the key of the row.
#[derive(Clone, Copy)]
struct Place {
    span: Span,
    row: u64,
    key: u128,
}

impl Dictionary {
    /// Counts a cell. Returns false if its text is new and the dictionary is full.
    #[inline]
    fn count_cell(&mut self, batch: &Batch, cell: Place) -> bool {
        if let Some(word) = batch.word(cell.span).filter(|word| word.is_plain()) {
            return self.count_word(word, cell.row, cell.key, || batch.field(cell.span));
        }
        let text = trimmed(batch.field(cell.span));
        text.is_empty() || self.count(&normalized(text), cell.row, cell.key)
    }
}

impl Many {
    #[inline]
    fn push(&mut self, batch: &Batch, cell: Place, markers: &Markers) {
        let cells = Cells { count: 1, first_row: cell.row, rows: cell.key };
        if markers.has_no_numbers() && !self.digits_are_dates {
            let word = batch.word(cell.span).and_then(Word::number);
            if let Some(short) = word.or_else(|| number::short_plain(trimmed(batch.field(cell.span)))) {
                return self.push_short(short, cells);
            }
        }
        let text = trimmed(batch.field(cell.span));
        if !text.is_empty() {
            self.push_cells(&normalized(text), cells, markers);
        }
    }

    #[inline]
    fn push_short(&mut self, short: Short, cells: Cells) {
        if self.tally.add_short(short, cells) {
            self.count_short();
        }
    }

    #[inline(never)]
    fn count_short(&mut self) {
        self.tally.count_short(|hash| self.distinct.add_hash(hash));
    }

    fn push_entry(&mut self, entry: &Entry, markers: &Markers) {
        let cells = Cells { count: entry.count, first_row: entry.first_row, rows: entry.rows };
        match number::short_plain(&entry.text).filter(|_| markers.has_no_numbers() && !self.digits_are_dates) {
            Some(short) => self.push_short(short, cells),
            None if entry.is_whole => self.push_cells(&entry.text, cells, markers),
            None => {
                self.distinct.add_hash(entry.hash);
                self.tally.add(&entry.text, hash::bytes(entry.text.as_bytes()), &Facts::default(), cells);
            }
        }
    }

    fn push_cells(&mut self, text: &str, cells: Cells, markers: &Markers) {
        let hash = hash::bytes(text.as_bytes());
        self.distinct.add_hash(hash);
        self.tally.add(text, hash, &Facts::read(text, markers, self.digits_are_dates), cells);
    }
}
