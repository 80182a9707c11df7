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

/// Suggests a target and its task.
pub(crate) fn suggest(columns: &[ColumnProfile]) -> Option<(String, TaskKind)> {
    let named = |name: &str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name) && is_usable(column));
    let target =
        NAMES.iter().find_map(|name| named(name)).or_else(|| columns.iter().rev().find(|column| is_usable(column)))?;
    Some((target.name.clone(), task(target)))
}

fn is_usable(column: &ColumnProfile) -> bool {
    let is_id = column.warnings.iter().any(|warning| warning.contains("contains the row numbers"));
    let fits = match column.dtype {
        Dtype::Boolean | Dtype::Number => true,
        Dtype::Category => column.distinct <= MAX_CLASSES,
        Dtype::Text | Dtype::Datetime => false,
    };
    fits && column.distinct > 1 && !column.row_names && !is_id
}

fn task(column: &ColumnProfile) -> TaskKind {
    if column.dtype == Dtype::Number && column.distinct > MAX_CLASS_NUMBERS {
        TaskKind::Regression
    } else {
        TaskKind::Classification
    }
}
