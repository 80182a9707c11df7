//! The parts of dates. The inputs are seconds since 1970, because no operator of ONNX reads the text of a date.
//!
//! Days become years and months by integers, as in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013),
//! `civil_from_days`. All integers are shifted by whole cycles of 400 years and never negative, so that the division of
//! ONNX, which rounds towards zero, is the one of the algorithm.

use super::columns::{Entry, Lookup, RawColumn};
use super::graph::{Graph, Tensor};
use super::proto::{DOUBLE, INT64};
use crate::model::{DatePart, DateUnit, FeatureKind, Scaling, Signature};

const DAY_S: i64 = 86_400;
/// Days of 400 years, after which the calendar repeats. The number is a multiple of seven.
const CYCLE_DAYS: i64 = 146_097;
/// Cycles by which dates are shifted: 280,000 years.
const SHIFT: i64 = 700;
/// Days from the first of March of the year 0 to 1970.
const EPOCH_DAYS: i64 = 719_468;
/// The largest distance of a date from 1970 in seconds, 259,000 years: just below the range of `chrono`.
const MAX_SECONDS: f64 = 8.2e12;

/// The dates of all rows: matrices with one column per feature of dates.
pub(super) struct Dates {
    /// 0 for a missing date.
    seconds: Tensor,
    valid: Tensor,
    calendar: Calendar,
    /// The parts that are columns of the numbers.
    selected: Vec<(usize, NumberUnit, Scaling)>,
}

/// The calendar of each date.
struct Calendar {
    year: Tensor,
    /// From 0; 12 for a missing date.
    month: Tensor,
    /// From 0 for Monday; 7 for a missing date.
    weekday: Tensor,
    /// 24 for a missing date.
    hour: Tensor,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum NumberUnit {
    Days,
    Year,
}

/// Where the raw value of a part comes from.
enum Source {
    Number(NumberUnit),
    Month,
    Weekday,
    Hour,
}

/// The parts of dates that are numbers.
pub(super) struct DateNumbers {
    /// `f64`, one column per part.
    pub(super) values: Tensor,
    pub(super) valid: Tensor,
    pub(super) scalings: Vec<Scaling>,
}

fn source(unit: DateUnit) -> Source {
    match unit {
        DateUnit::Ordinal => Source::Number(NumberUnit::Days),
        DateUnit::Year => Source::Number(NumberUnit::Year),
        DateUnit::Month | DateUnit::MonthSine | DateUnit::MonthCosine => Source::Month,
        DateUnit::Weekday | DateUnit::WeekdaySine | DateUnit::WeekdayCosine => Source::Weekday,
        DateUnit::Hour | DateUnit::HourSine | DateUnit::HourCosine => Source::Hour,
    }
}

impl Dates {
    /// The dates of these inputs; `None` without inputs.
    pub(super) fn read(graph: &mut Graph, inputs: &[Tensor]) -> Option<Self> {
        if inputs.is_empty() {
            return None;
        }
        let given = graph.concat(inputs);
        let magnitudes = graph.op("Abs", &[&given]);
        let greatest = graph.double(MAX_SECONDS);
        let valid = graph.op("LessOrEqual", &[&magnitudes, &greatest]);
        let zero = graph.double(0.0);
        let seconds = graph.op("Where", &[&valid, &given, &zero]);
        let calendar = Calendar::of(graph, &seconds, &valid);
        Some(Self { seconds, valid, calendar, selected: Vec::new() })
    }

    /// Number of parts that are columns of the numbers.
    pub(super) fn numbers(signature: &Signature) -> usize {
        let parts = signature.features.iter().flat_map(|feature| match &feature.kind {
            FeatureKind::Datetime { parts, .. } => parts.as_slice(),
            FeatureKind::Number { .. } | FeatureKind::Boolean { .. } | FeatureKind::Category { .. } => &[],
        });
        parts.filter(|part| matches!(source(part.unit), Source::Number(_))).count()
    }

    /// The raw value of a part of the date with this index. `first` is the column of the numbers where those of dates begin.
    pub(super) fn part(&mut self, graph: &mut Graph, date: usize, part: &DatePart, first: usize) -> RawColumn {
        let lookup = |graph: &mut Graph, slots: &Tensor, examples: &mut dyn Iterator<Item = i64>| {
            let entry = |raw| Entry { raw, unseen: false };
            let present = examples.map(|seconds| entry(part.raw(seconds as f64)));
            let entries: Vec<_> = present.chain([entry(f32::NAN)]).collect();
            let date = graph.ints(&[], &[date as i64]);
            let slots = graph.gather(slots, &date, 1);
            RawColumn::Lookup(Lookup { slots, entries: entries.into() })
        };
        match source(part.unit) {
            Source::Number(unit) => {
                self.selected.push((date, unit, part.scaling));
                RawColumn::Number(first + self.selected.len() - 1)
            }
            // The middle of each month of 1970; the unit depends on the month only.
            Source::Month => lookup(graph, &self.calendar.month, &mut (0..12).map(|month| (month * 30 + 15) * DAY_S)),
            // The fifth of January 1970 was a Monday.
            Source::Weekday => lookup(graph, &self.calendar.weekday, &mut (0..7).map(|day| (4 + day) * DAY_S)),
            Source::Hour => lookup(graph, &self.calendar.hour, &mut (0..24).map(|hour| hour * 3_600)),
        }
    }

    /// The parts that [`Self::part`] has made columns of the numbers.
    pub(super) fn selected_numbers(&self, graph: &mut Graph) -> Option<DateNumbers> {
        if self.selected.is_empty() {
            return None;
        }
        let day = graph.double(DAY_S as f64);
        let days = graph.op("Div", &[&self.seconds, &day]);
        let years = graph.cast(&self.calendar.year, DOUBLE);
        let (mut values, mut valid) = (Vec::new(), Vec::new());
        for (date, unit, _) in &self.selected {
            let date = graph.positions(&[*date]);
            let from = match unit {
                NumberUnit::Days => &days,
                NumberUnit::Year => &years,
            };
            values.push(graph.gather(from, &date, 1));
            valid.push(graph.gather(&self.valid, &date, 1));
        }
        let scalings = self.selected.iter().map(|(_, _, scaling)| *scaling).collect();
        Some(DateNumbers { values: graph.concat(&values), valid: graph.concat(&valid), scalings })
    }
}

impl Calendar {
    fn of(graph: &mut Graph, seconds: &Tensor, valid: &Tensor) -> Self {
        let whole = graph.op("Floor", &[seconds]);
        let whole = graph.cast(&whole, INT64);
        let time = Integers(graph).add(&whole, SHIFT * CYCLE_DAYS * DAY_S);
        let days = Integers(graph).divide(&time, DAY_S);
        let of_day = Integers(graph).modulo(&time, DAY_S);
        let hour = Integers(graph).divide(&of_day, 3_600);
        // 1970 began on a Thursday.
        let since_monday = Integers(graph).add(&days, 3);
        let weekday = Integers(graph).modulo(&since_monday, 7);
        let (year, month) = year_and_month(graph, &days);
        let mut slots = |part: &Tensor, missing: i64| {
            let missing = graph.ints(&[], &[missing]);
            graph.op("Where", &[valid, part, &missing])
        };
        Self { year, month: slots(&month, 12), weekday: slots(&weekday, 7), hour: slots(&hour, 24) }
    }
}

/// The year, and the month from 0, of days since 1970 that are shifted by [`SHIFT`] cycles.
fn year_and_month(graph: &mut Graph, days: &Tensor) -> (Tensor, Tensor) {
    // Years begin in March, so that the leap day is the last one.
    let days = Integers(graph).add(days, EPOCH_DAYS);
    let cycle = Integers(graph).divide(&days, CYCLE_DAYS);
    let of_cycle = Integers(graph).modulo(&days, CYCLE_DAYS);
    let (mut leap, mut sum) = (Vec::new(), of_cycle.clone());
    for divisor in [1_460, 36_524, 146_096] {
        leap.push(Integers(graph).divide(&of_cycle, divisor));
    }
    for (op, part) in ["Sub", "Add", "Sub"].into_iter().zip(&leap) {
        sum = graph.op(op, &[&sum, part]);
    }
    let year_of_cycle = Integers(graph).divide(&sum, 365);
    let years = Integers(graph).multiply(&year_of_cycle, 365);
    let (fourth, hundredth) = (Integers(graph).divide(&year_of_cycle, 4), Integers(graph).divide(&year_of_cycle, 100));
    let before = graph.op("Add", &[&years, &fourth]);
    let before = graph.op("Sub", &[&before, &hundredth]);
    let day_of_year = graph.op("Sub", &[&of_cycle, &before]);
    let fives = Integers(graph).multiply(&day_of_year, 5);
    let fives = Integers(graph).add(&fives, 2);
    let from_march = Integers(graph).divide(&fives, 153);
    // March is month 2 from 0; January and February belong to the next year.
    let from_january = Integers(graph).add(&from_march, 2);
    let carry = Integers(graph).divide(&from_january, 12);
    let month = Integers(graph).modulo(&from_january, 12);
    let cycles = Integers(graph).add(&cycle, -SHIFT);
    let years = Integers(graph).multiply(&cycles, 400);
    let year = graph.op("Add", &[&years, &year_of_cycle]);
    (graph.op("Add", &[&year, &carry]), month)
}

/// Arithmetic of a matrix of integers and a number.
struct Integers<'a>(&'a mut Graph);

impl Integers<'_> {
    fn op(self, op: &str, left: &Tensor, right: i64) -> Tensor {
        let right = self.0.ints(&[], &[right]);
        self.0.op(op, &[left, &right])
    }

    fn add(self, left: &Tensor, right: i64) -> Tensor {
        self.op("Add", left, right)
    }

    fn multiply(self, left: &Tensor, right: i64) -> Tensor {
        self.op("Mul", left, right)
    }

    fn divide(self, left: &Tensor, right: i64) -> Tensor {
        self.op("Div", left, right)
    }

    fn modulo(self, left: &Tensor, right: i64) -> Tensor {
        self.op("Mod", left, right)
    }
}
