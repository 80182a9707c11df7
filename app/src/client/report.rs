//! A job's metrics as text: numbers, confusion matrix, feature importances, trials of a search.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment};
use serde_json::Value;

use crate::client::output::{bordered, pairs};
use crate::client::show;
use crate::client::trials;

/// Scalar metrics in display order.
const SCALARS: [(&str, &str); 11] = [
    ("accuracy", "accuracy"),
    ("roc_auc", "ROC AUC"),
    ("log_loss", "log loss"),
    ("f1", "F1"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("oob_accuracy", "out-of-bag accuracy"),
    ("r2", "R²"),
    ("rmse", "RMSE"),
    ("mae", "MAE"),
    ("oob_r2", "out-of-bag R²"),
];
const BAR: usize = 30;
/// Maximum number of importances shown; a wide table has thousands.
const MAX_FEATURES: usize = 20;

/// Renders all known metrics.
pub(crate) fn metrics(metrics: &Value) -> String {
    let mut text = String::new();
    let mut table = bordered(&["metric", "held-out part"]);
    for (key, name) in SCALARS {
        if !metrics[key].is_null() {
            let value = Cell::new(show::text(&metrics[key])).set_alignment(CellAlignment::Right);
            table.add_row([Cell::new(name), value]);
        }
    }
    if !table.is_empty() {
        let _ = writeln!(text, "{table}");
    }
    if let Some(table) = cross_validation(&metrics["cross_validation"]) {
        let _ = writeln!(text, "\n{table}");
    }
    if let Some(table) = threshold(&metrics["threshold"]) {
        let _ = writeln!(text, "\n{table}");
    }
    if let Some(table) = reliability(&metrics["reliability"]) {
        let _ = writeln!(text, "\n{table}");
    }
    if let Some(matrix) = confusion(&metrics["confusion_matrix"]) {
        let _ = writeln!(text, "\nConfusion matrix (rows: actual, columns: predicted)\n{matrix}");
    }
    if let Some(bars) = importances(&metrics["feature_importances"]) {
        let _ = write!(text, "\nFeature importances\n{bars}");
    }
    if let Some(search) = trials::summary(metrics) {
        let _ = write!(text, "\n{search}");
    }
    for warning in metrics["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "\nwarning: {}", show::text(warning));
    }
    text
}

/// Mean and spread of each metric over the folds.
fn cross_validation(validation: &Value) -> Option<String> {
    let metrics = validation["metrics"].as_object()?;
    let mut table = bordered(&["metric", "mean", "± standard deviation"]);
    for (key, name) in SCALARS {
        let Some(metric) = metrics.get(key).filter(|metric| !metric["mean"].is_null()) else { continue };
        let number = |key: &str| Cell::new(show::text(&metric[key])).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(name), number("mean"), number("std")]);
    }
    Some(format!("Cross-validation with {} folds of the training part\n{table}", validation["folds"]))
}

/// The figures of the held-out part with the tuned threshold and with 0.5.
fn threshold(threshold: &Value) -> Option<String> {
    let value = show::text(threshold.get("value")?);
    let names =
        [("accuracy", "accuracy"), ("f1", "F1"), ("precision", "precision"), ("recall", "recall"), ("cost", "cost")];
    let parts = [&threshold["held_out"], &threshold["held_out_at_half"]];
    let table = compared(["metric", &value, "0.5"], &names, parts);
    Some(format!("Threshold {value}, tuned for {}\n{table}", show::text(&threshold["tuned_for"])))
}

/// The figures of the held-out part before and after a calibration.
fn reliability(reliability: &Value) -> Option<String> {
    let method = show::text(reliability.get("method")?);
    let names =
        [("brier_score", "Brier score"), ("expected_calibration_error", "calibration error"), ("log_loss", "log loss")];
    let table = compared(["metric", "before", "after"], &names, [&reliability["before"], &reliability["after"]]);
    Some(format!("Calibration ({method})\n{table}"))
}

fn compared(header: [&str; 3], names: &[(&str, &str)], parts: [&Value; 2]) -> String {
    let mut table = bordered(&header);
    for (key, name) in names.iter().filter(|(key, _)| !parts[0][*key].is_null()) {
        let number = |part: &Value| Cell::new(show::text(&part[*key])).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(name), number(parts[0]), number(parts[1])]);
    }
    table.to_string()
}

fn confusion(matrix: &Value) -> Option<String> {
    let (labels, counts) = (matrix["labels"].as_array()?, matrix["counts"].as_array()?);
    let labels: Vec<String> = labels.iter().map(show::text).collect();
    let mut header = vec![String::new()];
    header.extend(labels.iter().cloned());
    let mut table = bordered(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (label, row) in labels.iter().zip(counts) {
        let counts = row.as_array().into_iter().flatten();
        let counts = counts.map(|count| Cell::new(show::text(count)).set_alignment(CellAlignment::Right));
        table.add_row(std::iter::once(Cell::new(label)).chain(counts));
    }
    Some(table.to_string())
}

fn importances(list: &Value) -> Option<String> {
    let list = list.as_array()?;
    let entry = |item: &Value| Some((item["feature"].as_str()?.to_owned(), item["importance"].as_f64()?));
    let entries: Vec<(String, f64)> = list.iter().filter_map(entry).collect();
    let largest = entries.iter().map(|(_, importance)| importance.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let bars = entries.iter().take(MAX_FEATURES).map(|(feature, importance)| {
        let length = (importance.abs() / largest * BAR as f64).round() as usize;
        (feature.as_str(), format!("{importance:>7.4}  {}", "█".repeat(length)))
    });
    let mut text = pairs(&bars.collect::<Vec<_>>());
    if entries.len() > MAX_FEATURES {
        let _ = writeln!(text, "… and {} more", entries.len() - MAX_FEATURES);
    }
    (!entries.is_empty()).then_some(text)
}

/// Renders a job with all its fields.
pub(crate) fn job(job: &Value) -> String {
    let progress = job["progress"].as_f64().filter(|_| job["status"] == "running");
    let seconds = |key: &str| job[key].as_f64().map(show::seconds).unwrap_or_default();
    let features = job["spec"]["features"].as_array().map(|features| listed(features)).unwrap_or_default();
    let mut text = pairs(&[
        ("job", show::text(&job["job_id"])),
        ("kind", show::text(&job["kind"])),
        ("model", model(job)),
        ("algorithm", show::text(&job["algorithm"])),
        ("dataset", format!("{} v{}", show::text(&job["spec"]["dataset"]), job["spec"]["dataset_version"])),
        ("target", show::text(&job["spec"]["target"])),
        ("features", features),
        ("status", show::text(&job["status"])),
        ("phase", show::text(&job["phase"])),
        ("progress", progress.map(|progress| format!("{:.0} %", progress * 100.0)).unwrap_or_default()),
        ("queue position", show::text(&job["queue_position"])),
        ("attempt", format!("{} of {}", job["attempt"], job["max_attempts"])),
        ("created", show::moment(&job["created_at"])),
        ("started", show::moment(&job["started_at"])),
        ("finished", show::moment(&job["finished_at"])),
        ("took", seconds("duration_s")),
        ("worker", show::text(&job["worker"])),
        ("rows", job["metrics"]["rows"].as_u64().map(|rows| rows.to_string()).unwrap_or_default()),
        ("result", show::text(&job["result_url"])),
        ("error", error(&job["error"])),
        ("promotion", show::text(&job["metrics"]["promotion"]["message"])),
    ]);
    if job["metrics"].is_object() {
        let _ = write!(text, "\n{}", metrics(&job["metrics"]));
    }
    text
}

/// `code: message`, or an empty string for `null`.
pub(crate) fn error(error: &Value) -> String {
    if error.is_null() {
        return String::new();
    }
    format!("{}: {}", show::text(&error["code"]), show::text(&error["message"]))
}

fn model(job: &Value) -> String {
    match job["model"]["version"].as_i64() {
        Some(version) => format!("{} version {version}", show::text(&job["name"])),
        None => show::text(&job["name"]),
    }
}

fn listed(features: &[Value]) -> String {
    let shown: Vec<_> = features.iter().take(MAX_FEATURES).map(show::text).collect();
    let more = features.len().saturating_sub(MAX_FEATURES);
    if more == 0 { shown.join(", ") } else { format!("{}, … and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn classification_shows_numbers_matrix_and_bars() {
        let text = metrics(&json!({
            "accuracy": 0.812_34, "confusion_matrix": {"labels": ["0", "1"], "counts": [[140, 22], [27, 73]]},
            "feature_importances": [{"feature": "sex", "importance": 0.6}, {"feature": "age", "importance": 0.3}],
            "warnings": ["age is often missing"],
        }));
        for part in ["0.8123", "actual", "140", "73", "sex", "0.3000", "warning: age is often missing"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let bar = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().matches('█').count();
        assert_eq!((bar("sex"), bar("age")), (30, 15));
    }

    #[test]
    fn a_prediction_shows_its_rows_its_result_and_its_warnings() {
        let text = job(&json!({
            "job_id": "1", "kind": "prediction", "name": "demo", "model": {"name": "demo", "version": 3},
            "algorithm": "svm", "status": "succeeded", "attempt": 1, "max_attempts": 3,
            "result_url": "/predictions/1/result", "spec": {"dataset": "passengers", "dataset_version": 2},
            "metrics": {"rows": 1309, "warnings": ["'age' is missing in 263 rows; imputed as in training"]},
        }));
        for part in ["prediction", "demo version 3", "passengers v2", "1309", "/predictions/1/result", "263 rows"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("target") && !text.contains("metric"), "{text}");
    }

    #[test]
    fn regression_has_no_matrix() {
        let text = metrics(&json!({"r2": 0.44, "rmse": 55.1, "mae": 44.0}));
        assert!(text.contains("R²") && !text.contains("Confusion"), "{text}");
    }
}
