//! The model card of a version: what it was trained on and how well it predicts, as Markdown (Mitchell et al., "Model Cards for
//! Model Reporting", 2019). It consists of stored figures alone, so that the same version always has the same card.

mod markdown;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use trainyard_domain::{Dataset, JobSpec, ModelVersion};

use self::markdown::{Document, escape, value};
use crate::schemas::model::{FeatureView, VersionDetailView};

/// Maximum number of features that are listed.
const MAX_FEATURES: usize = 100;
/// Maximum number of importances that are listed.
const MAX_IMPORTANCES: usize = 20;
/// Maximum number of classes of the confusion matrix; a larger one is not readable as a table.
const MAX_CLASSES: usize = 20;
/// Maximum number of values of a category that are listed.
const MAX_VALUES: usize = 10;

/// The metrics that are one number, with their names.
const SCORES: [(&str, &str); 13] = [
    ("accuracy", "Accuracy"),
    ("roc_auc", "ROC AUC"),
    ("log_loss", "Log loss"),
    ("f1", "F1"),
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("r2", "R²"),
    ("rmse", "RMSE"),
    ("mae", "MAE"),
    ("oob_accuracy", "Out-of-bag accuracy"),
    ("oob_r2", "Out-of-bag R²"),
    ("n_rounds", "Rounds"),
    ("cost", "Mean cost of a row"),
];

/// Writes the card of a version that a job with `spec` trained on `dataset`. Both may have been deleted.
pub(crate) fn write(version: ModelVersion, spec: Option<&JobSpec>, dataset: Option<&Dataset>) -> String {
    let training = spec.and_then(JobSpec::training);
    let seed = training.map(|training| training.seed.to_string());
    let dataset_rows = dataset.map(|dataset| dataset.rows);
    let dataset_sha256 = dataset.map(|dataset| dataset.sha256.clone());
    let VersionDetailView { version, signature } = VersionDetailView::new(version, spec, dataset);
    let metrics = &version.metrics;
    let mut card = Document::default();
    card.heading(1, &format!("{} version {}", escape(&version.name), version.version));
    let fact = |name: &str, text: Option<String>| Some([name.to_owned(), text.filter(|text| !text.is_empty())?]);
    let data = version.dataset.as_ref().map(|name| {
        let rows = dataset_rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        format!("{} version {}{rows}", escape(name), version.dataset_version.unwrap_or_default())
    });
    let parts = &metrics["rows"];
    let rows = parts["train"]
        .as_u64()
        .map(|train| format!("{train} for training, {} held out for the metrics", value(&parts["test"])));
    card.table(
        ["", ""],
        [
            fact("Predicts", Some(escape(&version.target))),
            fact("Task", Some(task(metrics).to_owned())),
            fact("Positive class", metrics.get("positive_class").map(value)),
            fact("Algorithm", Some(escape(version.algorithm))),
            fact("Dataset", data),
            fact("SHA-256 of the dataset", dataset_sha256),
            fact("Rows", rows),
            fact("Seed", seed),
            fact("Trained", Some(version.created_at.to_rfc3339_opts(SecondsFormat::Secs, true))),
            fact("Job", Some(version.job_id.to_string())),
            fact("Model file", Some(format!("{} bytes, SHA-256 {}", version.size, version.sha256))),
        ]
        .into_iter()
        .flatten(),
    );
    scores(&mut card, metrics);
    cross_validation(&mut card, &metrics["cross_validation"]);
    threshold(&mut card, &metrics["threshold"]);
    reliability(&mut card, &metrics["reliability"]);
    confusion(&mut card, &metrics["confusion_matrix"]);
    importances(&mut card, &metrics["feature_importances"]);
    permutation_importances(&mut card, &metrics["permutation_importances"]);
    learning_curve(&mut card, &metrics["learning_curve"]);
    features(&mut card, &signature);
    parameters(&mut card, training.map(|training| &training.params));
    warnings(&mut card, &metrics["warnings"]);
    card.finish()
}

fn task(metrics: &Value) -> &'static str {
    if metrics.get("rmse").is_some() {
        "regression"
    } else if metrics.get("positive_class").is_some() {
        "classification with two classes"
    } else {
        "classification"
    }
}

fn scores(card: &mut Document, metrics: &Value) {
    card.heading(2, "Metrics on the held-out part");
    let rows = SCORES.iter().filter(|(key, _)| !metrics[*key].is_null());
    card.table(["Metric", "Value"], rows.map(|(key, name)| [(*name).to_owned(), value(&metrics[*key])]));
}

fn cross_validation(card: &mut Document, validation: &Value) {
    let Some(metrics) = validation["metrics"].as_object() else { return };
    card.heading(2, "Cross-validation");
    card.paragraph(&format!(
        "{} folds of the training part with {} rows. Each fold was predicted by a model that was trained on the others.",
        value(&validation["folds"]),
        value(&validation["rows"])
    ));
    let rows = SCORES.iter().filter_map(|(key, name)| {
        let metric = metrics.get(*key)?;
        Some([(*name).to_owned(), value(&metric["mean"]), value(&metric["std"])])
    });
    card.table(["Metric", "Mean", "Standard deviation"], rows);
}

fn threshold(card: &mut Document, threshold: &Value) {
    let Some(tuned_for) = threshold["tuned_for"].as_str() else { return };
    card.heading(2, "Threshold");
    card.paragraph(&format!(
        "The positive class is predicted from a probability of {} on. The threshold was tuned for {} on {} rows of the training \
         part, by predictions of models that were not trained on them.",
        value(&threshold["value"]),
        escape(tuned_for),
        value(&threshold["rows"])
    ));
    let rows = SCORES.iter().filter(|(key, _)| !threshold["held_out"][*key].is_null());
    let rows = rows.map(|(key, name)| {
        let figure = |part: &str| value(&threshold[part][*key]);
        [(*name).to_owned(), figure("held_out"), figure("held_out_at_half")]
    });
    card.table(["Held-out part", "At the threshold", "At 0.5"], rows);
}

fn reliability(card: &mut Document, reliability: &Value) {
    let Some(method) = reliability["method"].as_str() else { return };
    card.heading(2, "Calibration");
    card.paragraph(&format!(
        "The probabilities are calibrated by the method {}, fitted on {} rows of the training part, by predictions of models \
         that were not trained on them.",
        escape(method),
        value(&reliability["rows"])
    ));
    let figures = [
        ("brier_score", "Brier score"),
        ("expected_calibration_error", "Expected calibration error"),
        ("log_loss", "Log loss"),
    ];
    let row = |(key, name): (&str, &str)| {
        [name.to_owned(), value(&reliability["before"][key]), value(&reliability["after"][key])]
    };
    card.table(["Held-out part", "Before", "After"], figures.map(row));
}

fn confusion(card: &mut Document, matrix: &Value) {
    let (Some(labels), Some(counts)) = (matrix["labels"].as_array(), matrix["counts"].as_array()) else { return };
    if labels.len() > MAX_CLASSES {
        return;
    }
    card.heading(2, "Confusion matrix");
    let pairs = labels.iter().zip(counts).flat_map(|(actual, counts)| {
        let counts = counts.as_array().into_iter().flatten();
        labels.iter().zip(counts).map(move |(predicted, count)| [value(actual), value(predicted), value(count)])
    });
    card.table(["Actual", "Predicted", "Held-out rows"], pairs.filter(|row| row[2] != "0"));
}

fn importances(card: &mut Document, importances: &Value) {
    let Some(all) = importances.as_array().filter(|all| !all.is_empty()) else { return };
    card.heading(2, "Feature importances");
    let rows = all.iter().take(MAX_IMPORTANCES);
    card.table(["Feature", "Importance"], rows.map(|item| [value(&item["feature"]), value(&item["importance"])]));
    more(card, all.len(), MAX_IMPORTANCES);
}

fn permutation_importances(card: &mut Document, importances: &Value) {
    let Some(all) = importances["features"].as_array().filter(|all| !all.is_empty()) else { return };
    card.heading(2, "Permutation importances");
    card.paragraph(&format!(
        "The increase of {} if the values of a feature are exchanged between {} rows of the held-out part, over {} repetitions.",
        loss(importances),
        value(&importances["rows"]),
        value(&importances["repeats"])
    ));
    let rows = all.iter().take(MAX_IMPORTANCES);
    let rows = rows.map(|item| [value(&item["feature"]), value(&item["mean"]), value(&item["std"])]);
    card.table(["Feature", "Mean", "Standard deviation"], rows);
    more(card, all.len(), MAX_IMPORTANCES);
}

fn learning_curve(card: &mut Document, curve: &Value) {
    let Some(counts) = curve["rows"].as_array() else { return };
    card.heading(2, "Learning curve");
    card.paragraph(&format!("The {} of models that were trained on a part of the training rows.", loss(curve)));
    let at = |part: &str, point: usize| value(&curve[part][point]);
    let rows = (0..counts.len()).map(|point| ["rows", "training", "held_out"].map(|part| at(part, point)));
    card.table(["Training rows", "On these rows", "On the held-out part"], rows);
}

/// The name of a loss in a sentence.
fn loss(report: &Value) -> &'static str {
    if report["metric"] == "rmse" { "RMSE" } else { "log loss" }
}

fn features(card: &mut Document, signature: &[FeatureView]) {
    if signature.is_empty() {
        return;
    }
    card.heading(2, "Features");
    let rows = signature.iter().take(MAX_FEATURES).map(|feature| {
        let values = match (feature.min, feature.max) {
            (Some(min), Some(max)) => format!("{} to {}", value(&min.into()), value(&max.into())),
            _ => {
                let listed = feature.values.iter().take(MAX_VALUES).map(|text| escape(text));
                let listed = listed.collect::<Vec<_>>().join(", ");
                let complete = feature.values_complete && feature.values.len() <= MAX_VALUES;
                if complete || listed.is_empty() { listed } else { format!("{listed}, …") }
            }
        };
        [escape(&feature.name), value(&json!(feature.dtype)), values]
    });
    card.table(["Feature", "Type", "Values in the dataset"], rows);
    more(card, signature.len(), MAX_FEATURES);
}

fn parameters(card: &mut Document, params: Option<&Map<String, Value>>) {
    let Some(params) = params else { return };
    card.heading(2, "Parameters");
    card.table(["Parameter", "Value"], params.iter().map(|(name, set)| [escape(name), value(set)]));
}

fn warnings(card: &mut Document, warnings: &Value) {
    let Some(warnings) = warnings.as_array().filter(|warnings| !warnings.is_empty()) else { return };
    card.heading(2, "Warnings");
    card.points(warnings.iter().map(|warning| warning.as_str().map(markdown::sentence).unwrap_or_default()));
}

/// Says how many entries of a list are left out.
fn more(card: &mut Document, count: usize, listed: usize) {
    if count > listed {
        card.paragraph(&format!("{} more are not listed.", count - listed));
    }
}

#[cfg(test)]
mod tests;
