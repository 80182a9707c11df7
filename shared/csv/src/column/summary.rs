//! From the counts of a column to its profile.

use std::cmp::Reverse;
use std::collections::HashMap;

use trainyard_domain::{BooleanForm, ColumnProfile, ColumnSchema, DecimalMark, Dtype, TableFormat};

use super::decide::{Decided, DecimalRule};
use super::dictionary::Entry;
use super::facts::Facts;
use super::histogram::{self, Histogram};
use super::tally::{Cells, Range, Stray, Tally, number_digest};
use super::{Column, Counts, Named};
use crate::cell::{Cell, Reader};
use crate::records::shortened;
use crate::{hash, tokens};

/// A column with at most this many distinct texts is always a category.
const ALWAYS_CATEGORIES: u64 = 10;
/// A column with at most this many distinct texts is a category if a third of the cells repeat a text.
const FEW_CATEGORIES: u64 = 50;
/// A column with at most this many distinct texts is a category if half of the cells repeat a text.
const MANY_CATEGORIES: u64 = 1_000;
/// A column with more distinct texts is a category if each occurs this often on average.
const MIN_CELLS_PER_CATEGORY: u64 = 10;
/// Number of values listed in `top`.
const TOP: usize = 5;
/// Columns of numbers with more distinct values have no top values.
const MAX_TOP_NUMBERS: u64 = 20;

/// The complete counts of a column.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(super) named: Named,
    pub(super) tally: Tally,
    /// The distinct texts, if they are below the limit.
    entries: Option<Vec<Entry>>,
    /// The number of distinct texts, or an estimate.
    distinct: u64,
    limit: u64,
}

/// What the profiles of all columns depend on.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The format of the table.
    pub(crate) format: &'a TableFormat,
    /// How decimal marks are decided.
    pub(crate) rule: DecimalRule,
    /// Number of data rows.
    pub(crate) rows: u64,
    /// Whether the caller named `NA` as a marker.
    pub(crate) na_is_missing: bool,
}

/// The values of a column after its type is known.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Cells with a value of the type.
    pub(super) valid: u64,
    /// Distinct values: a lower bound if there are more than the limit.
    pub(super) distinct: u64,
    pub(super) is_bound: bool,
    /// Cells with another text than the type allows, and the first of them.
    pub(super) strays: u64,
    pub(super) first_stray: Option<Stray>,
    pub(super) min: f64,
    pub(super) max: f64,
    histogram: Option<Vec<u64>>,
    top: Option<Vec<(String, u64)>>,
    digest: u128,
    partition: u128,
}

impl Column {
    /// Completes the counts.
    pub(crate) fn summarize(self) -> Summary {
        let Self { named, counts, markers } = self;
        match counts {
            Counts::Many(many) => {
                let distinct = many.distinct.distinct();
                Summary { named, tally: many.tally, entries: None, distinct, limit: many.limit }
            }
            Counts::Few(dictionary) => {
                let mut tally = Tally::default();
                let limit = dictionary.limit() as u64;
                let entries = dictionary.into_entries();
                for entry in &entries {
                    let cells = Cells { count: entry.count, first_row: entry.first_row, rows: entry.rows };
                    let is_date = named.dtype == Some(Dtype::Datetime);
                    let facts =
                        if entry.is_whole { Facts::read(&entry.text, &markers, is_date) } else { Facts::default() };
                    tally.add(&entry.text, hash::bytes(entry.text.as_bytes()), &facts, cells);
                }
                let distinct = entries.len() as u64;
                Summary { named, tally, entries: Some(entries), distinct, limit }
            }
        }
    }
}

impl Summary {
    /// The decimal mark that this column proves for the table.
    pub(crate) fn vote(&self) -> Option<DecimalMark> {
        self.tally.vote()
    }

    /// Whether the header has no name for the column, and no row has a value.
    pub(crate) fn is_unnamed_and_empty(&self) -> bool {
        !self.named.is_given && self.entries.as_ref().is_some_and(Vec::is_empty)
    }

    /// The profile of the column.
    pub(crate) fn profile(self, context: &Context<'_>) -> ColumnProfile {
        let mut decided = self.tally.decide(self.named.dtype, &context.rule, context.na_is_missing);
        let dtype = decided.dtype.unwrap_or_else(|| self.text_type(&decided));
        decided.dtype = Some(dtype);
        let values = match &self.entries {
            Some(entries) => self.exact_values(entries, dtype, &decided, context),
            None => self.estimated_values(dtype, &decided),
        };
        let row_names = self.contains_row_names(&values, context.rows);
        let warnings = self.warnings(dtype, &decided, &values, row_names, context);
        let ranged = matches!(dtype, Dtype::Number | Dtype::Datetime) && values.valid > 0;
        ColumnProfile {
            name: self.named.name,
            dtype,
            reading: decided.reading,
            row_names,
            missing: context.rows.saturating_sub(values.valid),
            distinct: values.distinct,
            min: ranged.then_some(values.min),
            max: ranged.then_some(values.max),
            histogram: values.histogram.filter(|_| ranged),
            top: values.top,
            warnings,
            values_digest: format!("{:032x}", values.digest),
            partition_digest: format!("{:032x}", values.partition),
        }
    }

    /// Category or text.
    fn text_type(&self, decided: &Decided) -> Dtype {
        let tally = &self.tally;
        let kept = if decided.reading.keeps_na { tally.na } else { 0 };
        let present = tally.values + tally.soft + tally.infinite + kept;
        let distinct = self.distinct;
        let is_category = distinct <= ALWAYS_CATEGORIES
            || (distinct <= FEW_CATEGORIES && distinct * 3 <= present * 2)
            || (distinct <= MANY_CATEGORIES && distinct * 2 <= present)
            || distinct * MIN_CELLS_PER_CATEGORY <= present;
        if is_category { Dtype::Category } else { Dtype::Text }
    }

    /// The values of a column whose distinct texts are known.
    fn exact_values(&self, entries: &[Entry], dtype: Dtype, decided: &Decided, context: &Context<'_>) -> Values {
        let column = ColumnSchema { name: String::new(), dtype, reading: decided.reading.clone() };
        let reader = Reader::new(context.format, &column);
        let is_text = matches!(dtype, Dtype::Category | Dtype::Text);
        let mut values = Values::default();
        let mut groups = Groups::default();
        for entry in entries {
            match reader.read(&entry.text) {
                Cell::Missing => {}
                Cell::Text(_) if is_text => groups.add(Key::Text(entry.hash), entry, || entry.shown()),
                Cell::Text(text) => {
                    values.strays += entry.count;
                    values.first_stray.get_or_insert_with(|| (entry.first_row, shortened(&text)));
                }
                Cell::Number(number) | Cell::Datetime(number) => {
                    groups.add(Key::Number(number.to_bits()), entry, || tokens::number_text(number));
                }
                Cell::Boolean(value) => {
                    groups.add(Key::Number(f64::from(u8::from(value)).to_bits()), entry, || {
                        word(value, decided.reading.boolean)
                    });
                }
            }
        }
        groups.write(&mut values);
        let is_listed = match dtype {
            Dtype::Boolean | Dtype::Category => true,
            Dtype::Number => values.distinct <= MAX_TOP_NUMBERS,
            Dtype::Text => values.distinct < values.valid,
            Dtype::Datetime => false,
        };
        values.top = (is_listed && values.valid > 0).then(|| groups.top());
        values
    }

    /// The values of a column with too many distinct texts to remember.
    fn estimated_values(&self, dtype: Dtype, decided: &Decided) -> Values {
        let tally = &self.tally;
        let all = tally.values;
        let mut values = Values { distinct: self.limit + 1, is_bound: true, ..Values::default() };
        match dtype {
            Dtype::Number => {
                let mark = decided.reading.number.unwrap_or_default().decimal;
                let style = tally.style(mark);
                values.set_ranges(&[&tally.both, &style.range]);
                values.first_stray.clone_from(&style.first_other);
            }
            Dtype::Datetime => {
                let [certain, day_first, month_first] = &tally.dates;
                let ordered = match decided.reading.date.unwrap_or_default() {
                    trainyard_domain::DateOrder::YearFirst => &Range::default(),
                    trainyard_domain::DateOrder::DayFirst => day_first,
                    trainyard_domain::DateOrder::MonthFirst => month_first,
                };
                values.set_ranges(&[certain, ordered]);
                values.first_stray.clone_from(&tally.first_no_date);
            }
            Dtype::Boolean => {
                let sides = tally.booleans.iter().fold([(0, 0_u128); 2], |sum, form| {
                    [0, 1].map(|side| (sum[side].0 + form[side].0, sum[side].1.wrapping_add(form[side].1)))
                });
                values.valid = sides.iter().map(|(count, _)| count).sum();
                values.distinct = sides.iter().map(|(count, _)| u64::from(*count > 0)).sum();
                values.is_bound = false;
                values.digest = number_digest(0.0, sides[0].1).wrapping_add(number_digest(1.0, sides[1].1));
            }
            Dtype::Category | Dtype::Text => {
                let (kept, digest) = if decided.reading.keeps_na { (tally.na, tally.na_digest) } else { (0, 0) };
                values.valid = all + tally.soft + tally.infinite + kept;
                values.digest = tally.texts.wrapping_add(digest);
            }
        }
        if !matches!(dtype, Dtype::Category | Dtype::Text) {
            values.strays = all.saturating_sub(values.valid);
        }
        // Too many classes for a partition: only equal columns have the same one.
        values.partition = strong(values.digest);
        values
    }

    /// Row names differ in all rows, and R or pandas wrote the header.
    fn contains_row_names(&self, values: &Values, rows: u64) -> bool {
        let all_different = if values.is_bound { self.distinct * 10 >= rows * 8 } else { values.distinct == rows };
        self.named.can_be_row_names && values.valid == rows && all_different
    }
}

impl Values {
    fn set_ranges(&mut self, ranges: &[&Range; 2]) {
        let [one, other] = ranges;
        self.valid = one.count + other.count;
        (self.min, self.max) = (one.min.min(other.min), one.max.max(other.max));
        self.histogram = Some(Histogram::intervals(&one.histogram, &other.histogram, self.min, self.max));
        self.digest = one.digest.wrapping_add(other.digest);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Number(u64),
    Text(u64),
}

/// The cells with one value.
#[derive(Debug)]
struct Group {
    key: Key,
    shown: String,
    count: u64,
    rows: u128,
}

/// The distinct values, in the order of their first occurrence.
#[derive(Debug, Default)]
struct Groups {
    groups: Vec<Group>,
    by_key: HashMap<Key, usize>,
}

impl Groups {
    fn add(&mut self, key: Key, entry: &Entry, shown: impl FnOnce() -> String) {
        let at = *self.by_key.entry(key).or_insert_with(|| {
            self.groups.push(Group { key, shown: shown(), count: 0, rows: 0 });
            self.groups.len() - 1
        });
        let group = &mut self.groups[at];
        group.count += entry.count;
        group.rows = group.rows.wrapping_add(entry.rows);
    }

    fn write(&self, values: &mut Values) {
        values.distinct = self.groups.len() as u64;
        (values.min, values.max) = (f64::INFINITY, f64::NEG_INFINITY);
        let numbers = || {
            self.groups.iter().filter_map(|group| match group.key {
                Key::Number(bits) => Some((f64::from_bits(bits), group.count)),
                Key::Text(_) => None,
            })
        };
        for group in &self.groups {
            values.valid += group.count;
            values.partition = values.partition.wrapping_add(strong(group.rows));
            values.digest = values.digest.wrapping_add(match group.key {
                Key::Number(bits) => number_digest(f64::from_bits(bits), group.rows),
                Key::Text(hash) => group.rows.wrapping_mul(u128::from(hash)),
            });
        }
        for (number, _) in numbers() {
            (values.min, values.max) = (values.min.min(number), values.max.max(number));
        }
        values.histogram = Some(histogram::exact(numbers(), values.min, values.max));
    }

    /// The most frequent values. Values with equal counts keep the order of their first occurrence.
    fn top(&self) -> Vec<(String, u64)> {
        let mut sorted: Vec<&Group> = self.groups.iter().collect();
        sorted.sort_by_key(|group| Reverse(group.count));
        sorted.into_iter().take(TOP).map(|group| (group.shown.clone(), group.count)).collect()
    }
}

/// A hash of a sum of row keys that cannot be added up.
fn strong(rows: u128) -> u128 {
    #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
    let (low, high) = (rows as u64, (rows >> 64) as u64);
    (u128::from(hash::number(low ^ hash::number(high))) << 64)
        | u128::from(hash::number(high.wrapping_add(hash::number(!low))))
}

fn word(value: bool, form: Option<BooleanForm>) -> String {
    let (no, yes) = match form {
        None | Some(BooleanForm::Digit) => ("0", "1"),
        Some(BooleanForm::TrueFalse) => ("false", "true"),
        Some(BooleanForm::YesNo) => ("no", "yes"),
    };
    if value { yes } else { no }.to_owned()
}
