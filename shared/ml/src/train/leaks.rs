//! Leaks: features that contain the target.

use rayon::prelude::*;
use trainyard_domain::shown;
use trainyard_domain::spec::OnLeak;

use crate::error::TrainError;
use crate::frame::{Column, Frame, Target};
use crate::metrics::{regression::correlation, roc};
use crate::preprocess::{Part, TargetValues};

/// A rank correlation from which a feature is a function of a numeric target.
const MIN_RANK_CORRELATION: f64 = 0.999;
/// Minimum number of rows for the rank correlation; a few rows can have the same order by chance.
const MIN_ROWS: usize = 10;
/// A feature with at least this ROC AUC or correlation predicts the target almost alone.
const MIN_SCORE: f64 = 0.99;
/// A category predicts the target almost alone if it avoids this share of the errors of the most frequent class.
const MIN_AVOIDED: f64 = 0.98;
/// Maximum number of evenly spaced rows for the checks.
const MAX_ROWS: usize = 20_000;

/// Finds the columns that rise or fall with a numeric target, and warns, drops or refuses them. Returns the warnings and
/// the names of dropped columns.
///
/// # Errors
/// `bad_data` for [`OnLeak::Refuse`], with the name of the column; and if all columns are dropped.
pub(super) fn resolve(
    frame: &mut Frame,
    training: &[usize],
    on_leak: OnLeak,
) -> Result<(Vec<String>, Vec<String>), TrainError> {
    let Target::Numbers(numbers) = &frame.target else { return Ok(Default::default()) };
    let rows = sample(training.len()).map(|at| training[at]).collect::<Vec<_>>();
    let leak = |column: &Column| match column {
        Column::Number(values) | Column::Datetime(values) => rank_correlation(values, numbers, &rows),
        Column::Boolean(_) | Column::Category { .. } => None,
    };
    let found: Vec<Option<f64>> = frame.columns.par_iter().map(|column| leak(&column.values)).collect();
    let (mut warnings, mut dropped) = (Vec::new(), Vec::new());
    for (column, correlation) in frame.columns.iter().zip(found) {
        let Some(correlation) = correlation else { continue };
        let (name, way) = (shown(&column.name), if correlation > 0.0 { "rises" } else { "falls" });
        let found = format!("'{name}' {way} with the target (rank correlation {correlation:.4})");
        match on_leak {
            OnLeak::Warn => warnings.push(format!("{found}; check that it does not leak the target")),
            OnLeak::Drop => {
                warnings.push(format!("{found} and was dropped"));
                dropped.push(column.name.clone());
            }
            OnLeak::Refuse => {
                return Err(TrainError::bad_data(format!("{found}, and on_leak is 'refuse'; remove the feature")));
            }
        }
    }
    frame.columns.retain(|column| !dropped.contains(&column.name));
    if frame.columns.is_empty() {
        return Err(TrainError::bad_data("every feature leaks the target and was dropped; choose other features"));
    }
    Ok((warnings, dropped))
}

/// Spearman's rank correlation, if it marks a leak.
fn rank_correlation(values: &[f64], target: &[f64], rows: &[usize]) -> Option<f64> {
    let rows: Vec<usize> = rows.iter().copied().filter(|row| !values[*row].is_nan()).collect();
    if rows.len() < MIN_ROWS {
        return None;
    }
    let ranks = |values: &[f64]| ranks(&rows.iter().map(|row| values[*row]).collect::<Vec<_>>());
    correlation(&ranks(values), &ranks(target)).filter(|correlation| correlation.abs() >= MIN_RANK_CORRELATION)
}

/// The rank of each value; equal values have their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|row| ranks[*row] = rank);
        first += equal.len();
    }
    ranks
}

/// Whether a feature alone predicts the target almost perfectly.
pub(super) fn predicts_alone(column: &Column, feature: usize, training: &Part, rows: &[usize]) -> bool {
    match (column, &training.targets) {
        (Column::Category { codes, .. }, TargetValues::Classes(classes, n_classes)) => {
            let cells: Vec<_> = sample(rows.len()).map(|at| (codes[rows[at]], classes[at])).collect();
            avoided_errors(&cells, *n_classes) >= MIN_AVOIDED
        }
        (Column::Category { .. }, TargetValues::Numbers(_)) => false,
        _ => training.raw[training.ranges[feature].clone()].iter().any(|raw| ranks_target(raw, &training.targets)),
    }
}

/// The share of the errors of the most frequent class that the most frequent class per category avoids. Categories with
/// one row prove nothing.
fn avoided_errors(cells: &[(u32, u32)], n_classes: usize) -> f64 {
    let mut sorted = cells.to_vec();
    sorted.sort_unstable();
    let mut counts = vec![0_usize; n_classes];
    let (mut rows, mut right) = (0, 0);
    for category in sorted.chunk_by(|a, b| a.0 == b.0).filter(|category| category.len() > 1) {
        let of_class = category.chunk_by(|a, b| a.1 == b.1);
        let most = of_class.inspect(|rows| counts[rows[0].1 as usize] += rows.len()).map(<[_]>::len).max();
        right += most.unwrap_or_default();
        rows += category.len();
    }
    let errors = rows - counts.iter().max().copied().unwrap_or_default();
    if errors == 0 || rows * 2 < cells.len() { 0.0 } else { 1.0 - (rows - right) as f64 / errors as f64 }
}

/// Whether the raw values rank the classes, or correlate with the numbers, almost perfectly.
fn ranks_target(raw: &[f32], targets: &TargetValues) -> bool {
    let rows: Vec<usize> = sample(raw.len()).collect();
    match targets {
        TargetValues::Classes(classes, n_classes) => {
            // Missing values are the lowest, as in trees. Low values can also mark a class, so both directions count.
            let score = |row: &usize| if raw[*row].is_nan() { f64::NEG_INFINITY } else { f64::from(raw[*row]) };
            let scores: Vec<f64> = rows.iter().map(score).collect();
            let classes_to_rank = if *n_classes == 2 { 1..2 } else { 0..*n_classes as u32 };
            let areas: Vec<f64> = classes_to_rank
                .filter_map(|class| roc::auc(&scores, |at| classes[rows[at]] == class))
                .map(|area| area.max(1.0 - area))
                .collect();
            !areas.is_empty() && areas.iter().sum::<f64>() / areas.len() as f64 >= MIN_SCORE
        }
        TargetValues::Numbers(numbers) => {
            let (x, y): (Vec<f64>, Vec<f64>) =
                rows.iter().filter(|row| !raw[**row].is_nan()).map(|row| (f64::from(raw[*row]), numbers[*row])).unzip();
            correlation(&x, &y).is_some_and(|correlation| correlation.abs() >= MIN_SCORE)
        }
    }
}

/// Evenly spaced positions.
fn sample(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows).step_by(rows.div_ceil(MAX_ROWS).max(1))
}
