//! The memory budget of the loaded versions (`inference.memory_budget_mb`).

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use trainyard_inference::InferenceConfig;
use trainyard_ml::predict::Predictor;

use crate::environment::{Environment, RunningRole, config};
use crate::models;

/// A role whose budget is `versions` times the memory of [`models::large`], with five versions of `m`, of which the first one is
/// served.
async fn role_with_room_for(environment: &Environment, versions: f64) -> RunningRole {
    for _ in 0..5 {
        environment.publish_as("m", models::large(), models::large(), false).await;
    }
    let bytes = Predictor::load(models::large()).unwrap().memory_bytes();
    assert!(bytes > 2 << 20, "{bytes} bytes are too few for a budget in megabytes");
    let memory_budget_mb = (bytes as f64 * versions / f64::from(1 << 20)).round() as u64;
    environment.serve_with(InferenceConfig { memory_budget_mb, pinned_wait_ms: 10_000, ..config() }).await
}

async fn predict(role: &RunningRole, version: i64) -> u16 {
    let answer = role.predict(json!({"model": "m", "version": version, "features": {}})).await;
    assert!(answer.status != 200 || answer.body["version"] == version, "{answer:?}");
    answer.status
}

/// The loaded versions.
async fn loaded(role: &RunningRole) -> Value {
    role.get("/v2/models/m").await.1["versions"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_version_is_unloaded_and_loaded_again_on_demand() {
    let environment = Environment::new().await;
    let role = role_with_room_for(&environment, 3.5).await;
    for version in [2, 3, 2, 4] {
        assert_eq!(predict(&role, version).await, 200, "{version}");
    }
    assert_eq!(loaded(&role).await, json!(["1", "2", "4"]), "version 3 was used least recently");
    assert_eq!(predict(&role, 3).await, 200);
    assert_eq!(loaded(&role).await, json!(["1", "3", "4"]));
    let statuses = join_all((0..8).map(|_| predict(&role, 5))).await;
    assert!(statuses.iter().all(|status| *status == 200), "concurrent requests share a load: {statuses:?}");
    assert_eq!(loaded(&role).await, json!(["1", "3", "5"]));
    let unloads = environment.counter_value("trainyard_inference_unloads_total", "reason=\"memory_budget\"");
    assert!(unloads >= 3.0, "{unloads}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_room_is_refused_by_name_until_an_alias_needs_it() {
    let environment = Environment::new().await;
    let role = role_with_room_for(&environment, 1.5).await;
    for _ in 0..2 {
        let answer = role.predict(json!({"model": "m", "version": 2, "features": {}})).await;
        assert_eq!(answer.refused(), (422, vec!["version"]), "{answer:?}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("version 2 of 'm' needs ") && detail.contains("inference.memory_budget_mb"),
            "{detail}"
        );
    }
    let authorization = format!("Bearer {}", environment.admin_token());
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = json!({"parameters": {"version": 2}}).to_string().into_bytes();
    let load = role.call(Method::POST, "/v2/repository/models/m/load", &headers, body).await;
    let (status, error) = load.v2_error();
    assert!(status == 400 && error.contains("2 of 'm' needs"), "{error}");
    assert_eq!(loaded(&role).await, json!(["1"]), "the served version stays");

    environment.set_traffic("m", &[(1, 1), (2, 1)], &[]).await;
    role.wait_until_serving("m", 2).await;
    assert_eq!(loaded(&role).await, json!(["1", "2"]), "the traffic needs both");
}
