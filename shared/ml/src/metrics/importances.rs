//! Feature importances, normalized to a sum of 1.

use std::ops::Range;

use serde_json::{Value, json};

use crate::model::Feature;

/// Normalizes to a sum of 1, unless all values are zero.
pub fn normalise(importances: &mut [f64]) {
    let sum: f64 = importances.iter().sum();
    if sum > 0.0 {
        importances.iter_mut().for_each(|importance| *importance /= sum);
    }
}

/// Sums the importances of raw columns over the columns of each feature, and normalizes them.
pub fn per_feature(columns: &[f64], ranges: &[Range<usize>]) -> Vec<f64> {
    let mut importances: Vec<f64> = ranges.iter().map(|range| columns[range.clone()].iter().sum()).collect();
    normalise(&mut importances);
    importances
}

/// `[{feature, importance}]` in descending order; equal ones in feature order.
pub fn ranked(features: &[Feature], importances: &[f64]) -> Value {
    let mut ranked: Vec<_> = features.iter().zip(importances).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(a.1));
    ranked.into_iter().map(|(feature, importance)| json!({"feature": feature.name, "importance": importance})).collect()
}
