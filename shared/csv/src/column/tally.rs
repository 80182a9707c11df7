//! Counts of everything that the cells of a column could be.

use trainyard_domain::{BooleanForm, DecimalMark};

use super::facts::{Code, Facts};
use super::histogram::Histogram;
use crate::cell::missing::Marker;
use crate::cell::number::{Parsed, Short, Unit};
use crate::hash;
use crate::records::shortened;

/// The range of numbers, with their digest.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) count: u64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) histogram: Histogram,
    pub(super) digest: u128,
}

impl Default for Range {
    fn default() -> Self {
        Self { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY, histogram: Histogram::default(), digest: 0 }
    }
}

impl Range {
    #[inline]
    fn add(&mut self, value: f64, cells: Cells) {
        self.count += cells.count;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.histogram.add(value, cells.count);
        self.digest = self.digest.wrapping_add(number_digest(value, cells.rows));
    }
}

/// The digest of the rows that have this number.
pub(super) fn number_digest(value: f64, rows: u128) -> u128 {
    rows.wrapping_mul(u128::from(hash::number(value.to_bits())))
}

/// The cells with one text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells {
    /// Number of cells.
    pub(super) count: u64,
    /// The first row, counted from 1.
    pub(super) first_row: u64,
    /// The sum of the keys of their rows.
    pub(super) rows: u128,
}

/// Numbers that only one decimal mark explains, and the styles that occur.
#[derive(Debug, Default)]
pub(super) struct Style {
    pub(super) range: Range,
    pub(super) grouped: u64,
    pub(super) decorated: u64,
    /// Number of cells with a unit of letters.
    pub(super) lettered: u64,
    /// Numbers with digits behind the decimal mark.
    pub(super) decimals: u64,
    pub(super) first_other: Option<Stray>,
}

/// The first cell that is not of a type: its row and its text.
pub(super) type Stray = (u64, String);

/// The counts of a column.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Cells with a text that is no marker.
    pub(super) values: u64,
    pub(super) na: u64,
    pub(super) soft: u64,
    pub(super) infinite: u64,
    /// Numbers with the same value for both decimal marks.
    pub(super) both: Range,
    pub(super) point: Style,
    pub(super) comma: Style,
    pub(super) units: Units,
    pub(super) integers: u64,
    pub(super) leading_zeros: u64,
    pub(super) exponents: u64,
    pub(super) inexact: u64,
    /// Dates whose order is certain, with the day first, and with the month first.
    pub(super) dates: [Range; 3],
    pub(super) slashes: u64,
    pub(super) first_no_date: Option<Stray>,
    /// Count and rows of false and true, for each form.
    pub(super) booleans: [[(u64, u128); 2]; 3],
    /// The digest of all texts except `NA`.
    pub(super) texts: u128,
    /// The digest of the cells `NA`.
    pub(super) na_digest: u128,
}

impl Tally {
    /// Adds a short plain number.
    #[inline]
    pub(super) fn add_short(&mut self, short: Short, cells: Cells) {
        self.values += cells.count;
        self.texts = self.texts.wrapping_add(number_digest(short.value, cells.rows));
        if short.fraction == 0 {
            self.integers += cells.count;
            self.both.add(short.value, cells);
        } else {
            self.point.decimals += cells.count;
            self.point.range.add(short.value, cells);
            match short.as_group {
                Some(value) => {
                    self.comma.grouped += cells.count;
                    self.comma.range.add(value, cells);
                }
                None if self.comma.first_other.is_none() => {
                    self.comma.first_other = Some((cells.first_row, short.value.to_string()));
                }
                None => {}
            }
        }
        if short.value == 0.0 || short.value == 1.0 {
            self.add_boolean(short.value == 1.0, BooleanForm::Digit, cells);
        }
    }

    /// Adds the cells with a text that has this hash.
    pub(super) fn add(&mut self, text: &str, hash: u64, facts: &Facts<'_>, cells: Cells) {
        let digest = cells.rows.wrapping_mul(u128::from(hash));
        match facts.marker {
            Some(Marker::Missing) => return,
            Some(Marker::Na) => {
                self.na += cells.count;
                self.na_digest = self.na_digest.wrapping_add(digest);
                return;
            }
            Some(_) | None => self.texts = self.texts.wrapping_add(digest),
        }
        match facts.marker {
            Some(Marker::Soft) => return self.soft += cells.count,
            Some(_) => return self.infinite += cells.count,
            None => self.values += cells.count,
        }
        self.add_numbers(text, facts, cells);
        self.add_dates(text, facts, cells);
        if let Some((value, form)) = facts.boolean {
            self.add_boolean(value, form, cells);
        }
    }

    fn add_numbers(&mut self, text: &str, facts: &Facts<'_>, cells: Cells) {
        match facts.code {
            Code::None => {}
            Code::Integer => self.integers += cells.count,
            Code::LeadingZero => self.leading_zeros += cells.count,
            Code::Exponent => self.exponents += cells.count,
            Code::Inexact => self.inexact += cells.count,
        }
        if let (Some(point), Some(comma)) = (&facts.point, &facts.comma)
            && point.value == comma.value
        {
            self.both.add(point.value, cells);
            self.point.count(point, false, cells.count);
            self.comma.count(comma, false, cells.count);
        } else {
            self.point.add(text, facts.point.as_ref(), '.', cells);
            self.comma.add(text, facts.comma.as_ref(), ',', cells);
        }
        if let Some(parsed) = facts.point.or(facts.comma) {
            self.units.add(parsed.unit);
        }
    }

    fn add_dates(&mut self, text: &str, facts: &Facts<'_>, cells: Cells) {
        let dates = [facts.dates.certain, facts.dates.day_first, facts.dates.month_first];
        for (range, date) in self.dates.iter_mut().zip(dates) {
            if let Some(date) = date {
                range.add(date, cells);
            }
        }
        self.slashes += u64::from(facts.dates.slash) * cells.count;
        if dates == [None; 3] {
            note(&mut self.first_no_date, text, cells);
        }
    }

    fn add_boolean(&mut self, value: bool, form: BooleanForm, cells: Cells) {
        let (count, rows) = &mut self.booleans[form as usize][usize::from(value)];
        *count += cells.count;
        *rows = rows.wrapping_add(cells.rows);
    }

    /// The numbers of one decimal mark.
    pub(super) fn style(&self, mark: DecimalMark) -> &Style {
        match mark {
            DecimalMark::Point => &self.point,
            DecimalMark::Comma => &self.comma,
        }
    }

    /// Number of cells that are numbers with this decimal mark.
    pub(super) fn numbers(&self, mark: DecimalMark) -> u64 {
        self.both.count + self.style(mark).range.count
    }
}

impl Style {
    fn add(&mut self, text: &str, parsed: Option<&Parsed<'_>>, mark: char, cells: Cells) {
        let Some(parsed) = parsed else { return note(&mut self.first_other, text, cells) };
        self.range.add(parsed.value, cells);
        self.count(parsed, text.contains(mark), cells.count);
    }

    fn count(&mut self, parsed: &Parsed<'_>, has_mark: bool, count: u64) {
        self.grouped += u64::from(parsed.grouped) * count;
        self.decorated += u64::from(parsed.decorated) * count;
        self.lettered += u64::from(matches!(parsed.unit, Unit::Letters(_))) * count;
        self.decimals += u64::from(has_mark) * count;
    }
}

fn note(first: &mut Option<Stray>, text: &str, cells: Cells) {
    if first.as_ref().is_none_or(|(row, _)| cells.first_row < *row) {
        *first = Some((cells.first_row, shortened(text)));
    }
}

/// The units and currencies of a column.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// The first unit or currency.
    pub(super) first: Option<String>,
    /// Whether another one occurs: amounts in euros and dollars cannot be compared.
    pub(super) is_mixed: bool,
}

impl Units {
    fn add(&mut self, unit: Unit<'_>) {
        let text = match unit {
            Unit::None => return,
            Unit::Percent => "%",
            Unit::Currency(text) | Unit::Letters(text) => text,
        };
        match &self.first {
            None => self.first = Some(text.to_owned()),
            // `1 room` and `2 rooms` have the same unit.
            Some(first) => {
                let (first, text) = (first.trim_end_matches(['s', '.']), text.trim_end_matches(['s', '.']));
                self.is_mixed |= !first.eq_ignore_ascii_case(text);
            }
        }
    }
}
