//! Shadow versions: compared, counted, never returned.

use reqwest::Method;
use serde_json::json;
use trainyard_inference::InferenceConfig;
use trainyard_ml::predict::{Outcome, Predictor};
use trainyard_telemetry::catalogue::{
    INFERENCE_REQUESTS_TOTAL, INFERENCE_SHADOW_DIFFERENCE, INFERENCE_SHADOW_DROPPED_TOTAL, INFERENCE_SHADOW_ROWS_TOTAL,
};
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;

const ROW: &str = r#"{"sex": "female", "age": 29, "pclass": 1}"#;

fn row() -> serde_json::Value {
    serde_json::from_str(ROW).unwrap()
}

/// The number of rows that the version 2 of a model has predicted as a shadow.
fn rows(environment: &Environment, model: &str, outcome: &str) -> f64 {
    let labels = format!("model=\"{model}\",version=\"2\",outcome=\"{outcome}\"");
    environment.counter_value(INFERENCE_SHADOW_ROWS_TOTAL, &labels)
}

async fn until_rows(environment: &Environment, model: &str, outcomes: &[&str], expected: f64) {
    eventually("the copies are compared", TIMEOUT, async || {
        let found: f64 = outcomes.iter().map(|outcome| rows(environment, model, outcome)).sum();
        (found == expected).then_some(())
    })
    .await;
}

/// Publishes `answer` and `shadow` as versions of `model`, and waits until copies are sent.
async fn shadowed(environment: &Environment, model: &str, answer: &[u8], shadow: &[u8]) -> RunningRole {
    environment.publish_as(model, answer, answer, false).await;
    environment.publish_as(model, shadow, shadow, false).await;
    environment.set_traffic(model, &[], &[2]).await;
    environment.serve().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_version_is_compared_and_never_returned() {
    let environment = Environment::new().await;
    let model = "compared";
    let role = shadowed(&environment, model, models::survival(0), models::survival(1)).await;
    for _ in 0..10 {
        let answer = role.predict(json!({"model": model, "features": row()})).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(1)));
    }
    let many = role.predict(json!({"model": model, "instances": [row(), row(), {}]})).await;
    assert_eq!(many.body["version"], 1);
    until_rows(&environment, model, &["agreed", "disagreed"], 13.0).await;

    let labels = format!("model=\"{model}\",version=\"2\"");
    let count = environment.counter_value(&format!("{INFERENCE_SHADOW_DIFFERENCE}_count"), &labels);
    let sum = environment.counter_value(&format!("{INFERENCE_SHADOW_DIFFERENCE}_sum"), &labels);
    let difference = |features: &serde_json::Value| {
        let prob = |seed| {
            let predictor = Predictor::load(models::survival(seed)).unwrap();
            match predictor.predict_one(features.as_object().unwrap()).unwrap().outcome {
                Outcome::Binary { prob, .. } => prob,
                other => panic!("{other:?}"),
            }
        };
        (prob(0) - prob(1)).abs()
    };
    let expected = 12.0 * difference(&row()) + difference(&json!({}));
    assert_eq!(count, 13.0);
    assert!((sum - expected).abs() < 1e-6, "{sum} {expected}");
    let answered = environment.counter_value(INFERENCE_REQUESTS_TOTAL, &format!("{labels},outcome=\"answered\""));
    assert_eq!(answered, 0.0, "a copy is no request of the version");

    // Requests that name a version or an alias have no copies. Copies are processed in order.
    role.predict(json!({"model": model, "version": 1, "features": row()})).await;
    role.predict(json!({"model": model, "alias": "production", "features": row()})).await;
    role.predict(json!({"model": model, "instances": vec![row(); 5]})).await;
    until_rows(&environment, model, &["agreed", "disagreed"], 18.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tensors_are_compared_as_well() {
    let environment = Environment::new().await;
    let model = "tensors";
    let role = shadowed(&environment, model, models::survival(0), models::survival(0)).await;
    let tensor =
        |name: &str, datatype: &str, data| json!({"name": name, "shape": [2], "datatype": datatype, "data": data});
    let body = json!({"inputs": [
        tensor("sex", "BYTES", json!(["female", "male"])), tensor("age", "FP64", json!([29, null])),
        tensor("pclass", "INT64", json!([1, 3]))
    ]});
    let path = format!("/v2/models/{model}/infer");
    let answer = role.call(Method::POST, &path, &[], body.to_string().into_bytes()).await;
    assert_eq!(answer.json()["model_version"], "1", "{answer:?}");
    until_rows(&environment, model, &["agreed"], 2.0).await;
    assert_eq!(rows(&environment, model, "disagreed"), 0.0, "the same model");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_have_a_difference_and_another_task_fails() {
    let environment = Environment::new().await;
    let numbers = shadowed(&environment, "numbers", models::progression(), models::progression()).await;
    for _ in 0..3 {
        numbers.predict(json!({"model": "numbers", "features": {"bmi": 0.05, "bp": 0.02, "s5": 0.01}})).await;
    }
    until_rows(&environment, "numbers", &["compared"], 3.0).await;
    let labels = "model=\"numbers\",version=\"2\"";
    assert_eq!(environment.counter_value(&format!("{INFERENCE_SHADOW_DIFFERENCE}_sum"), labels), 0.0);

    let other = shadowed(&environment, "other-task", models::survival(0), models::progression()).await;
    let answer = other.predict(json!({"model": "other-task", "features": row()})).await;
    assert_eq!((answer.status, &answer.body["version"]), (200, &json!(1)), "the shadow can't harm the answer");
    until_rows(&environment, "other-task", &["failed"], 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_beyond_the_limit_are_dropped_and_counted() {
    let environment = Environment::new().await;
    let model = "dropped";
    shadowed(&environment, model, models::survival(0), models::survival(1)).await.stop().await;
    let limited = InferenceConfig { shadow_queue_bytes: 10, ..config() };
    let role = environment.start(limited, environment.db.clone(), environment.store.clone()).await;
    eventually("the role is ready", TIMEOUT, async || role.inference.is_ready().then_some(())).await;
    let before = environment.counter_value(INFERENCE_SHADOW_DROPPED_TOTAL, "");
    let answer = role.predict(json!({"model": model, "features": row()})).await;
    assert_eq!(answer.status, 200);
    // Counted before the answer.
    assert!(environment.counter_value(INFERENCE_SHADOW_DROPPED_TOTAL, "") > before);
    assert_eq!(rows(&environment, model, "agreed") + rows(&environment, model, "disagreed"), 0.0);
}
