//! Readiness with required models (`inference.required_models`).

use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};
use trainyard_domain::{ModelName, MoveCause, MoveReason};
use trainyard_inference::InferenceConfig;
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;

fn requiring(models: &[&str]) -> InferenceConfig {
    InferenceConfig { required_models: models.iter().map(|model| (*model).to_owned()).collect(), ..config() }
}

async fn start(environment: &Environment, models: &[&str]) -> RunningRole {
    environment.start(requiring(models), environment.db.clone(), environment.store.clone()).await
}

/// The report about the required models, once the list of models has been read.
async fn report(role: &RunningRole) -> (u16, Value) {
    eventually("the list of models has been read", TIMEOUT, async || {
        let (status, report) = role.get("/health/ready").await;
        (report["checks"]["registry"]["status"] == "ok").then(|| (status, report["checks"]["required_models"].clone()))
    })
    .await
}

async fn becomes_ready(role: &RunningRole) {
    eventually("the role is ready", TIMEOUT, async || (role.get("/health/ready").await.0 == 200).then_some(())).await;
    assert_eq!(role.get("/v2/health/ready").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_is_ready_once_all_required_models_are_loaded() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = start(&environment, &["m", "m@champion", "n@2"]).await;
    let (status, required) = report(&role).await;
    assert_eq!((status, &required["critical"]), (503, &json!(true)), "{required}");
    assert_eq!(required["error"], "not loaded: m@champion (no such alias), n@2 (not published)");
    assert_eq!(role.get("/v2/health/ready").await.0, 503);
    assert_eq!(role.predict(json!({"model": "m", "features": {}})).await.status, 200, "requests are answered anyway");

    let mut tx = environment.db.begin().await.unwrap();
    let cause = MoveCause::new(MoveReason::User, Utc::now());
    assert!(tx.models().set_alias(&ModelName::parse("m").unwrap(), "champion", 1, &cause).await.unwrap());
    tx.commit().await.unwrap();
    for seed in 1..3 {
        environment.publish_as("n", models::survival(seed), models::survival(seed), false).await;
    }
    becomes_ready(&role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_version_stays_loaded_without_an_alias() {
    let environment = Environment::new().await;
    for _ in 0..4 {
        environment.publish_as("m", models::survival(0), models::survival(0), false).await;
    }
    let config = InferenceConfig { max_pinned_versions: 1, ..requiring(&["m@2"]) };
    let role = environment.serve_with(config).await;
    for version in [3, 4] {
        assert_eq!(role.predict(json!({"model": "m", "version": version, "features": {}})).await.status, 200);
    }
    let authorization = format!("Bearer {}", environment.admin_token());
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let unload = async |body: Value| {
        role.call(Method::POST, "/v2/repository/models/m/unload", &headers, body.to_string().into_bytes()).await
    };
    let (status, error) = unload(json!({"parameters": {"version": 2}})).await.v2_error();
    assert!(status == 409 && error.contains("inference.required_models"), "{error}");
    assert_eq!(unload(json!({})).await.status, 200, "releases version 4");
    let (_, index) = role.get("/v2/models/m").await;
    assert_eq!(index["versions"], json!(["1", "2"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_model_keeps_a_ready_process_ready_and_a_new_process_from_it() {
    let environment = Environment::new().await;
    for model in ["m", "n"] {
        environment.publish(model, models::survival(0)).await;
    }
    let role = start(&environment, &["m"]).await;
    becomes_ready(&role).await;
    let mut tx = environment.db.begin().await.unwrap();
    tx.models().delete(&ModelName::parse("m").unwrap(), true).await.unwrap();
    tx.commit().await.unwrap();
    eventually("the model is removed", TIMEOUT, async || {
        (role.predict(json!({"model": "m", "features": {}})).await.status == 404).then_some(())
    })
    .await;
    assert_eq!(role.get("/health/ready").await.0, 200, "other models are still served");
    role.stop().await;
    let restarted = start(&environment, &["m"]).await;
    let (status, required) = report(&restarted).await;
    assert_eq!((status, &required["error"]), (503, &json!("not loaded: m (not published)")));
    assert_eq!(restarted.predict(json!({"model": "n", "features": {}})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_model_that_can_not_be_loaded_is_reported() {
    let environment = Environment::new().await;
    environment.publish_as("m", b"rubbish", b"rubbish", true).await;
    let role = start(&environment, &["m"]).await;
    let (status, required) = report(&role).await;
    assert_eq!(
        (status, &required["error"]),
        (503, &json!("not loaded: m (can't be loaded; the log names the reason)"))
    );
}
