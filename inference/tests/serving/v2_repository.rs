//! Versions, readiness, the model repository and statistics under `/v2`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use trainyard_storage::{Db, PoolOptions};

use crate::answer::RawAnswer;
use crate::environment::{Environment, RunningRole};
use crate::models;
use crate::v2_tensors::{infer, passenger_rows, passengers};

async fn get(role: &RunningRole, path: &str) -> RawAnswer {
    role.call(Method::GET, path, &[], vec![]).await
}

/// Sends a request as an administrator.
async fn post(role: &RunningRole, admin: &str, path: &str, body: &Value) -> RawAnswer {
    let authorization = format!("Bearer {admin}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
    role.call(Method::POST, path, &headers, body).await
}

/// Publishes three versions; `production` points at version 2.
async fn three_versions(environment: &Environment) {
    for seed in 0..3 {
        environment.publish_as("m", models::survival(seed), models::survival(seed), seed == 1).await;
    }
}

fn states(index: &RawAnswer) -> Vec<(String, String, String)> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let body = index.json();
    let entries = body.as_array().unwrap_or_else(|| panic!("{body}"));
    entries.iter().map(|entry| (text(entry, "name"), text(entry, "version"), text(entry, "state"))).collect()
}

fn expected(states: &[(&str, &str)]) -> Vec<(String, String, String)> {
    states.iter().map(|(version, state)| ("m".to_owned(), (*version).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_loaded_on_demand_and_released() {
    let environment = Environment::new().await;
    three_versions(&environment).await;
    let role = environment.serve().await;
    let admin = environment.admin_token();
    let index = async |body: Value| states(&post(&role, &admin, "/v2/repository/index", &body).await);
    let (ready, not) = ("READY", "UNAVAILABLE");
    assert_eq!(index(json!({})).await, expected(&[("1", not), ("2", ready), ("3", not)]));
    assert_eq!(index(Value::Null).await, expected(&[("1", not), ("2", ready), ("3", not)]));
    assert_eq!(index(json!({"ready": true})).await, expected(&[("2", ready)]));
    assert_eq!(get(&role, "/v2/models/m/versions/1/ready").await.v2_error().0, 404, "the request does not load it");

    let load = async |body: Value| post(&role, &admin, "/v2/repository/models/m/load", &body).await;
    let unload = async |body: Value| post(&role, &admin, "/v2/repository/models/m/unload", &body).await;
    let answer = async |body: Value| {
        let answer = unload(body).await;
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    };
    assert_eq!(load(Value::Null).await.status, 200, "the version that production points at");
    assert_eq!(load(json!({"parameters": {"version": "1"}})).await.status, 200);
    assert_eq!(get(&role, "/v2/models/m/versions/1/ready").await.json(), json!({"name": "m", "ready": true}));
    let answered = role
        .call(
            Method::POST,
            "/v2/models/m/versions/3/infer",
            &[("content-type", "application/json")],
            json!({"inputs": passengers()}).to_string().into_bytes(),
        )
        .await;
    assert_eq!((answered.status, &answered.json()["model_version"]), (200, &json!("3")));
    assert_eq!(index(json!({})).await, expected(&[("1", ready), ("2", ready), ("3", ready)]));
    assert_eq!(get(&role, "/v2/models/m").await.json()["versions"], json!(["1", "2", "3"]));

    let (status, error) = answer(json!({"parameters": {"version": 2}})).await;
    assert!(status == 409 && error.contains("production"), "{error}");
    assert_eq!(answer(json!({"parameters": {"version": 3}})).await, (200, String::new()));
    assert_eq!(index(json!({})).await, expected(&[("1", ready), ("2", ready), ("3", not)]));
    assert_eq!(answer(json!({"parameters": {"version": 3}})).await.0, 404, "it is not loaded any more");
    assert_eq!(answer(json!({"parameters": {"unload_dependents": false}})).await.0, 200);
    assert_eq!(index(json!({})).await, expected(&[("1", not), ("2", ready), ("3", not)]));
    assert_eq!(infer(&role, "m", &json!({"inputs": passengers()})).await.status, 200, "production is still served");
    assert_eq!(answer(Value::Null).await.0, 200, "there is nothing left to release");
    assert_eq!(get(&role, "/v2/models/m/versions/1").await.status, 200, "a request loads a released version again");

    for (path, body, status) in [
        ("nope/load", Value::Null, 404),
        ("m/load", json!({"parameters": {"version": 9}}), 404),
        ("m/load", json!({"parameters": {"version": "x"}}), 400),
        ("m/load", json!({"parameters": {"config": "{}"}}), 400),
        ("nope/unload", Value::Null, 404),
        ("m/unload", json!([]), 400),
    ] {
        let answer = post(&role, &admin, &format!("/v2/repository/models/{path}"), &body).await;
        assert_eq!(answer.v2_error().0, status, "{path} {body}");
    }
    let (status, error) = post(&role, &admin, "/v2/repository/index", &json!({"ready": 1})).await.v2_error();
    assert!(status == 400 && error.contains("ready"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_requests_rows_and_refusals_of_both_protocols() {
    let environment = Environment::new().await;
    three_versions(&environment).await;
    let role = environment.serve().await;
    let stats = async |path: &str| get(&role, path).await.json()["model_stats"].clone();
    let before = stats("/v2/models/m/stats").await;
    assert_eq!((before[0]["inference_count"].as_u64(), before[0]["last_inference"].as_u64()), (Some(0), Some(0)));
    assert_eq!(before[0]["batch_stats"], json!([]));

    for _ in 0..2 {
        assert_eq!(infer(&role, "m", &json!({"inputs": passengers()})).await.status, 200);
    }
    assert_eq!(role.predict(json!({"features": passenger_rows()[0]})).await.status, 200);
    assert_eq!(infer(&role, "m", &json!({"inputs": []})).await.status, 400);
    assert_eq!(role.predict(json!({"features": {"agee": 1}})).await.status, 422);

    let after = stats("/v2/models/m/versions/2/stats").await;
    assert_eq!(after.as_array().unwrap().len(), 1, "{after}");
    let version = &after[0];
    assert_eq!((&version["name"], &version["version"]), (&json!("m"), &json!("2")));
    assert_eq!((&version["inference_count"], &version["execution_count"]), (&json!(7), &json!(3)), "{version}");
    assert!(version["last_inference"].as_u64().unwrap() > 1_600_000_000_000, "milliseconds: {version}");
    for (phase, count) in [
        ("success", 3),
        ("fail", 2),
        ("queue", 3),
        ("compute_input", 3),
        ("compute_infer", 3),
        ("compute_output", 3),
        ("cache_hit", 0),
        ("cache_miss", 0),
    ] {
        let stat = &version["inference_stats"][phase];
        assert_eq!(stat["count"], count, "{phase}: {version}");
        assert!(stat["ns"].is_u64(), "{phase}: {version}");
    }
    let phases = &version["inference_stats"];
    let sum: u64 = ["queue", "compute_input", "compute_infer", "compute_output"]
        .iter()
        .map(|phase| phases[phase]["ns"].as_u64().unwrap())
        .sum();
    assert!(sum <= phases["success"]["ns"].as_u64().unwrap(), "{version}");
    let batches = version["batch_stats"].as_array().unwrap();
    let sizes: Vec<_> =
        batches.iter().map(|batch| (batch["batch_size"].as_u64(), batch["compute_infer"]["count"].as_u64())).collect();
    assert_eq!(sizes, [(Some(1), Some(1)), (Some(3), Some(2))]);

    environment.publish("n", models::survival(0)).await;
    role.wait_until_serving("n", 1).await;
    assert_eq!(stats("/v2/models/stats").await.as_array().unwrap().len(), 2, "all models");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_models_is_live_and_not_ready() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let away = format!("sqlite://{}/empty.db", environment.folder.path().display());
    // A database without tables: the list of models can't be read.
    let db = Db::connect(&away, &PoolOptions::default()).await.unwrap();
    let role = environment.start(crate::environment::config(), db, environment.store.clone()).await;
    assert_eq!(
        (get(&role, "/v2/health/live").await.status, get(&role, "/v2/health/live").await.json()),
        (200, json!({"live": true}))
    );
    let ready = get(&role, "/v2/health/ready").await;
    assert_eq!((ready.status, ready.json(), ready.header("retry-after")), (503, json!({"ready": false}), "1"));
    assert_eq!(get(&role, "/v2/models/m/ready").await.v2_error().0, 503);
    assert_eq!(infer(&role, "m", &json!({"inputs": passengers()})).await.v2_error().0, 503);
    let index = role.call(Method::POST, "/v2/repository/index", &[], vec![]).await;
    assert_eq!(index.v2_error().0, 503);
    let ready_only = role.call(Method::POST, "/v2/repository/index", &[], br#"{"ready": true}"#.to_vec()).await;
    assert_eq!((ready_only.status, ready_only.json()), (200, json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_role_is_not_ready_and_still_answers() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let stopping = CancellationToken::new();
    let role = environment.serve_until(stopping.clone()).await;
    assert_eq!(get(&role, "/v2/health/ready").await.json(), json!({"ready": true}));
    stopping.cancel();
    assert_eq!(get(&role, "/v2/health/ready").await.status, 503);
    assert_eq!(get(&role, "/v2/health/live").await.status, 200);
    assert_eq!(infer(&role, "m", &json!({"inputs": passengers()})).await.status, 200);
}
