//! The drift of served models, and the counts of their predictions.

use std::sync::Arc;

use serde_json::{Value, json};
use trainyard_inference::InferenceConfig;
use trainyard_telemetry::catalogue::{
    INFERENCE_DRIFT_ROWS, INFERENCE_FEATURE_DRIFT_PSI, INFERENCE_PREDICTION_DRIFT_PSI, INFERENCE_PREDICTIONS_TOTAL,
};
use trainyard_testkit::{eventually, unique};

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;
use crate::v2_tensors;

/// Gauges that follow within a fraction of a second.
fn quick() -> InferenceConfig {
    InferenceConfig { drift_window_s: 60, drift_min_rows: 100, ..config() }
}

/// The drift of a model, after checking the shares.
async fn drift(role: &RunningRole, model: &str) -> Value {
    let (status, drift) = role.get(&format!("/inference/drift?model={model}")).await;
    assert_eq!(status, 200, "{drift}");
    let columns = drift["features"].as_array().unwrap().iter().chain([&drift["prediction"]]);
    for column in columns {
        let list = |name: &str| column[name].as_array().unwrap().clone();
        let names = |list: Vec<Value>| list.into_iter().map(|bin| bin["bin"].clone()).collect::<Vec<_>>();
        assert_eq!(names(list("training")), names(list("recent")), "{column}");
        for side in [list("training"), list("recent")] {
            let sum: f64 = side.iter().map(|bin| bin["share"].as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-9 || column["rows"] == 0, "{column}");
        }
    }
    drift
}

/// The PSI by feature, and of the predictions.
fn indices(drift: &Value) -> Vec<(&str, Option<f64>)> {
    let features = drift["features"].as_array().unwrap().iter();
    let features = features.map(|feature| (feature["feature"].as_str().unwrap(), feature["psi"].as_f64()));
    features.chain([("", drift["prediction"]["psi"].as_f64())]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_like_the_training_rows_have_no_drift_and_others_have() {
    let environment = Environment::new().await;
    let (same, other) = (unique("same"), unique("other"));
    environment.publish(&same, models::survival(0)).await;
    environment.publish(&other, models::survival(0)).await;
    let role = environment.serve_with(quick()).await;
    let passengers = models::passengers();
    let answer = role.predict(json!({"model": same, "instances": passengers})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let drift_of_same = drift(&role, &same).await;
    assert_eq!((&drift_of_same["rows"], &drift_of_same["version"]), (&json!(passengers.len()), &json!(1)));
    assert!(indices(&drift_of_same).iter().all(|(_, psi)| psi.unwrap() < 0.1), "{drift_of_same}");

    // Old men of the third class, and a fifth of them without an age.
    let row = |i: usize| json!({"sex": "male", "pclass": 3, "age": (!i.is_multiple_of(5)).then_some(60 + i % 20)});
    for i in 0..200 {
        assert_eq!(role.predict(json!({"model": other, "features": row(i)})).await.status, 200);
    }
    let drift_of_other = drift(&role, &other).await;
    let found = indices(&drift_of_other);
    assert!(found.iter().all(|(_, psi)| psi.unwrap() > 0.25), "{drift_of_other}");
    assert_eq!(found[0].0, "age", "the feature with the largest PSI comes first: {found:?}");
    assert!(found[..3].is_sorted_by(|a, b| a.1 >= b.1), "{found:?}");
    let age = &drift_of_other["features"][0]["recent"];
    let share = |name: &str| age.as_array().unwrap().iter().find(|bin| bin["bin"] == name).unwrap()["share"].clone();
    assert_eq!(share("missing"), 0.2, "{age}");

    // The gauges have the same values.
    for (feature, psi) in &found[..3] {
        let labels = format!("model=\"{other}\",version=\"1\",feature=\"{feature}\"");
        let found = eventually("the gauge of the feature is set", TIMEOUT, async || {
            environment.series(INFERENCE_FEATURE_DRIFT_PSI, &labels).pop()
        })
        .await;
        assert!((found.1 - psi.unwrap()).abs() < 1e-9, "{found:?}, not {psi:?}");
    }
    let gauge = |name: &str, model: &str| environment.series(name, &format!("model=\"{model}\",version=\"1\"")).pop();
    assert_eq!(gauge(INFERENCE_DRIFT_ROWS, &other).unwrap().1, 200.0);
    assert!(gauge(INFERENCE_PREDICTION_DRIFT_PSI, &other).unwrap().1 > 0.25);
    assert!(gauge(INFERENCE_PREDICTION_DRIFT_PSI, &same).unwrap().1 < 0.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_are_exact_over_concurrent_requests() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 40;
    let environment = Environment::new().await;
    let model = unique("exact");
    environment.publish(&model, models::survival(0)).await;
    let role = Arc::new(environment.serve().await);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (role, model) = (role.clone(), model.clone());
            tokio::spawn(async move {
                for request in 0..REQUESTS {
                    let rows = vec![json!({"sex": "male", "age": request}); 1 + (client + request) % 3];
                    let refused = json!({"model": model, "instances": [{"age": 3}, {"age": "old"}]});
                    match request % 4 {
                        0 => {
                            let body = json!({"inputs": v2_tensors::passengers()});
                            assert_eq!(v2_tensors::infer(&role, &model, &body).await.status, 200);
                        }
                        1 => assert_eq!(role.predict(refused).await.status, 422),
                        2 => {
                            let one = json!({"model": model, "features": rows[0]});
                            assert_eq!(role.predict(one).await.status, 200);
                        }
                        _ => {
                            let many = json!({"model": model, "instances": rows});
                            assert_eq!(role.predict(many).await.status, 200);
                        }
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let of_request = |client: usize, request: usize| match request % 4 {
        0 => 3,
        1 => 0,
        2 => 1,
        _ => 1 + (client + request) % 3,
    };
    let rows: usize = (0..CLIENTS).flat_map(|c| (0..REQUESTS).map(move |r| of_request(c, r))).sum();
    let drift = drift(&role, &model).await;
    assert_eq!(drift["rows"], rows);
    assert!(drift["features"].as_array().unwrap().iter().all(|feature| feature["rows"] == rows), "{drift}");
    let labels = format!("model=\"{model}\",version=\"1\"");
    assert_eq!(environment.counter_value("trainyard_inference_rows_total", &labels), rows as f64);
    let classes = environment.series(INFERENCE_PREDICTIONS_TOTAL, &labels);
    assert_eq!(classes.iter().map(|(_, count)| count).sum::<f64>(), rows as f64, "{classes:?}");
    assert!(classes.len() == 2 && classes.iter().all(|(_, count)| *count > 0.0), "{classes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_have_no_index() {
    let environment = Environment::new().await;
    let model = unique("few");
    environment.publish(&model, models::survival(0)).await;
    let role = environment.serve_with(quick()).await;
    let labels = format!("model=\"{model}\"");
    let passengers = models::passengers();
    role.predict(json!({"model": model, "instances": passengers[..99]})).await;
    let before = drift(&role, &model).await;
    assert_eq!(
        (&before["rows"], &before["min_rows"], &before["prediction"]["psi"]),
        (&json!(99), &json!(100), &json!(null))
    );
    assert!(indices(&before).iter().all(|(_, psi)| psi.is_none()));
    eventually("the rows are exported", TIMEOUT, async || {
        (environment.series(INFERENCE_DRIFT_ROWS, &labels).pop()?.1 == 99.0).then_some(())
    })
    .await;
    let is_hidden = |name| environment.series(name, &labels).is_empty();
    assert!(is_hidden(INFERENCE_FEATURE_DRIFT_PSI) && is_hidden(INFERENCE_PREDICTION_DRIFT_PSI));
    role.predict(json!({"model": model, "features": passengers[99]})).await;
    assert!(indices(&drift(&role, &model).await).iter().all(|(_, psi)| psi.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_no_longer_served_has_no_drift() {
    let environment = Environment::new().await;
    let model = unique("replaced");
    environment.publish(&model, models::survival(0)).await;
    let role = environment.serve_with(InferenceConfig { drift_max_features: 1, ..quick() }).await;
    let rows = json!({"model": model, "instances": models::passengers()});
    assert_eq!(role.predict(rows.clone()).await.status, 200);
    let features = |version: i64| {
        environment.series(INFERENCE_FEATURE_DRIFT_PSI, &format!("model=\"{model}\",version=\"{version}\""))
    };
    eventually("the first version has a gauge", TIMEOUT, async || (!features(1).is_empty()).then_some(())).await;
    assert_eq!(features(1).len(), 1, "inference.drift_max_features limits the gauges");
    let version = environment.publish(&model, models::survival(1)).await;
    role.wait_until_serving(&model, version).await;
    assert_eq!(role.predict(rows).await.status, 200);
    eventually("only the second version has gauges", TIMEOUT, async || {
        let old = format!("model=\"{model}\",version=\"1\"");
        let gone = |name| environment.series(name, &old).is_empty();
        let all = [INFERENCE_DRIFT_ROWS, INFERENCE_FEATURE_DRIFT_PSI, INFERENCE_PREDICTION_DRIFT_PSI];
        (all.into_iter().all(gone) && !features(version).is_empty()).then_some(())
    })
    .await;
    let (status, problem) = role.get(&format!("/inference/drift?model={model}&version=1")).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (404, &json!("version")), "{problem}");
    assert_eq!(role.get("/inference/drift?model=nothing").await.0, 404);
    let (status, problem) = role.get("/inference/drift?version=0&colour=1").await;
    assert_eq!(status, 422, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rare_classes_share_a_counter() {
    let environment = Environment::new().await;
    let model = unique("letters");
    environment.publish(&model, models::letters()).await;
    let role = environment.serve().await;
    let rows: Vec<_> = (0..26).map(|letter| json!({"x": letter * 10})).collect();
    assert_eq!(role.predict(json!({"model": model, "instances": rows})).await.status, 200);
    let classes = environment.series(INFERENCE_PREDICTIONS_TOTAL, &format!("model=\"{model}\""));
    assert_eq!(classes.len(), 21, "{classes:?}");
    assert_eq!(classes.iter().map(|(_, count)| count).sum::<f64>(), 26.0, "{classes:?}");
    let other = classes.iter().find(|(series, _)| series.contains("class=\"other\"")).unwrap();
    assert!(other.1 >= 1.0, "{classes:?}");
    let drift = drift(&role, &model).await;
    assert!(drift["prediction"]["training"].as_array().unwrap().len() <= 21, "{drift}");
}

#[tokio::test(flavor = "multi_thread")]
async fn further_versions_share_their_series() {
    let environment = Environment::new().await;
    let (first, second) = (unique("first"), unique("second"));
    let role = environment.serve_with(InferenceConfig { max_version_series: 1, ..quick() }).await;
    environment.publish(&first, models::survival(0)).await;
    role.wait_until_serving(&first, 1).await;
    environment.publish(&second, models::survival(0)).await;
    role.wait_until_serving(&second, 1).await;
    let rows = |model: &str| environment.counter_value("trainyard_inference_rows_total", &format!("model=\"{model}\""));
    assert!(rows(&first) >= 1.0 && rows(&second) == 0.0 && rows("other") >= 1.0);
}
