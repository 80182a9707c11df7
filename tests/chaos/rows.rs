//! Rows of the fault table, one scenario each.
//!
//! Rows that other tests cover are not repeated: training processes that are killed, run out of memory, hang or flood
//! their output, and a full disk (`worker/tests/worker/children.rs`); a clock change on one worker
//! (`worker/tests/worker/fencing.rs`); two concurrent sweeps (`worker/tests/worker/sweeping.rs`); corrupt artifacts
//! (`inference/tests/serving/outages.rs`).

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use trainyard_testkit::{Client, NetworkState, eventually, pause};

use crate::faults::add_invalid_entries;
use crate::rig::{LEASE, LIMIT, Rig, phase, quick_job, slow_job, trains, versions};

/// Checks that a model has all versions from 1 without a gap.
async fn assert_published_once(admin: &Client, model: &str, count: usize) {
    let numbers: Vec<_> = versions(admin, model).await.iter().map(|version| version["version"].clone()).collect();
    assert_eq!(numbers, (1..=count).rev().map(|number| json!(number)).collect::<Vec<_>>());
}

async fn succeeds(admin: &Client, id: &str) -> Value {
    phase(admin, id, |view| view["status"] == "succeeded").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_uploads_or_before_it_publishes_runs_again_and_publishes_once() {
    let mut rig = Rig::start(1, 1).await;
    let admin = rig.admins().await.remove(0);
    let worker = rig.system.workers()[0];

    let uploading = admin.submit(slow_job("uploading")).await;
    trains(&admin, &uploading).await;
    rig.to_store.set(NetworkState::Silent);
    phase(&admin, &uploading, |view| view["phase"] == "publishing").await;
    rig.system.kill(worker);
    rig.to_store.set(NetworkState::Healthy);
    rig.system.resume(worker);
    succeeds(&admin, &uploading).await;
    assert_published_once(&admin, "uploading", 1).await;

    let uploaded = admin.submit(slow_job("uploaded")).await;
    trains(&admin, &uploaded).await;
    let before = rig.stored_artifacts();
    rig.to_postgres.set(NetworkState::Silent);
    // The object is complete and readable, and its database row can't be written.
    eventually("the artifact is stored", LIMIT, async || (rig.stored_artifacts() > before).then_some(())).await;
    rig.system.kill(worker);
    rig.to_postgres.set(NetworkState::Healthy);
    rig.system.resume(worker);
    succeeds(&admin, &uploaded).await;
    assert_published_once(&admin, "uploaded", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_restarts_flushes_outages_and_hangs_lose_no_job_and_stop_no_worker() {
    let mut rig = Rig::start(1, 2).await;
    let admin = rig.admins().await.remove(0);
    let mut ids = Vec::new();
    for fault in ["killed", "emptied", "flushed", "hung", "refused", "silent"] {
        for _ in 0..3 {
            ids.push(admin.submit(quick_job("redis")).await);
        }
        match fault {
            "killed" | "emptied" => rig.redis.kill(),
            "flushed" => drop(rig.redis.cli(&["FLUSHALL"])),
            "hung" => rig.redis.signal(libc::SIGSTOP),
            "refused" => rig.to_redis.set(NetworkState::Refused),
            _ => rig.to_redis.set(NetworkState::Silent),
        }
        // Accepted because the job is in the database.
        for _ in 0..3 {
            ids.push(admin.submit(quick_job("redis")).await);
        }
        match fault {
            "killed" => rig.redis.resume(),
            "emptied" => rig.redis.resume_empty(),
            "flushed" => {}
            "hung" => rig.redis.signal(libc::SIGCONT),
            _ => rig.to_redis.set(NetworkState::Healthy),
        }
        // A worker that stopped claiming would leave these jobs queued.
        for id in &ids {
            succeeds(&admin, id).await;
        }
    }
    assert_published_once(&admin, "redis", ids.len()).await;
    let left = || (rig.entries_in_redis() == 0).then_some(());
    eventually("Redis holds nothing of finished jobs", LIMIT, async || left()).await;
    let keys: u64 = rig.redis.cli(&["DBSIZE"]).parse().unwrap();
    assert!(keys <= 8, "{keys} keys after {} jobs: {}", ids.len(), rig.redis.cli(&["KEYS", "*"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_outage_refuses_submissions_and_ends_no_run() {
    let mut rig = Rig::start(1, 1).await;
    let admin = rig.admins().await.remove(0);
    let id = admin.submit(slow_job("outage")).await;
    trains(&admin, &id).await;
    rig.postgres.kill();
    let away = Instant::now();
    let refused = admin.post("/training", quick_job("outage")).await;
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    refused.problem(503);
    // Longer than a lease, so the run continues only if the sweep extends leases after an outage.
    pause((LEASE + Duration::from_secs(2)).saturating_sub(away.elapsed())).await;
    let mut rig = tokio::task::spawn_blocking(move || {
        rig.postgres.resume();
        rig
    })
    .await
    .unwrap();
    let view = succeeds(&admin, &id).await;
    assert_eq!((&view["attempt"], rig.runs_begun()), (&json!(1), 1), "{view}");
    // A hanging server: connections stay open without responses.
    let id = admin.submit(slow_job("outage")).await;
    trains(&admin, &id).await;
    rig.postgres.signal_all(libc::SIGSTOP);
    pause(LEASE + Duration::from_secs(2)).await;
    rig.postgres.signal_all(libc::SIGCONT);
    let view = succeeds(&admin, &id).await;
    assert_eq!((&view["attempt"], rig.runs_begun()), (&json!(1), 2), "{view}");
    let gave_up = rig.system.restart_ended();
    assert!(gave_up.is_empty(), "{gave_up:?}");
    assert_published_once(&admin, "outage", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn object_store_outages_delays_errors_and_truncation_are_retried() {
    let rig = Rig::start(1, 1).await;
    let admin = rig.admins().await.remove(0);
    let links = [
        NetworkState::Refused,
        NetworkState::Slow(Duration::from_millis(300)),
        NetworkState::Truncated(700),
        NetworkState::Healthy,
    ];
    for (n, link) in links.into_iter().enumerate() {
        let id = admin.submit(slow_job("store")).await;
        trains(&admin, &id).await;
        rig.to_store.set(link);
        rig.store.set_broken(link == NetworkState::Healthy);
        phase(&admin, &id, |view| view["phase"] == "publishing").await;
        pause(Duration::from_secs(3)).await;
        rig.to_store.set(NetworkState::Healthy);
        rig.store.set_broken(false);
        let view = succeeds(&admin, &id).await;
        assert_eq!(view["attempt"], 1, "{link:?}: {view}");
        assert_published_once(&admin, "store", n + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_artifact_is_never_served() {
    let rig = Rig::start(1, 1).await;
    let admin = rig.admins().await.remove(0);
    admin.trained(quick_job("cut")).await;
    // Another seed gives another digest; otherwise inference would use its cached artifact.
    let mut other = quick_job("cut");
    other["seed"] = json!(7);
    let second = admin.trained(other).await["job_id"].as_str().unwrap().to_owned();
    let row = json!({"sex": "female", "age": 30, "pclass": 1});
    let (newest, pinned) =
        (json!({"model": "cut", "features": row}), json!({"model": "cut", "version": 2, "features": row}));
    admin.served(newest.clone(), &json!(1)).await;
    // Truncation in transit, within the response headers. (A download that ends later is resumed.)
    rig.to_store.set(NetworkState::Truncated(100));
    admin.infer(pinned.clone()).await.problem(503);
    // Truncation in the store: the object itself is shorter.
    let file = rig.artifacts().join(second).join("1.tym");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    rig.to_store.set(NetworkState::Healthy);
    for _ in 0..3 {
        admin.infer(pinned.clone()).await.problem(503);
        assert_eq!(admin.infer(newest.clone()).await.expect(200)["version"], 1);
    }
    std::fs::write(&file, whole).unwrap();
    eventually("the whole artifact is served", LIMIT, async || {
        let answer = admin.infer(pinned.clone()).await;
        (answer.status == 200 && answer.body["version"] == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_undecodable_and_old_ids_are_dropped_and_counted() {
    let rig = Rig::start(1, 1).await;
    let admin = rig.admins().await.remove(0);
    let done = admin.trained(quick_job("junk")).await["job_id"].as_str().unwrap().to_owned();
    add_invalid_entries(&rig, std::slice::from_ref(&done));
    admin.trained(quick_job("junk")).await;
    let worker = rig.system.urls().into_iter().find(|(role, _)| *role == "worker").unwrap().1;
    let counted = async |reason: &str| {
        let text = reqwest::get(format!("{worker}/metrics")).await.unwrap().text().await.unwrap();
        let name = format!("trainyard_queue_messages_dropped_total{{reason=\"{reason}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<f64>().ok()).unwrap_or(0.0)
    };
    // Two invalid entries, one of an unknown job, and the finished job twice.
    eventually("the metrics are updated", LIMIT, async || {
        (counted("undecodable").await >= 2.0 && counted("not_claimable").await >= 3.0).then_some(())
    })
    .await;
    assert_eq!(rig.runs_begun(), 2);
    assert_published_once(&admin, "junk", 2).await;
    let health = admin.try_send(admin.request(Method::GET, "/queue")).await.unwrap().expect(200);
    assert_eq!(health["workers"].as_array().unwrap().len(), 1, "the worker is unharmed: {health}");
}
