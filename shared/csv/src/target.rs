//! The column that is most likely the target, and its task.

use trainyard_domain::{ColumnProfile, Dtype, TaskKind};

/// Usual names of targets, the most certain first.
const NAMES: [&str; 13] = [
    "target",
    "label",
    "class",
    "y",
    "outcome",
    "survived",
    "labels",
    "classes",
    "response",
    "diagnosis",
    "churn",
    "species",
    "default",
];
/// A number with more distinct values is predicted as a number.
const MAX_CLASS_NUMBERS: u64 = 20;
/// A category with more distinct values is no likely target.
const MAX_CLASSES: u64 = 100;

/// Above this number of distinct values the profile contains a lower bound.
const MAX_EXACT_DISTINCT: u64 = 10_000;
/// Fewer rows can have consecutive numbers by chance.
const MIN_ROWS: u64 = 10;

/// Suggests a target and its task. `rows` is the number of data rows.
pub(crate) fn suggest(columns: &[ColumnProfile], rows: u64) -> Option<(String, TaskKind)> {
    let named =
        |name: &str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name) && is_usable(column, rows));
    let target = NAMES
        .iter()
        .find_map(|name| named(name))
        .or_else(|| columns.iter().rev().find(|column| is_usable(column, rows)))?;
    Some((target.name.clone(), task(target)))
}

fn is_usable(column: &ColumnProfile, rows: u64) -> bool {
    let fits = match column.dtype {
        Dtype::Boolean | Dtype::Number => true,
        Dtype::Category => column.distinct <= MAX_CLASSES,
        Dtype::Text | Dtype::Datetime => false,
    };
    fits && column.distinct > 1 && !column.row_names && !is_dense(column, rows)
}

/// Whether a column can contain the row numbers: integers whose range is the number of rows, mostly different.
fn is_dense(column: &ColumnProfile, rows: u64) -> bool {
    let (Some(min), Some(max)) = (column.min, column.max) else { return false };
    #[allow(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let is_range = max - min + 1.0 == rows as f64 && min.fract() == 0.0;
    column.dtype == Dtype::Number && is_range && column.distinct > rows.min(MAX_EXACT_DISTINCT) / 2 && rows > MIN_ROWS
}

fn task(column: &ColumnProfile) -> TaskKind {
    if column.dtype == Dtype::Number && column.distinct > MAX_CLASS_NUMBERS {
        TaskKind::Regression
    } else {
        TaskKind::Classification
    }
}
