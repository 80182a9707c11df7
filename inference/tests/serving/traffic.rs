//! Weights: shares, request keys, versions that are not loaded, and restarts.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use trainyard_artifacts::Store;
use trainyard_domain::traffic::{assign, draw_of_key};
use trainyard_inference::InferenceConfig;
use trainyard_storage::{Db, PoolOptions};
use trainyard_telemetry::catalogue::INFERENCE_RELOADS_TOTAL;
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;

/// The version of a key by the rule of the domain.
fn expected(model: &str, key: &str, weights: &[(i64, u32)]) -> i64 {
    weights[assign(draw_of_key(model, key.as_bytes()), weights.iter().copied()).unwrap()].0
}

/// Waits until a key of each weighted version is answered by its version.
async fn until_split(role: &RunningRole, model: &str, weights: &[(i64, u32)]) {
    for (version, _) in weights {
        let key = (0..).map(|n| format!("wait-{n}")).find(|key| expected(model, key, weights) == *version).unwrap();
        eventually("the weights are effective", TIMEOUT, async || {
            (role.version_for(model, &key).await == *version).then_some(())
        })
        .await;
    }
}

/// Publishes versions of `m` that differ in their predictions. The first one is `production`.
async fn publish(environment: &Environment, count: u64) {
    for seed in 0..count {
        let artifact = models::survival(seed % 3);
        environment.publish_as("m", artifact, artifact, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_the_same_version_in_every_process_and_every_protocol() {
    let environment = Environment::new().await;
    publish(&environment, 2).await;
    let weights = [(1, 70), (2, 30)];
    environment.set_traffic("m", &weights, &[]).await;
    let (one, other) = (environment.serve().await, environment.serve().await);
    let keys: Vec<_> = (0..200).map(|n| format!("customer-{n}")).collect();
    let mut second = 0;
    for key in &keys {
        let version = one.version_for("m", key).await;
        assert_eq!(version, expected("m", key, &weights), "{key}");
        assert_eq!(other.version_for("m", key).await, version, "{key}");
        second += usize::from(version == 2);
    }
    assert!((30..90).contains(&second), "{second} of 200 keys have the version with 30 %");

    let tensor =
        |name: &str, datatype: &str, value| json!({"name": name, "shape": [1], "datatype": datatype, "data": [value]});
    let inputs = json!({"inputs": [
        tensor("sex", "BYTES", json!("male")), tensor("age", "FP64", json!(4)), tensor("pclass", "FP64", json!(1))
    ]});
    for key in &keys[..20] {
        let headers = [("x-trainyard-request-key", key.as_str())];
        let answer = one.call(Method::POST, "/v2/models/m/infer", &headers, inputs.to_string().into_bytes()).await;
        assert_eq!(answer.json()["model_version"], expected("m", key, &weights).to_string(), "{answer:?}");
    }
    let metadata = one.call(Method::GET, "/v2/models/m", &[], vec![]).await;
    assert_eq!((metadata.status, &metadata.json()["versions"]), (200, &json!(["1", "2"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_key_are_distributed_and_named_versions_are_not() {
    let environment = Environment::new().await;
    publish(&environment, 3).await;
    environment.set_traffic("m", &[(2, 1), (3, 1)], &[]).await;
    let role = environment.serve().await;
    let mut answered = BTreeSet::new();
    for _ in 0..60 {
        let answer = role.predict(json!({"model": "m", "features": {}})).await;
        answered.insert(answer.body["version"].as_i64().unwrap());
        let named = role.predict(json!({"model": "m", "alias": "production", "features": {}})).await;
        assert_eq!(named.body["version"], 1);
        let pinned = role.predict(json!({"model": "m", "version": 3, "features": {}})).await;
        assert_eq!(pinned.body["version"], 3);
    }
    assert_eq!(answered, BTreeSet::from([2, 3]));
    environment.set_traffic("m", &[], &[2]).await;
    role.wait_until_serving("m", 1).await;
    let answer = role.predict(json!({"model": "m", "features": {}})).await;
    assert_eq!(answer.body["version"], 1, "without weights production answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growing_weight_moves_keys_to_its_version_only() {
    let environment = Environment::new().await;
    publish(&environment, 3).await;
    let (before, after) = ([(1, 5), (2, 3), (3, 2)], [(1, 5), (2, 3), (3, 8)]);
    environment.set_traffic("m", &before, &[]).await;
    let role = environment.serve().await;
    let keys: Vec<_> = (0..100).map(|n| format!("customer-{n}")).collect();
    let mut first = Vec::new();
    for key in &keys {
        first.push(role.version_for("m", key).await);
    }
    environment.set_traffic("m", &after, &[]).await;
    let moves = |key: &&String| expected("m", key, &before) != expected("m", key, &after);
    let moving = keys.iter().find(moves).expect("a key that moves");
    eventually("the new weights are effective", TIMEOUT, async || {
        (role.version_for("m", moving).await == 3).then_some(())
    })
    .await;
    for (key, before) in keys.iter().zip(first) {
        let now = role.version_for("m", key).await;
        assert!(now == before || now == 3, "{key} moved from {before} to {now}");
    }
}

/// Publishes a version whose artifact is not a model, gives it a weight, and waits until the role has tried to load it.
async fn give_weight_to_a_broken_version(
    environment: &Environment,
    weights: impl FnOnce(i64) -> Vec<(i64, u32)>,
) -> i64 {
    let label = "outcome=\"invalid\"";
    let before = environment.counter_value(INFERENCE_RELOADS_TOTAL, label);
    let broken = format!("rubbish of {}", environment.folder.path().display());
    let version = environment.publish_as("m", broken.as_bytes(), broken.as_bytes(), false).await;
    environment.set_traffic("m", &weights(version), &[]).await;
    eventually("the role has tried to load the version", TIMEOUT, async || {
        (environment.counter_value(INFERENCE_RELOADS_TOTAL, label) > before).then_some(())
    })
    .await;
    version
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_not_loaded_leaves_its_requests_to_production() {
    let environment = Environment::new().await;
    publish(&environment, 1).await;
    let role = environment.serve().await;
    give_weight_to_a_broken_version(&environment, |broken| vec![(1, 1), (broken, 9)]).await;
    for n in 0..50 {
        assert_eq!(role.version_for("m", &format!("customer-{n}")).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_loaded_leaves_its_requests_to_the_former_weights() {
    let environment = Environment::new().await;
    publish(&environment, 3).await;
    let role = environment.serve().await;
    let weights = [(2, 1), (3, 1)];
    environment.set_traffic("m", &weights, &[]).await;
    until_split(&role, "m", &weights).await;
    let broken = give_weight_to_a_broken_version(&environment, |broken| vec![(broken, 1)]).await;
    for n in 0..50 {
        let key = format!("customer-{n}");
        assert_eq!(role.version_for("m", &key).await, expected("m", &key, &weights), "production is version 1");
    }
    // Other weights with the version that can't be loaded.
    let next = [(2, 1), (broken, 1)];
    environment.set_traffic("m", &next, &[]).await;
    let moves = |key: &String| (expected("m", key, &weights), expected("m", key, &next)) == (3, 2);
    let moving = (0..).map(|n| format!("wait-{n}")).find(moves).unwrap();
    eventually("the new weights are effective", TIMEOUT, async || {
        (role.version_for("m", &moving).await == 2).then_some(())
    })
    .await;
    for n in 0..50 {
        let key = format!("customer-{n}");
        let wanted = if expected("m", &key, &next) == broken { expected("m", &key, &weights) } else { 2 };
        assert_eq!(role.version_for("m", &key).await, wanted, "{key}");
    }
    environment.set_traffic("m", &[(2, 1)], &[]).await;
    let waits = |key: &String| (expected("m", key, &weights), expected("m", key, &next)) == (3, broken);
    let waiting = (0..).map(|n| format!("wait-{n}")).find(waits).unwrap();
    eventually("the last weights are effective", TIMEOUT, async || {
        (role.version_for("m", &waiting).await == 2).then_some(())
    })
    .await;
    for n in 0..50 {
        assert_eq!(role.version_for("m", &format!("customer-{n}")).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_in_the_traffic_stay_loaded() {
    let environment = Environment::new().await;
    publish(&environment, 5).await;
    environment.set_traffic("m", &[(2, 1), (3, 1)], &[4]).await;
    let config = InferenceConfig { max_pinned_versions: 1, ..config() };
    let role = environment.start(config, environment.db.clone(), environment.store.clone()).await;
    until_split(&role, "m", &[(2, 1), (3, 1)]).await;
    for version in [5, 4, 3, 2, 5] {
        let answer = role.predict(json!({"model": "m", "version": version, "features": {}})).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{answer:?}");
    }
    let admin = format!("Bearer {}", environment.admin_token());
    let headers = [("authorization", admin.as_str())];
    let unload = async |body: serde_json::Value| {
        role.call(Method::POST, "/v2/repository/models/m/unload", &headers, body.to_string().into_bytes()).await
    };
    for version in [2, 4] {
        let (status, error) = unload(json!({"parameters": {"version": version}})).await.v2_error();
        assert!(status == 409 && error.contains("traffic"), "{status} {error}");
    }
    assert_eq!(unload(json!({})).await.status, 200);
    let index =
        role.call(Method::POST, "/v2/repository/index", &[], json!({"ready": true}).to_string().into_bytes()).await;
    let loaded: Vec<_> = index.json().as_array().unwrap().iter().map(|entry| entry["version"].clone()).collect();
    assert_eq!(json!(loaded), json!(["1", "2", "3", "4"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_database_and_store_a_restart_distributes_by_the_same_weights() {
    let environment = Environment::new().await;
    publish(&environment, 3).await;
    let weights = [(2, 70), (3, 30)];
    environment.set_traffic("m", &weights, &[1]).await;
    let role = environment.serve().await;
    until_split(&role, "m", &weights).await;
    eventually("the index is written", TIMEOUT, async || {
        let index = std::fs::read_to_string(environment.cache_dir().join("index.json")).ok()?;
        let index: serde_json::Value = serde_json::from_str(&index).ok()?;
        let served = index["catalogue"]["served"].as_array()?.len();
        (served == 3 && index["catalogue"]["traffic"]["m"]["weights"]["2"] == 70).then_some(())
    })
    .await;
    role.stop().await;
    environment.db.close().await;
    let db = Db::connect_lazily("postgres://nobody@127.0.0.1:1/none", &PoolOptions::default()).unwrap();
    let store = Store::open(&format!("file://{}/empty", environment.folder.path().display()), None).unwrap();
    let role = environment.start(config(), db, store).await;
    eventually("the role is ready", TIMEOUT, async || role.inference.is_ready().then_some(())).await;
    for n in 0..100 {
        let key = format!("customer-{n}");
        assert_eq!(role.version_for("m", &key).await, expected("m", &key, &weights), "{key}");
    }
}
