//! The type of a column, decided from the counts of all its cells.

use trainyard_domain::{BooleanForm, CellReading, DateOrder, DecimalMark, Delimiter, Dtype, NumberStyle};

use super::tally::Tally;

/// A column with fewer numbers has no stray texts: one text makes it a column of texts.
const MIN_WITH_STRAYS: u64 = 100;
/// One of this many values may be a stray text.
const STRAY_SHARE: u64 = 100;

/// How the decimal mark of a column is decided where both marks explain the same cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecimalRule {
    /// The mark that the caller set for all columns.
    pub(crate) set: Option<DecimalMark>,
    /// The mark of most columns in which only one mark is possible.
    pub(crate) voted: Option<DecimalMark>,
    /// The delimiter: semicolons are used where the comma is the decimal mark.
    pub(crate) delimiter: Delimiter,
}

/// The type of a column, and why.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decided {
    /// The type; `None` for a category or a text, which the number of distinct values decides.
    pub(crate) dtype: Option<Dtype>,
    /// How its cells are read.
    pub(crate) reading: CellReading,
    /// Whether both orders of day and month explain all dates.
    pub(crate) is_order_unclear: bool,
    /// Why numbers are kept as texts.
    pub(crate) code: Option<&'static str>,
}

impl Tally {
    /// The decimal mark that this column proves for the table.
    pub(crate) fn vote(&self) -> Option<DecimalMark> {
        let (point, comma) = (self.numbers(DecimalMark::Point), self.numbers(DecimalMark::Comma));
        match point.cmp(&comma) {
            std::cmp::Ordering::Greater if self.is_enough(point) => Some(DecimalMark::Point),
            std::cmp::Ordering::Less if self.is_enough(comma) => Some(DecimalMark::Comma),
            _ => None,
        }
    }

    /// Decides the type. `na_is_missing` if the caller named `NA` as a marker.
    ///
    /// The reading covers other types as well if some cells fit, because a job can change the type.
    pub(crate) fn decide(&self, set: Option<Dtype>, rule: &DecimalRule, na_is_missing: bool) -> Decided {
        let mark = self.mark(rule);
        let mut decided = self.decide_type(set, mark, na_is_missing);
        let (numbers, dates) = (self.numbers(mark), self.dates.iter().map(|range| range.count).sum::<u64>());
        let form = self.most_common_form();
        let reading = &mut decided.reading;
        reading.number = reading.number.or_else(|| (numbers > 0).then(|| self.number_style(mark)));
        reading.date = reading.date.or_else(|| (dates > 0).then(|| self.order()));
        reading.boolean = reading.boolean.or_else(|| (self.in_form(form) > 0).then_some(form));
        decided
    }

    fn decide_type(&self, set: Option<Dtype>, mark: DecimalMark, na_is_missing: bool) -> Decided {
        let number = || Decided {
            dtype: Some(Dtype::Number),
            reading: CellReading { number: Some(self.number_style(mark)), ..CellReading::default() },
            ..Decided::default()
        };
        let boolean = |form| Decided {
            dtype: Some(Dtype::Boolean),
            reading: CellReading { boolean: Some(form), ..CellReading::default() },
            ..Decided::default()
        };
        match set {
            Some(Dtype::Number) => return number(),
            Some(Dtype::Boolean) => return boolean(self.most_common_form()),
            Some(Dtype::Datetime) => return self.datetime(),
            Some(Dtype::Category | Dtype::Text) => return Decided { dtype: set, ..self.text(na_is_missing) },
            None => {}
        }
        if self.values == 0 {
            return Decided { dtype: Some(Dtype::Text), ..Decided::default() };
        }
        let code = self.code(mark);
        if let Some(form) = self.boolean_form() {
            boolean(form)
        } else if code.is_none() && self.is_number(mark) {
            number()
        } else if self.is_enough(self.dates_in_order(self.order())) {
            self.datetime()
        } else {
            Decided { code: code.filter(|_| self.is_number(mark)), ..self.text(na_is_missing) }
        }
    }

    fn text(&self, na_is_missing: bool) -> Decided {
        let numbers = self.numbers(DecimalMark::Point).max(self.numbers(DecimalMark::Comma));
        // Beside codes that consist of digits, `NA` is a missing value.
        let keeps_na = self.na > 0 && !na_is_missing && self.values > 0 && numbers * 2 <= self.values;
        Decided { reading: CellReading { keeps_na, ..CellReading::default() }, ..Decided::default() }
    }

    fn datetime(&self) -> Decided {
        let order = self.order();
        let [_, day_first, month_first] = &self.dates;
        Decided {
            dtype: Some(Dtype::Datetime),
            reading: CellReading { date: Some(order), ..CellReading::default() },
            is_order_unclear: order != DateOrder::YearFirst && day_first.count == month_first.count,
            ..Decided::default()
        }
    }

    /// Whether these cells are enough for a type: all values, or all but a few strays.
    fn is_enough(&self, cells: u64) -> bool {
        let strays = self.values.saturating_sub(cells);
        cells > 0 && (strays == 0 || (cells >= MIN_WITH_STRAYS && strays * STRAY_SHARE <= self.values))
    }

    fn mark(&self, rule: &DecimalRule) -> DecimalMark {
        let (point, comma) = (self.numbers(DecimalMark::Point), self.numbers(DecimalMark::Comma));
        if let Some(set) = rule.set {
            set
        } else if point != comma {
            if point > comma { DecimalMark::Point } else { DecimalMark::Comma }
        } else if let Some(voted) = rule.voted {
            voted
        } else if self.comma.decimals > 0 && rule.delimiter == Delimiter::Semicolon {
            // `1,234` only: in a table with semicolons the comma is the decimal mark.
            DecimalMark::Comma
        } else {
            DecimalMark::Point
        }
    }

    fn is_number(&self, mark: DecimalMark) -> bool {
        let (numbers, lettered) = (self.numbers(mark), self.style(mark).lettered);
        // A unit must follow all numbers, except for strays.
        let few = |cells: u64| cells == 0 || (numbers >= MIN_WITH_STRAYS && cells * STRAY_SHARE <= numbers);
        self.is_enough(numbers) && !self.units.is_mixed && (few(lettered) || few(numbers - lettered.min(numbers)))
    }

    pub(super) fn number_style(&self, mark: DecimalMark) -> NumberStyle {
        let style = self.style(mark);
        NumberStyle { decimal: mark, grouped: style.grouped > 0, decorated: style.decorated > 0 }
    }

    /// Why numbers of the column are codes that must be kept as they are written.
    fn code(&self, mark: DecimalMark) -> Option<&'static str> {
        let decimals = self.style(mark).decimals;
        if self.leading_zeros > 0 && decimals * 2 <= self.values {
            Some("some have leading zeros")
        } else if decimals > 0 {
            None
        } else if self.inexact > 0 {
            Some("some are too large to be exact as numbers")
        } else if self.exponents > 0 && self.integers > 0 {
            Some("some look like codes with the letter E")
        } else {
            None
        }
    }

    fn boolean_form(&self) -> Option<BooleanForm> {
        FORMS.into_iter().find(|form| self.infinite == 0 && self.in_form(*form) == self.values)
    }

    fn most_common_form(&self) -> BooleanForm {
        FORMS.into_iter().max_by_key(|form| self.in_form(*form)).unwrap_or(BooleanForm::Digit)
    }

    fn in_form(&self, form: BooleanForm) -> u64 {
        self.booleans[form as usize].iter().map(|(count, _)| count).sum()
    }

    fn order(&self) -> DateOrder {
        let [_, day_first, month_first] = &self.dates;
        match day_first.count.cmp(&month_first.count) {
            std::cmp::Ordering::Greater => DateOrder::DayFirst,
            std::cmp::Ordering::Less => DateOrder::MonthFirst,
            std::cmp::Ordering::Equal if day_first.count == 0 => DateOrder::YearFirst,
            std::cmp::Ordering::Equal if self.slashes > 0 => DateOrder::MonthFirst,
            std::cmp::Ordering::Equal => DateOrder::DayFirst,
        }
    }

    pub(super) fn dates_in_order(&self, order: DateOrder) -> u64 {
        let [certain, day_first, month_first] = &self.dates;
        certain.count
            + match order {
                DateOrder::YearFirst => 0,
                DateOrder::DayFirst => day_first.count,
                DateOrder::MonthFirst => month_first.count,
            }
    }
}

const FORMS: [BooleanForm; 3] = [BooleanForm::Digit, BooleanForm::TrueFalse, BooleanForm::YesNo];
