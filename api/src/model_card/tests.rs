//! Cards of versions with and without their job and dataset.

use chrono::DateTime;
use serde_json::json;
use trainyard_domain::{Algorithm, DatasetId, JobId, ModelName};

use super::*;

fn version(metrics: Value) -> ModelVersion {
    ModelVersion {
        name: ModelName::parse("titanic").unwrap(),
        version: 3,
        job_id: JobId::at(DateTime::UNIX_EPOCH),
        algorithm: Algorithm::RandomForest,
        features: vec!["sex".into(), "age|<b>".into()],
        target: "survived".into(),
        metrics,
        dataset_id: DatasetId::at(DateTime::UNIX_EPOCH),
        size: 1_234,
        sha256: "ab".repeat(32),
        artifact_key: String::new(),
        traceparent: None,
        created_at: DateTime::UNIX_EPOCH,
        aliases: vec![],
    }
}

fn metrics() -> Value {
    json!({
        "accuracy": 0.812_345, "roc_auc": 0.87, "positive_class": true, "rows": {"train": 1047, "test": 262},
        "confusion_matrix": {"labels": [false, true], "counts": [[150, 12], [0, 100]]},
        "feature_importances": [{"feature": "sex", "importance": 0.7}, {"feature": "age|<b>", "importance": 0.3}],
        "cross_validation": {"folds": 5, "rows": 1047, "metrics": {"accuracy": {"mean": 0.8, "std": 0.02, "values": []}}},
        "threshold": {
            "value": 0.37, "tuned_for": "f1", "rows": 1047,
            "held_out": {"f1": 0.77}, "held_out_at_half": {"f1": 0.71}
        },
        "reliability": {
            "method": "isotonic", "rows": 1047, "before": {"brier_score": 0.2}, "after": {"brier_score": 0.15}
        },
        "permutation_importances": {
            "metric": "log_loss", "rows": 262, "repeats": 5, "features": [{"feature": "sex", "mean": 0.2, "std": 0.01}]
        },
        "learning_curve": {"metric": "log_loss", "rows": [105, 1047], "training": [0.3, 0.37], "held_out": [0.5, null]},
        "warnings": ["'age|<b>' looks like an id"],
    })
}

#[test]
fn a_card_has_the_figures_of_the_version() {
    let version = version(metrics());
    let card = write(version.clone(), None, None);
    for line in [
        "# titanic version 3",
        "| Predicts | survived |",
        "| Task | classification with two classes |",
        "| Rows | 1047 for training, 262 held out for the metrics |",
        "| Accuracy | 0.8123 |",
        "| Accuracy | 0.8 | 0.02 |",
        "| F1 | 0.77 | 0.71 |",
        "| Brier score | 0.2 | 0.15 |",
        "| false | true | 12 |",
        "| sex | 0.2 | 0.01 |",
        "| 1047 | 0.37 | – |",
        r"| age\|\<b\> | 0.3 |",
        r"- 'age\|\<b\>' looks like an id",
    ] {
        assert!(card.lines().any(|found| found == line), "{line} in {card}");
    }
    assert!(!card.contains("<b>") && !card.contains("| true | false | 0 |"), "{card}");
    assert_eq!(card, write(version, None, None), "the same version has the same card");
}

#[test]
fn what_a_version_does_not_have_is_left_out() {
    let card = write(version(json!({"r2": 0.5, "rmse": 12.25, "warnings": []})), None, None);
    assert!(card.contains("| Task | regression |") && card.contains("| RMSE | 12.25 |"), "{card}");
    for heading in ["Cross-validation", "Threshold", "Calibration", "Confusion", "Warnings", "Parameters"] {
        assert!(!card.contains(heading), "{heading} in {card}");
    }
}

#[test]
fn a_wide_model_has_a_short_card() {
    let importance = |at: usize| json!({"feature": format!("f{at}"), "importance": 0.001});
    let importances: Vec<Value> = (0..5_000).map(importance).collect();
    let card = write(version(json!({"rmse": 1.0, "feature_importances": importances})), None, None);
    assert!(card.contains("4980 more are not listed.") && card.len() < 5_000, "{card}");
}
