//! RunningRole with broken artifacts and unavailable dependencies.

use serde_json::json;
use tokio::net::TcpListener;
use trainyard_artifacts::Store;
use trainyard_storage::{Db, PoolOptions};
use trainyard_telemetry::catalogue::INFERENCE_RELOADS_TOTAL;
use trainyard_testkit::{SmallDisk, eventually};

use crate::environment::{Environment, TIMEOUT, config};
use crate::models;

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_artifact_is_never_served_and_the_old_version_stays() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    role.wait_until_serving("m", 1).await;

    let mut damaged = models::survival(1).to_vec();
    damaged[100] ^= 1;
    let cases = [("digest_mismatch", models::survival(1), &damaged[..]), ("invalid", &damaged[..], &damaged[..])];
    for (outcome, published, stored) in cases {
        let label = format!("outcome=\"{outcome}\"");
        let before = environment.counter_value(INFERENCE_RELOADS_TOTAL, &label);
        let version = environment.publish_as("m", published, stored, true).await;
        eventually("the failure is counted", TIMEOUT, async || {
            (environment.counter_value(INFERENCE_RELOADS_TOTAL, &label) > before).then_some(())
        })
        .await;
        let answer = role.predict(json!({"model": "m", "features": {}})).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(1)), "{outcome}: {answer:?}");
        let pinned = role.predict(json!({"model": "m", "version": version, "features": {}})).await;
        assert!(pinned.status == 503 && pinned.retry_after.is_some(), "{outcome}: {pinned:?}");
    }
    // A restart serves the same version, although the database names a broken one.
    role.stop().await;
    let restarted = environment.serve().await;
    assert_eq!(restarted.predict(json!({"model": "m", "features": {}})).await.body["version"], 1);
    let version = environment.publish("m", models::survival(2)).await;
    restarted.wait_until_serving("m", version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_only_version_is_broken_is_503() {
    let environment = Environment::new().await;
    environment.publish_as("m", b"rubbish", b"rubbish", true).await;
    let role = environment.serve().await;
    let answer = role.predict(json!({"model": "m", "features": {}})).await;
    assert!(answer.status == 503 && answer.retry_after.is_some(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_database_and_store_the_role_serves_and_restarts() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let version = environment.publish("m", models::survival(1)).await;
    let role = environment.serve().await;
    let pinned = role.predict(json!({"model": "m", "version": 1, "features": {}})).await;
    assert_eq!(pinned.status, 200);
    let before = role.predict(json!({"model": "m", "features": {"age": 3}})).await;
    assert_eq!(before.body["version"], version);

    environment.db.close().await;
    std::fs::remove_dir_all(environment.folder.path().join("store")).unwrap();
    for _ in 0..50 {
        assert_eq!(role.predict(json!({"model": "m", "features": {"age": 3}})).await.body, before.body);
    }
    let unknown = role.predict(json!({"model": "m", "version": 9, "features": {}})).await;
    assert_eq!(unknown.status, 503, "only the database knows whether the version exists: {unknown:?}");
    role.stop().await;

    let db = Db::connect_lazily("postgres://nobody@127.0.0.1:1/none", &PoolOptions::default()).unwrap();
    let store = Store::open(&format!("file://{}/empty", environment.folder.path().display()), None).unwrap();
    let role = environment.start(config(), db, store).await;
    eventually("the role is ready", TIMEOUT, async || role.inference.is_ready().then_some(())).await;
    assert_eq!(role.predict(json!({"model": "m", "features": {"age": 3}})).await.body, before.body);
    assert_eq!(role.predict(json!({"model": "m", "version": 1, "features": {}})).await.body, pinned.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_versions_answer_before_the_database_and_the_process_is_ready_after_it() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.serve().await.stop().await;

    // A database that accepts connections and never answers: the first read ends at its timeout.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/none", silent.local_addr().unwrap());
    let db = Db::connect_lazily(&url, &PoolOptions::default()).unwrap();
    let role = environment.start(config(), db, environment.store.clone()).await;
    let was_ready = eventually("a cached version answers", TIMEOUT, async || {
        let is_ready = role.inference.is_ready();
        let answer = role.predict(json!({"model": "m", "features": {}})).await;
        (answer.status == 200).then_some(is_ready)
    })
    .await;
    assert!(!was_ready, "the answer came before the database was given up");
    eventually("the role is ready without the database", TIMEOUT, async || role.inference.is_ready().then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_role_is_ready_only_with_the_list_of_the_database() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("gone", models::survival(0)).await;
    environment.serve().await.stop().await;
    let version = environment.publish("m", models::survival(1)).await;
    let mut tx = environment.db.begin().await.unwrap();
    tx.models().delete(&trainyard_domain::ModelName::parse("gone").unwrap(), true).await.unwrap();
    tx.commit().await.unwrap();
    let restarted = environment.serve().await;
    assert_eq!(restarted.predict(json!({"model": "m", "features": {}})).await.body["version"], version);
    assert_eq!(restarted.predict(json!({"model": "gone", "features": {}})).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_cache_disk_delays_neither_versions_nor_the_start() {
    let Some(disk) = SmallDisk::mount(1) else { return };
    let environment = Environment::new().await;
    std::os::unix::fs::symlink(disk.path(), environment.cache_dir()).unwrap();
    environment.publish("m", models::survival(0)).await;
    disk.fill();
    let role = environment.serve().await;
    role.wait_until_serving("m", 1).await;
    let version = environment.publish("m", models::survival(1)).await;
    role.wait_until_serving("m", version).await;
    role.stop().await;
    let restarted = environment.serve().await;
    restarted.wait_until_serving("m", version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_refused_if_the_database_is_unavailable_at_the_start() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.disable_user().await;
    let role = environment.serve().await;
    assert_eq!(role.predict(json!({"features": {}})).await.status, 401);
    role.stop().await;
    environment.db.close().await;
    let restarted = environment.serve().await;
    assert_eq!(restarted.predict(json!({"features": {}})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn api_keys_are_refused_once_deleted_and_known_ones_are_accepted_without_the_database() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let [deleted, known, unknown] = ["a", "b", "c"].map(|letter| format!("ty_{}", letter.repeat(40)));
    let id = environment.create_api_key(&deleted).await;
    environment.create_api_key(&known).await;
    environment.create_api_key(&unknown).await;
    let predict = async |key: &str| {
        let body = json!({"model": "m", "features": {}}).to_string();
        role.send(body, Some(key)).await
    };
    assert_eq!((predict(&deleted).await.status, predict(&known).await.status), (200, 200));
    let mut tx = environment.db.begin().await.unwrap();
    assert!(tx.api_keys().delete(environment.user.id, id).await.unwrap().is_some());
    tx.commit().await.unwrap();
    eventually("the key is refused", TIMEOUT, async || (predict(&deleted).await.status == 401).then_some(())).await;

    environment.db.close().await;
    assert_eq!(predict(&known).await.status, 200);
    let answer = predict(&unknown).await;
    assert!(answer.status == 503 && answer.retry_after.is_some(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_model_is_no_longer_served() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    assert_eq!(role.predict(json!({"model": "m", "features": {}})).await.status, 200);
    let mut tx = environment.db.begin().await.unwrap();
    tx.models().delete(&trainyard_domain::ModelName::parse("m").unwrap(), true).await.unwrap();
    tx.commit().await.unwrap();
    eventually("the model is removed by polling", TIMEOUT, async || {
        (role.predict(json!({"model": "m", "features": {}})).await.status == 404).then_some(())
    })
    .await;
}
