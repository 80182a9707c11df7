//! Warnings about the data: target leaks, class imbalance, useless features.

use rayon::prelude::*;
use trainyard_domain::JobSpec;

use crate::frame::{Column, Frame, Target};
use crate::metrics::{regression::correlation, roc};
use crate::model::Feature;
use crate::preprocess::{Part, TargetValues};
use crate::progress::Observer;
use crate::split::Split;

/// A feature with at least this ROC AUC or correlation probably leaks the target.
const MIN_LEAK_SCORE: f64 = 0.99;
/// Maximum number of evenly spaced rows for the leak check.
const LEAK_ROWS: usize = 20_000;
/// A class with a smaller share of the training rows is rare, for two classes. With more classes the limit is lower.
const RARE_SHARE: f64 = 0.05;
/// Minimum number of rows for the id check.
const ID_ROWS: usize = 50;

/// Finds, reports and returns the warnings.
pub(super) fn find(
    frame: &Frame,
    split: &Split,
    features: &[Feature],
    training: &Part,
    spec: &JobSpec,
    observer: &dyn Observer,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if frame.without_target > 0 {
        let (rows, target) = (frame.without_target, &spec.target);
        warnings.push(format!("{rows} rows have no value for '{target}' and were skipped"));
    }
    warnings.extend(class_warnings(&frame.target, split));
    let of_feature = |(at, feature): (usize, &Feature)| {
        let (column, name) = (&frame.columns[at], &feature.name);
        if column.distinct(&split.train) < 2 {
            Some(format!("'{name}' has one value in all training rows and is useless as a feature"))
        } else if looks_like_an_id(column) {
            Some(format!(
                "'{name}' looks like an id: nearly every row has a unique value, which does not help to predict new rows"
            ))
        } else if leaks_target(&training.raw[at], &training.targets) {
            Some(format!("'{name}' alone predicts the target almost perfectly; check that it does not leak the target"))
        } else {
            None
        }
    };
    let of_features: Vec<Option<String>> = features.par_iter().enumerate().map(of_feature).collect();
    warnings.extend(of_features.into_iter().flatten());
    warnings.iter().for_each(|warning| observer.warn(warning));
    warnings
}

fn class_warnings(target: &Target, split: &Split) -> Vec<String> {
    let Target::Classes { task, classes } = target else { return Vec::new() };
    let labels = task.labels();
    let mut counts = vec![0_usize; labels.len()];
    split.train.iter().for_each(|row| counts[classes[*row] as usize] += 1);
    let mut held_out = vec![0_usize; labels.len()];
    split.test.iter().for_each(|row| held_out[classes[*row] as usize] += 1);
    let rows = split.train.len() as f64;
    let mut warnings = Vec::new();
    for (class, label) in labels.iter().enumerate() {
        let share = counts[class] as f64 / rows;
        if held_out[class] == 0 {
            warnings.push(format!("class '{label}' has a single row, so the metrics do not cover the class"));
        } else if share < RARE_SHARE * 2.0 / labels.len() as f64 {
            let percent = share * 100.0;
            warnings.push(format!(
                "class '{label}' has only {percent:.1} % of the training rows: check precision and recall instead of \
                accuracy"
            ));
        }
    }
    warnings
}

/// Strings that nearly all differ, or unique integers in a small range, such as row numbers.
fn looks_like_an_id(column: &Column) -> bool {
    let rows: Vec<usize> = match column {
        Column::Number(values) => (0..values.len()).filter(|row| !values[*row].is_nan()).collect(),
        Column::Boolean(_) => return false,
        Column::Category { codes, .. } => (0..codes.len()).filter(|row| codes[*row] != Column::MISSING).collect(),
    };
    if rows.len() < ID_ROWS {
        return false;
    }
    match column {
        Column::Number(values) => {
            let (min, max) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), row| {
                (min.min(values[*row]), max.max(values[*row]))
            });
            rows.iter().all(|row| values[*row].fract() == 0.0)
                && max - min < 2.0 * rows.len() as f64
                && column.distinct(&rows) == rows.len()
        }
        _ => column.distinct(&rows) * 10 > rows.len() * 9,
    }
}

/// Whether the raw values rank the classes, or correlate with the numbers, almost perfectly.
fn leaks_target(raw: &[f32], actual: &TargetValues) -> bool {
    let step = raw.len().div_ceil(LEAK_ROWS).max(1);
    let rows: Vec<usize> = (0..raw.len()).step_by(step).collect();
    match actual {
        TargetValues::Classes(classes, n_classes) => {
            // Missing values are the lowest, as in trees. Low values can also mark a class, so both directions count.
            let score = |row: &usize| if raw[*row].is_nan() { f64::NEG_INFINITY } else { f64::from(raw[*row]) };
            let scores: Vec<f64> = rows.iter().map(score).collect();
            let classes_to_rank = if *n_classes == 2 { 1..2 } else { 0..*n_classes as u32 };
            let areas: Vec<f64> = classes_to_rank
                .filter_map(|class| roc::auc(&scores, |at| classes[rows[at]] == class))
                .map(|area| area.max(1.0 - area))
                .collect();
            !areas.is_empty() && areas.iter().sum::<f64>() / areas.len() as f64 >= MIN_LEAK_SCORE
        }
        TargetValues::Numbers(numbers) => {
            let (x, y): (Vec<f64>, Vec<f64>) =
                rows.iter().filter(|row| !raw[**row].is_nan()).map(|row| (f64::from(raw[*row]), numbers[*row])).unzip();
            correlation(&x, &y).is_some_and(|correlation| correlation.abs() >= MIN_LEAK_SCORE)
        }
    }
}
