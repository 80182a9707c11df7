//! What a job can ask for besides the metrics of the held-out part.

use serde_json::json;
use trainyard_testkit::{System, unique};

use crate::support::on_both_stacks;

on_both_stacks!(
    a_cross_validation_has_the_spread_of_each_metric,
    a_tuned_threshold_decides_the_predictions,
    a_calibration_is_reported_and_served,
    a_learning_curve_and_permutation_importances_are_stored,
);

async fn a_cross_validation_has_the_spread_of_each_metric(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("folds");
    let mut job = json!({
        "name": name, "algorithm": "random_forest", "features": ["sex", "age", "pclass"],
        "params": {"n_trees": 20, "cv": 4}
    });
    let view = admin.trained(job.clone()).await;
    let found = &view["metrics"]["cross_validation"];
    assert_eq!((&found["folds"], &found["rows"]), (&json!(4), &json!(1047)), "{view}");
    let area = &found["metrics"]["roc_auc"];
    assert_eq!(area["values"].as_array().unwrap().len(), 4, "{found}");
    assert!(area["mean"].as_f64().unwrap() > 0.75 && area["std"].as_f64().unwrap() > 0.0, "{found}");
    let version = admin.get(&format!("/models/{name}/versions/1")).await.expect(200);
    assert_eq!(&version["metrics"]["cross_validation"], found);
    let listed = admin.get(&format!("/models/{name}")).await.expect(200);
    assert_eq!(&listed["versions"][0]["metrics"]["cross_validation"], found);

    job["params"]["cv"] = json!(1);
    admin.post("/training", job).await.refused(&["params.cv"]);
}

async fn a_tuned_threshold_decides_the_predictions(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("threshold");
    // Missing a survivor is expensive, so the threshold is low.
    let job = json!({
        "name": name, "algorithm": "logistic_regression", "features": ["sex", "age", "pclass"],
        "params": {"tune_threshold": "cost", "false_negative_cost": 20}
    });
    let view = admin.trained(job.clone()).await;
    let found = &view["metrics"]["threshold"];
    let threshold = found["value"].as_f64().unwrap();
    assert!(threshold < 0.3, "{view}");
    assert_eq!(found["held_out"]["recall"], view["metrics"]["recall"]);
    assert!(found["held_out"]["cost"].as_f64() < found["held_out_at_half"]["cost"].as_f64(), "{found}");

    let rows: Vec<_> = (0..20).map(|age| json!({"sex": "male", "age": 4 * age, "pclass": 1 + age % 3})).collect();
    let one = admin.served(json!({"model": name, "features": rows[0]}), &json!(1)).await;
    assert_eq!(one["threshold"], threshold, "{one}");
    let many = admin.infer(json!({"model": name, "instances": rows})).await.expect(200);
    assert_eq!(many["threshold"], threshold, "{many}");
    let predictions = many["predictions"].as_array().unwrap();
    for row in predictions {
        assert_eq!(row["survived"], row["prob"].as_f64().unwrap() >= threshold, "{row}");
    }
    let between = |row: &&serde_json::Value| row["survived"] == true && row["prob"].as_f64().unwrap() < 0.5;
    assert!(predictions.iter().any(|row| between(&row)), "{many}");

    let mut classes = job.clone();
    classes["target"] = json!("embarked");
    admin.post("/training", classes).await.refused(&["params.tune_threshold"]);
    let mut costs = job;
    costs["params"]["false_positive_cost"] = json!(-1);
    admin.post("/training", costs).await.refused(&["params.false_positive_cost"]);
}

async fn a_calibration_is_reported_and_served(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("calibrated");
    // Few trees with leaves of one row have poor probabilities.
    let mut job = json!({
        "name": name, "algorithm": "extra_trees", "features": ["sex", "age", "pclass", "fare"],
        "params": {"n_trees": 10, "min_samples_leaf": 1, "calibration": "isotonic"}
    });
    let view = admin.trained(job.clone()).await;
    let found = &view["metrics"]["reliability"];
    assert_eq!(found["method"], "isotonic", "{view}");
    let error = |at: &str| found[at]["expected_calibration_error"].as_f64().unwrap();
    assert!(error("after") < error("before"), "{found}");
    assert_eq!(found["after"]["points"], view["metrics"]["calibration"]);

    let row = json!({"sex": "female", "age": 29, "pclass": 1, "fare": 80});
    let answer = admin.served(json!({"model": name, "features": row, "explain": true}), &json!(1)).await;
    let explanation = &answer["explanation"];
    assert_eq!(explanation["scale"], "uncalibrated_probability", "{answer}");
    assert_ne!(explanation["value"], answer["prob"]);

    (job["algorithm"], job["params"]) = (json!("svm"), json!({"calibration": "platt"}));
    admin.post("/training", job).await.refused(&["params.calibration"]);
}

async fn a_learning_curve_and_permutation_importances_are_stored(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("curve");
    let job = json!({
        "name": name, "algorithm": "random_forest", "features": ["sex", "age", "pclass"],
        "params": {"n_trees": 20, "learning_curve": "on", "permutation_repeats": 5}
    });
    let view = admin.trained(job).await;
    let (curve, importances) = (&view["metrics"]["learning_curve"], &view["metrics"]["permutation_importances"]);
    let rows: Vec<u64> = curve["rows"].as_array().unwrap().iter().map(|rows| rows.as_u64().unwrap()).collect();
    assert!(rows.len() == 5 && rows.is_sorted() && rows[4] == 1047, "{curve}");
    assert_eq!(curve["held_out"][4], view["metrics"]["log_loss"], "{curve}");
    assert_eq!(importances["features"][0]["feature"], "sex", "{importances}");
    assert!(importances["features"][0]["mean"].as_f64().unwrap() > 0.05, "{importances}");
    let version = admin.get(&format!("/models/{name}/versions/1")).await.expect(200);
    assert_eq!(
        (&version["metrics"]["learning_curve"], &version["metrics"]["permutation_importances"]),
        (curve, importances)
    );
    let listed = admin.get(&format!("/models/{name}")).await.expect(200);
    assert!(listed["versions"][0]["metrics"]["learning_curve"].is_null(), "lists leave curves out");
    // Every metric is in the OpenAPI document.
    let document = admin.get("/openapi.json").await.expect(200);
    let known = &document["components"]["schemas"]["MetricsView"]["properties"];
    for metric in view["metrics"].as_object().unwrap().keys() {
        assert!(!known[metric].is_null(), "{metric} is not documented");
    }
}
