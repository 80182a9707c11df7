//! The parts of a date that models use.

use std::f64::consts::TAU;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::Scaling;

const DAY_S: f64 = 86_400.0;

/// A number that is computed from a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateUnit {
    /// Days since 1970, with a fraction.
    Ordinal,
    /// The year.
    Year,
    /// The month, from 1.
    Month,
    /// The day of the week, from 0 for Monday.
    Weekday,
    /// The hour, from 0.
    Hour,
    /// The sine of the month's angle in the year.
    MonthSine,
    /// The cosine of the month's angle in the year.
    MonthCosine,
    /// The sine of the day's angle in the week.
    WeekdaySine,
    /// The cosine of the day's angle in the week.
    WeekdayCosine,
    /// The sine of the hour's angle in the day.
    HourSine,
    /// The cosine of the hour's angle in the day.
    HourCosine,
}

impl DateUnit {
    /// All units, of which each member of an ensemble uses some.
    pub const ALL: [Self; 11] = [
        Self::Ordinal,
        Self::Year,
        Self::Month,
        Self::Weekday,
        Self::Hour,
        Self::MonthSine,
        Self::MonthCosine,
        Self::WeekdaySine,
        Self::WeekdayCosine,
        Self::HourSine,
        Self::HourCosine,
    ];
    /// The units for trees, which split at any value.
    pub const FOR_TREES: [Self; 5] = [Self::Ordinal, Self::Year, Self::Month, Self::Weekday, Self::Hour];
    /// The units for linear models and support vector classifiers, to which December and January must be close.
    pub const FOR_DENSE_MODELS: [Self; 8] = [
        Self::Ordinal,
        Self::Year,
        Self::MonthSine,
        Self::MonthCosine,
        Self::WeekdaySine,
        Self::WeekdayCosine,
        Self::HourSine,
        Self::HourCosine,
    ];

    /// The number for a date in seconds since 1970 (UTC).
    pub fn of(self, seconds: f64) -> f64 {
        if self == Self::Ordinal {
            return seconds / DAY_S;
        }
        #[allow(clippy::cast_possible_truncation, reason = "the conversion saturates, and chrono refuses such dates")]
        let date = DateTime::<Utc>::from_timestamp(seconds.floor() as i64, 0).unwrap_or_default();
        let month = f64::from(date.month());
        let weekday = f64::from(date.weekday().num_days_from_monday());
        let hour = f64::from(date.hour());
        let angle = |value: f64, period: f64| value / period * TAU;
        match self {
            Self::Ordinal => seconds / DAY_S,
            Self::Year => f64::from(date.year()),
            Self::Month => month,
            Self::Weekday => weekday,
            Self::Hour => hour,
            Self::MonthSine => angle(month, 12.0).sin(),
            Self::MonthCosine => angle(month, 12.0).cos(),
            Self::WeekdaySine => angle(weekday, 7.0).sin(),
            Self::WeekdayCosine => angle(weekday, 7.0).cos(),
            Self::HourSine => angle(hour, 24.0).sin(),
            Self::HourCosine => angle(hour, 24.0).cos(),
        }
    }
}

/// A part of a date, with its fit on the training part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DatePart {
    /// The unit.
    pub unit: DateUnit,
    /// From the unit's number to its raw value.
    pub scaling: Scaling,
}

impl DatePart {
    /// The raw value for a date in seconds since 1970.
    pub fn raw(&self, seconds: f64) -> f32 {
        self.scaling.apply(self.unit.of(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_known_dates() {
        // 2024-02-29T23:30:00Z was a Thursday, 1969-12-31T01:00:00Z a Wednesday.
        for (seconds, expected) in [(1_709_249_400.0, [2024.0, 2.0, 3.0, 23.0]), (-82_800.0, [1969.0, 12.0, 2.0, 1.0])]
        {
            let units = [DateUnit::Year, DateUnit::Month, DateUnit::Weekday, DateUnit::Hour];
            assert_eq!(units.map(|unit| unit.of(seconds)), expected);
        }
        assert_eq!(DateUnit::Ordinal.of(1.5 * DAY_S), 1.5);
        assert!(
            (DateUnit::MonthCosine.of(1_735_000_000.0) - 1.0).abs() < 1e-12,
            "December is at the top of the circle"
        );
    }
}
