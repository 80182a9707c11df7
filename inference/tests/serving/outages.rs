//! What goes on when something is broken or away.

use serde_json::json;
use trainyard_artifacts::Store;
use trainyard_inference::InferenceConfig;
use trainyard_storage::{Db, PoolOptions};
use trainyard_telemetry::catalogue::INFERENCE_RELOADS_TOTAL;
use trainyard_testkit::{SmallDisk, eventually};

use crate::bench::{Bench, SOON};
use crate::models;

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_artifact_is_never_served_and_the_old_version_stays() {
    let bench = Bench::new().await;
    bench.publish("m", models::survival(0)).await;
    let serving = bench.serve().await;
    serving.serves("m", 1).await;

    let mut damaged = models::survival(1).to_vec();
    damaged[100] ^= 1;
    let cases = [("digest_mismatch", models::survival(1), &damaged[..]), ("invalid", &damaged[..], &damaged[..])];
    for (outcome, published, stored) in cases {
        let label = format!("outcome=\"{outcome}\"");
        let before = bench.counted(INFERENCE_RELOADS_TOTAL, &label);
        let version = bench.publish_as("m", published, stored, true).await;
        eventually("the failure is counted", SOON, async || {
            (bench.counted(INFERENCE_RELOADS_TOTAL, &label) > before).then_some(())
        })
        .await;
        let answer = serving.ask(json!({"model": "m", "features": {}})).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(1)), "{outcome}: {answer:?}");
        let pinned = serving.ask(json!({"model": "m", "version": version, "features": {}})).await;
        assert!(pinned.status == 503 && pinned.retry_after.is_some(), "{outcome}: {pinned:?}");
    }
    // A restart comes to the same version, although the database names a broken one.
    serving.stop().await;
    let again = bench.serve().await;
    assert_eq!(again.ask(json!({"model": "m", "features": {}})).await.body["version"], 1);
    let version = bench.publish("m", models::survival(2)).await;
    again.serves("m", version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_only_version_is_broken_is_503() {
    let bench = Bench::new().await;
    bench.publish_as("m", b"rubbish", b"rubbish", true).await;
    let serving = bench.serve().await;
    let answer = serving.ask(json!({"model": "m", "features": {}})).await;
    assert!(answer.status == 503 && answer.retry_after.is_some(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_database_and_store_away_it_goes_on_and_even_restarts() {
    let bench = Bench::new().await;
    bench.publish("m", models::survival(0)).await;
    let version = bench.publish("m", models::survival(1)).await;
    let serving = bench.serve().await;
    let pinned = serving.ask(json!({"model": "m", "version": 1, "features": {}})).await;
    assert_eq!(pinned.status, 200);
    let before = serving.ask(json!({"model": "m", "features": {"age": 3}})).await;
    assert_eq!(before.body["version"], version);

    bench.db.close().await;
    std::fs::remove_dir_all(bench.folder.path().join("store")).unwrap();
    for _ in 0..50 {
        assert_eq!(serving.ask(json!({"model": "m", "features": {"age": 3}})).await.body, before.body);
    }
    let unknown = serving.ask(json!({"model": "m", "version": 9, "features": {}})).await;
    assert_eq!(unknown.status, 503, "nobody can say whether it exists: {unknown:?}");
    serving.stop().await;

    let db = Db::connect_lazily("postgres://nobody@127.0.0.1:1/none", &PoolOptions::default()).unwrap();
    let store = Store::open(&format!("file://{}/empty", bench.folder.path().display()), None).unwrap();
    let serving = bench.start(InferenceConfig::default(), db, store).await;
    eventually("the role is ready", SOON, async || serving.role.is_ready().then_some(())).await;
    assert_eq!(serving.ask(json!({"model": "m", "features": {"age": 3}})).await.body, before.body);
    assert_eq!(serving.ask(json!({"model": "m", "version": 1, "features": {}})).await.body, pinned.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_without_room_holds_up_no_version_and_no_start() {
    let Some(disk) = SmallDisk::mount(1) else { return };
    let bench = Bench::new().await;
    std::os::unix::fs::symlink(disk.path(), bench.cache_dir()).unwrap();
    bench.publish("m", models::survival(0)).await;
    disk.fill();
    let serving = bench.serve().await;
    serving.serves("m", 1).await;
    let version = bench.publish("m", models::survival(1)).await;
    serving.serves("m", version).await;
    serving.stop().await;
    let again = bench.serve().await;
    again.serves("m", version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_stays_out_when_the_database_is_away_at_the_start() {
    let bench = Bench::new().await;
    bench.publish("m", models::survival(0)).await;
    bench.disable_user().await;
    let serving = bench.serve().await;
    assert_eq!(serving.ask(json!({"features": {}})).await.status, 401);
    serving.stop().await;
    bench.db.close().await;
    let again = bench.serve().await;
    assert_eq!(again.ask(json!({"features": {}})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_model_goes() {
    let bench = Bench::new().await;
    bench.publish("m", models::survival(0)).await;
    let serving = bench.serve().await;
    assert_eq!(serving.ask(json!({"model": "m", "features": {}})).await.status, 200);
    let mut tx = bench.db.begin().await.unwrap();
    tx.models().delete(&trainyard_domain::ModelName::parse("m").unwrap(), true).await.unwrap();
    tx.commit().await.unwrap();
    eventually("the model is gone, without a push", SOON, async || {
        (serving.ask(json!({"model": "m", "features": {}})).await.status == 404).then_some(())
    })
    .await;
}
