//! Schemas of the columns of a dataset. They leave out the digests that detect leaking columns.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use trainyard_domain::{ColumnProfile, Dtype};
use utoipa::ToSchema;

/// Most frequent values that are shown.
const SHOWN_VALUES: usize = 5;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub enum DtypeView {
    /// Finite numbers.
    Number,
    /// 0/1, true/false, yes/no.
    Boolean,
    /// Few distinct texts.
    Category,
    /// Dates, with or without a time of day.
    Datetime,
    /// Many distinct texts, or no values. The column is not usable as a feature.
    Text,
}

impl From<Dtype> for DtypeView {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Number => Self::Number,
            Dtype::Boolean => Self::Boolean,
            Dtype::Category => Self::Category,
            Dtype::Datetime => Self::Datetime,
            Dtype::Text => Self::Text,
        }
    }
}

/// A value and its frequency.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValueCount {
    /// The value as in the file.
    #[schema(example = "male")]
    pub value: String,
    /// Rows with the value.
    #[schema(example = 843)]
    pub count: u64,
}

/// A number, or an RFC 3339 time of a `datetime` column.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum PointView {
    /// A number.
    #[schema(title = "Number")]
    Number(f64),
    /// A time.
    #[schema(title = "Time")]
    Time(String),
}

impl PointView {
    /// `value` is in seconds since 1970 for a `datetime` column.
    fn of(value: f64, dtype: Dtype) -> Self {
        if dtype != Dtype::Datetime {
            return Self::Number(value);
        }
        let millis = (value * 1000.0).round() as i64;
        match DateTime::from_timestamp_millis(millis) {
            Some(time) => Self::Time(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => Self::Number(value),
        }
    }
}

/// The distribution of numbers or times.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistogramView {
    /// The edges of the bins in ascending order: one more than there are bins. A bin includes its lower edge, the last bin
    /// also its upper edge.
    pub edges: Vec<PointView>,
    /// Values in each bin.
    pub counts: Vec<u64>,
}

impl HistogramView {
    fn of(counts: Vec<u64>, min: f64, max: f64, dtype: Dtype) -> Self {
        let bins = counts.len();
        // Weights instead of a step: `max - min` can overflow.
        let edge = |i: usize| {
            let share = i as f64 / bins as f64;
            PointView::of(min * (1.0 - share) + max * share, dtype)
        };
        Self { edges: (0..=bins).map(edge).collect(), counts }
    }
}

/// The profile of one column.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// The unique name.
    #[schema(example = "age")]
    pub name: String,
    /// The type of the values.
    pub dtype: DtypeView,
    /// Rows without a value.
    #[schema(example = 263)]
    pub missing: u64,
    /// Distinct values; a lower bound for columns with very many.
    #[schema(example = 98)]
    pub distinct: u64,
    /// The smallest number or the earliest time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min: Option<PointView>,
    /// The largest number or the latest time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max: Option<PointView>,
    /// The distribution in ten bins, for numbers and times. Lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub histogram: Option<HistogramView>,
    /// Up to five of the most frequent values, most frequent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub top: Option<Vec<ValueCount>>,
    /// Warnings about the column.
    pub warnings: Vec<String>,
}

impl From<ColumnProfile> for ColumnView {
    fn from(column: ColumnProfile) -> Self {
        let (dtype, range) = (column.dtype, column.min.zip(column.max));
        let counted = |top: Vec<(String, u64)>| {
            top.into_iter().take(SHOWN_VALUES).map(|(value, count)| ValueCount { value, count }).collect()
        };
        let histogram =
            column.histogram.zip(range).map(|(counts, (min, max))| HistogramView::of(counts, min, max, dtype));
        Self {
            name: column.name,
            dtype: dtype.into(),
            missing: column.missing,
            distinct: column.distinct,
            min: range.map(|(min, _)| PointView::of(min, dtype)),
            max: range.map(|(_, max)| PointView::of(max, dtype)),
            histogram,
            top: column.top.map(counted),
            warnings: column.warnings,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(column: ColumnProfile) -> serde_json::Value {
        serde_json::to_value(ColumnView::from(column)).unwrap()
    }

    #[test]
    fn a_column_has_its_profile_and_no_internal_fields() {
        let top = ["a", "b", "c", "d", "e", "f"].map(|value| (value.to_owned(), 3)).to_vec();
        let column =
            ColumnProfile { missing: 1, distinct: 6, top: Some(top), ..ColumnProfile::new("c", Dtype::Category) };
        let view = shown(column);
        assert_eq!(view["top"].as_array().unwrap().len(), SHOWN_VALUES);
        assert_eq!(view["top"][0], json!({"value": "a", "count": 3}));
        let fields: Vec<_> = view.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["distinct", "dtype", "missing", "name", "top", "warnings"]);
    }

    #[test]
    fn the_edges_of_a_histogram_are_numbers_or_times() {
        let column = |dtype, min, max| ColumnProfile {
            min: Some(min),
            max: Some(max),
            histogram: Some(vec![1, 0, 3, 2]),
            ..ColumnProfile::new("c", dtype)
        };
        let numbers = shown(column(Dtype::Number, -f64::MAX, f64::MAX));
        assert_eq!(numbers["histogram"]["edges"][2], json!(0.0));
        assert_eq!(numbers["histogram"]["counts"], json!([1, 0, 3, 2]));
        let times = shown(column(Dtype::Datetime, 0.0, 4.0 * 86_400.5));
        assert_eq!((&times["min"], &times["max"]), (&json!("1970-01-01T00:00:00Z"), &json!("1970-01-05T00:00:02Z")));
        assert_eq!(times["histogram"]["edges"][1], json!("1970-01-02T00:00:00.500Z"));
    }
}
