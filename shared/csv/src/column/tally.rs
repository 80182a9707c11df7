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

    /// Adds numbers, and calls `on_hash` with the hash of each. Returns their count and their digest.
    fn add_all(&mut self, numbers: &[Number], mut on_hash: impl FnMut(u64)) -> (u64, u128) {
        let (mut count, mut digest) = (0, 0_u128);
        let (mut min, mut max) = (self.min, self.max);
        for Number { value, count: cells, rows } in numbers {
            let hash = hash::number(value.to_bits());
            on_hash(hash);
            digest = digest.wrapping_add(rows.wrapping_mul(u128::from(hash)));
            count += cells;
            min = if *value < min { *value } else { min };
            max = if *value > max { *value } else { max };
        }
        for number in numbers {
            self.histogram.add(number.value, number.count);
        }
        (self.min, self.max) = (min, max);
        self.count += count;
        self.digest = self.digest.wrapping_add(digest);
        (count, digest)
    }
}

/// Cells with one short plain number.
#[derive(Debug)]
struct Number {
    value: f64,
    /// Number of cells.
    count: u64,
    /// The sum of the keys of their rows.
    rows: u128,
}

/// Short plain numbers that are not counted yet. Many are counted together, in loops that keep their sums in registers.
#[derive(Debug, Default)]
struct Waiting {
    /// Without a point.
    whole: Vec<Number>,
    /// With a point, as decimal mark.
    fractional: Vec<Number>,
    /// With a point that can separate thousands, read so.
    groups: Vec<Number>,
}

/// Number of short numbers that wait at most.
const MAX_WAITING: usize = 256;

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
    waiting: Waiting,
}

impl Tally {
    /// Adds a short plain number, which [`Self::count_short`] counts later. Returns whether that is necessary now.
    #[inline]
    pub(super) fn add_short(&mut self, short: Short, cells: Cells) -> bool {
        let Short { value, fraction, as_group } = short;
        let number = |value| Number { value, count: cells.count, rows: cells.rows };
        if value == 0.0 || value == 1.0 {
            self.add_boolean(value == 1.0, BooleanForm::Digit, cells);
        }
        if fraction == 0 {
            self.waiting.whole.push(number(value));
            return self.waiting.whole.len() >= MAX_WAITING;
        }
        match as_group {
            Some(group) => self.waiting.groups.push(number(group)),
            None if self.comma.first_other.is_none() => {
                self.comma.first_other = Some((cells.first_row, value.to_string()));
            }
            None => {}
        }
        self.waiting.fractional.push(number(value));
        self.waiting.fractional.len() >= MAX_WAITING
    }

    /// Counts the short plain numbers that were added, and calls `on_hash` with the hash of each.
    pub(super) fn count_short(&mut self, mut on_hash: impl FnMut(u64)) {
        let Waiting { whole, fractional, groups } = &mut self.waiting;
        let (integers, of_whole) = self.both.add_all(whole, &mut on_hash);
        let (decimals, of_fractional) = self.point.range.add_all(fractional, on_hash);
        let (grouped, _) = self.comma.range.add_all(groups, |_| {});
        self.integers += integers;
        self.point.decimals += decimals;
        self.comma.grouped += grouped;
        self.values += integers + decimals;
        self.texts = self.texts.wrapping_add(of_whole).wrapping_add(of_fractional);
        for counted in [whole, fractional, groups] {
            counted.clear();
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
