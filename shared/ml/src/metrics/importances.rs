//! Feature importances, normalized to a sum of 1.

use serde_json::{Value, json};

/// Normalizes to a sum of 1, unless all values are zero.
pub fn normalise(importances: &mut [f64]) {
    let sum: f64 = importances.iter().sum();
    if sum > 0.0 {
        importances.iter_mut().for_each(|importance| *importance /= sum);
    }
}

/// `[{feature, importance}]` in descending order; equal ones in feature order.
pub fn ranked(features: &[String], importances: &[f64]) -> Value {
    let mut ranked: Vec<_> = features.iter().zip(importances).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(a.1));
    ranked.into_iter().map(|(feature, importance)| json!({"feature": feature, "importance": importance})).collect()
}
