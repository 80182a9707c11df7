//! Many workers, crashes and deploys: each job runs once and none is lost.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use trainyard_testkit::{Client, Stack, System, eventually, unique};

use crate::support::{BINARY, quick_job};

/// A system for one test. It starts on a blocking thread.
async fn own(stack: Stack, workers: usize, settings: &'static [(&str, &str)]) -> System {
    tokio::task::spawn_blocking(move || System::start_with(BINARY, stack, workers, settings)).await.unwrap()
}

async fn running(admin: &Client, id: &str) {
    eventually("the job runs", Duration::from_secs(60), async || {
        let view = admin.get(&format!("/training/{id}")).await.expect(200);
        (view["status"] == "running" && view["phase"] != Value::Null).then_some(())
    })
    .await;
}

/// A job that runs for some seconds and succeeds.
fn slow_job(name: &str) -> Value {
    json!({"name": name, "algorithm": "random_forest", "features": ["*"], "params": {"n_trees": 2000}})
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_fifty_jobs_and_each_runs_once() {
    let system = own(Stack::Distributed, 2, &[]).await;
    let admin = system.client().admin().await;
    let name = unique("fifty");
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(admin.submit(quick_job(&name)).await);
    }
    let (mut versions, mut by_worker) = (HashSet::new(), HashMap::<String, u32>::new());
    for id in &ids {
        let view = admin.finished(id).await;
        assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "{view}");
        versions.insert(view["model"]["version"].as_i64().unwrap());
        *by_worker.entry(view["worker"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(versions, (1..=50).collect(), "each job has one version");
    assert_eq!(by_worker.len(), 2, "both workers ran jobs: {by_worker:?}");
    let started = r#""message":"running""#;
    let runs: usize = system.workers().iter().map(|&worker| system.log(worker).matches(started).count()).sum();
    assert_eq!(runs, 50, "no job was started twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_was_killed_runs_again_and_publishes_once() {
    let settings = &[
        ("TRAINYARD__WORKER__LEASE_S", "3"),
        ("TRAINYARD__WORKER__RENEW_EVERY_S", "1"),
        ("TRAINYARD__SWEEP__WORKER_DEAD_AFTER_S", "2"),
    ];
    let mut system = own(Stack::Distributed, 1, settings).await;
    let admin = system.client().admin().await;
    let name = unique("killed");
    let id = admin.submit(slow_job(&name)).await;
    running(&admin, &id).await;
    let worker = system.workers()[0];
    system.kill(worker);
    system.resume(worker);
    let view = admin.finished(&id).await;
    assert_eq!((&view["status"], &view["model"]["version"]), (&json!("succeeded"), &json!(1)), "{view}");
    assert_eq!(view["attempt"], 2, "a crash of the worker counts as an attempt: {view}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_returns_its_job_without_counting_the_attempt() {
    for stack in [Stack::Embedded, Stack::Distributed] {
        let mut system = own(stack, 1, &[("TRAINYARD__WORKER__GRACE_S", "0")]).await;
        let admin = system.client().admin().await;
        let name = unique("drained");
        let id = admin.submit(slow_job(&name)).await;
        running(&admin, &id).await;
        let worker = system.workers()[0];
        let (mut system, status) = tokio::task::spawn_blocking(move || {
            let status = system.terminate(worker);
            (system, status)
        })
        .await
        .unwrap();
        assert_eq!(status.code(), Some(0), "a clean drain");
        system.resume(worker);
        let mut system = tokio::task::spawn_blocking(move || {
            system.wait_ready(worker);
            system
        })
        .await
        .unwrap();
        let view = admin.finished(&id).await;
        assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "{view}");
        system.kill(worker);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_system_recovers_its_jobs_after_a_crash() {
    let mut system = own(Stack::Embedded, 1, &[]).await;
    let admin = system.client().admin().await;
    let name = unique("again");
    admin.trained(quick_job(&name)).await;
    let running_id = admin.submit(slow_job(&name)).await;
    running(&admin, &running_id).await;
    let waiting_id = admin.submit(quick_job(&name)).await;
    system.kill(0);
    system.resume(0);
    let system = tokio::task::spawn_blocking(move || {
        system.wait_ready(0);
        system
    })
    .await
    .unwrap();
    for id in [running_id, waiting_id] {
        assert_eq!(admin.finished(&id).await["status"], "succeeded");
    }
    admin.served(json!({"model": name, "features": {"sex": "female"}}), &json!(1)).await;
    drop(system);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_holds_jobs_until_it_resumes() {
    let system = own(Stack::Embedded, 1, &[]).await;
    let admin = system.client().admin().await;
    admin.post("/queue/pause", Value::Null).await.expect(200);
    let id = admin.submit(quick_job(&unique("paused"))).await;
    assert_eq!(admin.get("/queue").await.expect(200)["paused"], true);
    let view = admin.get(&format!("/training/{id}?wait_s=1")).await.expect(200);
    assert_eq!((&view["status"], &view["queue_position"]), (&json!("queued"), &json!(1)), "{view}");
    admin.post("/queue/resume", Value::Null).await.expect(200);
    assert_eq!(admin.finished(&id).await["status"], "succeeded");
}
