//! Mean and spread of metrics over the folds of a cross-validation.

use serde_json::{Map, Value, json};

/// `{metric: {mean, std, values}}` for the metrics of each fold. A metric that is not defined in a fold, such as the ROC AUC
/// of a fold with one class, is `null` in `values` and has no part in `mean` and `std`. `std` is the standard deviation of a
/// sample, with n - 1 in the denominator, and `null` with fewer than two values.
pub fn summary(folds: &[Map<String, Value>]) -> Value {
    let Some(first) = folds.first() else { return json!({}) };
    let of_metric = |name: &String| {
        let values: Vec<Option<f64>> = folds.iter().map(|fold| fold.get(name).and_then(Value::as_f64)).collect();
        let (mean, std) = mean_and_std(&values.iter().copied().flatten().collect::<Vec<_>>());
        (name.clone(), json!({"mean": mean, "std": std, "values": values}))
    };
    Value::Object(first.keys().map(of_metric).collect())
}

/// The mean, and the standard deviation of a sample; `None` without a value, and with fewer than two.
pub fn mean_and_std(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let count = values.len() as f64;
    if values.is_empty() {
        return (None, None);
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (Some(mean), (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(accuracy: f64, area: Option<f64>) -> Map<String, Value> {
        json!({"accuracy": accuracy, "roc_auc": area}).as_object().unwrap().clone()
    }

    // numpy.std([.5, .75, 1.], ddof=1) is 0.25.
    #[test]
    fn undefined_values_have_no_part_in_the_mean() {
        let found = summary(&[fold(0.5, Some(0.9)), fold(0.75, None), fold(1.0, Some(0.7))]);
        assert_eq!(found["accuracy"], json!({"mean": 0.75, "std": 0.25, "values": [0.5, 0.75, 1.0]}));
        assert_eq!(found["roc_auc"]["values"], json!([0.9, null, 0.7]));
        assert!((found["roc_auc"]["mean"].as_f64().unwrap() - 0.8).abs() < 1e-12);
        let none = summary(&[fold(0.5, None), fold(0.6, None)]);
        assert_eq!(none["roc_auc"], json!({"mean": null, "std": null, "values": [null, null]}));
    }
}
