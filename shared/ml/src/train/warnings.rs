//! Warnings about the data: rare classes, ids, useless features, and features that predict the target alone.

use std::sync::Arc;

use rayon::prelude::*;
use trainyard_domain::algorithm::{CLASS_WEIGHT, TUNE_THRESHOLD};
use trainyard_domain::{Algorithm, Training, shown};

use super::leaks;
use crate::frame::{Column, Frame, FrameColumn, Target};
use crate::preprocess::Part;
use crate::split::Split;

/// A class with a smaller share of the training rows is rare, for two classes. With more classes the limit is lower.
const RARE_SHARE: f64 = 0.05;
/// Minimum number of rows for the id check.
const ID_ROWS: usize = 50;

/// Finds the warnings. Columns with a warning in `leaks` get no other one about leaks.
pub(super) fn find(frame: &Frame, split: &Split, training: &Part, spec: &Training, leaks: &[String]) -> Vec<String> {
    let has_warning = |name: &str| leaks.iter().any(|leak| leak.starts_with(&format!("'{name}' ")));
    let mut warnings = target_warning(&frame.target, &spec.target).into_iter().collect::<Vec<_>>();
    warnings.extend(class_warnings(&frame.target, split, spec.algorithm));
    let of_feature = |(at, column): (usize, &Arc<FrameColumn>)| {
        let (values, name) = (&column.values, shown(&column.name));
        if values.distinct(&split.train) < 2 {
            Some(format!("'{name}' has one value in all training rows and is useless as a feature"))
        } else if looks_like_an_id(values, &column.name) {
            Some(format!(
                "'{name}' looks like an id: nearly every row has a unique value, which does not help to predict new rows"
            ))
        } else if !has_warning(&column.name) && leaks::predicts_alone(values, at, training, &split.train) {
            Some(format!("'{name}' alone predicts the target almost perfectly; check that it does not leak the target"))
        } else {
            None
        }
    };
    let of_features: Vec<Option<String>> = frame.columns.par_iter().enumerate().map(of_feature).collect();
    warnings.extend(of_features.into_iter().flatten());
    warnings
}

/// A warning about a target with the name or the values of an id.
fn target_warning(target: &Target, name: &str) -> Option<String> {
    let named = is_named_id(name);
    let numbered = matches!(target, Target::Numbers(numbers) if are_row_numbers(numbers));
    let reason = match (named, numbered) {
        (true, _) => "its name",
        (false, true) => "its values, which are different integers",
        (false, false) => return None,
    };
    Some(format!(
        "the target '{}' looks like an id by {reason}; check that it is what you want to predict",
        shown(name)
    ))
}

fn is_named_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower == "id" || [" id", "_id", "-id", ".id"].iter().any(|end| lower.ends_with(end)) || name.ends_with("Id")
}

fn class_warnings(target: &Target, split: &Split, algorithm: Algorithm) -> Vec<String> {
    let Target::Classes { task, classes } = target else { return Vec::new() };
    let labels = task.labels();
    let mut counts = vec![0_usize; labels.len()];
    split.train.iter().for_each(|row| counts[classes[*row] as usize] += 1);
    let mut held_out = vec![0_usize; labels.len()];
    split.test.iter().for_each(|row| held_out[classes[*row] as usize] += 1);
    let rows = split.train.len() as f64;
    let mut warnings = Vec::new();
    for (class, label) in labels.iter().map(|label| shown(label)).enumerate() {
        let share = counts[class] as f64 / rows;
        if held_out[class] == 0 {
            warnings.push(format!("class '{label}' has a single row, so the metrics do not cover the class"));
        } else if share < RARE_SHARE * 2.0 / labels.len() as f64 {
            let percent = share * 100.0;
            warnings.push(format!(
                "class '{label}' has only {percent:.1} % of the training rows: check precision and recall instead of \
                accuracy{}",
                advice(labels.len(), algorithm)
            ));
        }
    }
    warnings
}

/// The parameters that help with rare classes.
fn advice(classes: usize, algorithm: Algorithm) -> String {
    let helpful: &[&str] = if classes == 2 { &[CLASS_WEIGHT, TUNE_THRESHOLD] } else { &[CLASS_WEIGHT] };
    let is_known = |name: &&&str| algorithm.params().iter().any(|spec| spec.name == **name);
    let known: Vec<&str> = helpful.iter().filter(is_known).copied().collect();
    if known.is_empty() { String::new() } else { format!("; {} can help", known.join(" and ")) }
}

/// Strings that nearly all differ; unique integers in a small range, such as row numbers, or below the name of an id.
fn looks_like_an_id(column: &Column, name: &str) -> bool {
    match column {
        Column::Number(values) => {
            let present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            are_row_numbers(&present) || (is_named_id(name) && range_of_different_integers(&present).is_some())
        }
        Column::Boolean(_) | Column::Datetime(_) => false,
        Column::Category { codes, .. } => {
            let rows: Vec<usize> = (0..codes.len()).filter(|row| codes[*row] != Column::MISSING).collect();
            rows.len() >= ID_ROWS && column.distinct(&rows) * 10 > rows.len() * 9
        }
    }
}

/// Different integers in a small range.
fn are_row_numbers(numbers: &[f64]) -> bool {
    range_of_different_integers(numbers).is_some_and(|range| range < 2.0 * numbers.len() as f64)
}

/// The range of enough integers that all differ.
fn range_of_different_integers(numbers: &[f64]) -> Option<f64> {
    if numbers.len() < ID_ROWS || numbers.iter().any(|number| number.fract() != 0.0) {
        return None;
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.windows(2).all(|pair| pair[0] < pair[1]).then(|| sorted[sorted.len() - 1] - sorted[0])
}
