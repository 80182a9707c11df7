//! Frequent complaints of users of other queues, each as a scenario that would reproduce the problem.
//!
//! Other tests cover some of these already: a worker that stops claiming after a Redis failover, a Redis that fills
//! with finished jobs (`rows.rs`), and a running job that can't be cancelled (`tests/training.rs`).

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use trainyard_testkit::{Client, NetworkState, eventually, pause};

use crate::faults::spin_every_core;
use crate::rig::{LEASE, LIMIT, Rig, endless_job, phase, quick_job, slow_job, trains, versions};

#[tokio::test(flavor = "multi_thread")]
async fn a_long_cpu_bound_job_keeps_its_lease_and_runs_once() {
    let rig = Rig::start(1, 2).await;
    let admin = rig.admins().await.remove(0);
    // Runs longer than the test, which cancels the job at its end.
    let id = admin.submit(endless_job("busy")).await;
    trains(&admin, &id).await;
    spin_every_core(LEASE * 5);
    let long = |view: &Value| view["duration_s"].as_f64().is_some_and(|s| s > LEASE.as_secs_f64() * 5.0);
    let view = phase(&admin, &id, |view| view["status"] != "running" || long(view)).await;
    assert_eq!((&view["status"], &view["attempt"]), (&json!("running"), &json!(1)), "{view}");
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    assert_eq!(admin.finished(&id).await["status"], "cancelled");
    assert_eq!(rig.runs_begun(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_worker_does_not_overwrite_the_result() {
    let rig = Rig::start(1, 2).await;
    let admin = rig.admins().await.remove(0);
    let id = admin.submit(slow_job("late")).await;
    let first = trains(&admin, &id).await;
    let owner = rig.process_of(&first);
    rig.system.signal(owner, libc::SIGSTOP);
    let view = phase(&admin, &id, |view| view["status"] == "succeeded").await;
    assert_ne!(view["worker"], first["worker"]);
    rig.system.signal(owner, libc::SIGCONT);
    let late = || rig.system.log(owner).contains("this run writes nothing").then_some(());
    eventually("the late owner learns that it is late", LIMIT, async || late()).await;
    assert_eq!(admin.get(&format!("/training/{id}")).await.expect(200), view);
    assert_eq!(versions(&admin, "late").await.len(), 1);
    eventually("its artifact and its process are gone", LIMIT, async || {
        (rig.stored_artifacts() == 1 && rig.children(owner).is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_is_noticed_within_seconds_and_a_poison_job_stops_at_three() {
    let mut rig = Rig::start(1, 2).await;
    let admin = rig.admins().await.remove(0);
    let id = admin.submit(endless_job("poison")).await;
    for death in 1..=3 {
        let view = trains(&admin, &id).await;
        let owner = rig.process_of(&view);
        rig.system.kill(owner);
        let died = Instant::now();
        rig.system.resume(owner);
        let moved = |now: &Value| now["status"] != "running" || now["worker"] != view["worker"];
        phase(&admin, &id, moved).await;
        // The lease, the sweep that finds the expired lease, and a margin for a busy machine.
        assert!(died.elapsed() < LEASE * 5, "death {death} was noticed after {:?}", died.elapsed());
    }
    let view = admin.finished(&id).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("crashed")), "{view}");
    assert_eq!(rig.runs_begun(), 3, "and not a fourth worker");
    admin.trained(quick_job("healthy")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_kills_no_busy_worker() {
    let mut rig = Rig::start(2, 2).await;
    let admins = rig.admins().await;
    let submit = {
        let admins = admins.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for number in 0..30 {
                let body = if number % 10 == 0 { slow_job("rolled") } else { quick_job("rolled") };
                ids.push(submit_anywhere(&admins, &format!("rolled-{number}"), &body).await);
                pause(Duration::from_millis(300)).await;
            }
            ids
        })
    };
    let rig = tokio::task::spawn_blocking(move || {
        for role in rig.system.roles("worker").into_iter().chain(rig.system.roles("api")) {
            let status = rig.system.terminate(role);
            assert_eq!(status.code(), Some(0), "process {role} ended cleanly:\n{}", rig.system.log(role));
            rig.system.resume(role);
            rig.system.wait_ready(role);
        }
        rig
    })
    .await
    .unwrap();
    let ids = submit.await.unwrap();
    for id in &ids {
        let view = admins[0].finished(id).await;
        assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "{view}");
    }
    assert_eq!(versions(&admins[0], "rolled").await.len(), ids.len());
    assert_eq!(rig.runs_begun(), ids.len(), "no job was begun twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_job_is_always_queued() {
    let mut rig = Rig::start(2, 1).await;
    let admins = rig.admins().await;
    // The job is in the database, and the API waits for Redis.
    rig.to_redis.set(NetworkState::Silent);
    let request = admins[0].request(Method::POST, "/training").json(&quick_job("orphan"));
    let pending = {
        let admin = admins[0].clone();
        tokio::spawn(async move { admin.try_send(request).await })
    };
    let id = eventually("the job is stored", LIMIT, async || {
        let listed = admins[1].get("/training?name=orphan").await.expect(200);
        listed["items"][0]["job_id"].as_str().map(str::to_owned)
    })
    .await;
    rig.system.kill(rig.system.roles("api")[0]);
    if let Ok(answer) = pending.await.unwrap() {
        assert_eq!(answer.expect(202)["job_id"].as_str(), Some(id.as_str()));
    }
    rig.to_redis.set(NetworkState::Healthy);
    let view = admins[1].finished(&id).await;
    assert_eq!(view["status"], "succeeded", "{view}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_survives_a_redis_outage_and_a_worker_crash() {
    let mut rig = Rig::start(1, 1).await;
    let admin = rig.admins().await.remove(0);
    let worker = rig.system.workers()[0];
    let cancelled = admin.submit(endless_job("cancelled")).await;
    trains(&admin, &cancelled).await;
    rig.to_redis.set(NetworkState::Refused);
    let asked = Instant::now();
    admin.post(&format!("/training/{cancelled}/cancel"), Value::Null).await.expect(202);
    assert_eq!(admin.finished(&cancelled).await["status"], "cancelled");
    assert!(asked.elapsed() < Duration::from_secs(10), "without Redis's push it took {:?}", asked.elapsed());
    rig.to_redis.set(NetworkState::Healthy);

    let marked = admin.submit(endless_job("cancelled")).await;
    trains(&admin, &marked).await;
    // The cancel request can't reach the worker, and the next worker must not run the job.
    rig.system.signal(worker, libc::SIGSTOP);
    admin.post(&format!("/training/{marked}/cancel"), Value::Null).await.expect(202);
    rig.system.kill(worker);
    rig.system.resume(worker);
    assert_eq!(admin.finished(&marked).await["status"], "cancelled");
    assert_eq!((rig.runs_begun(), versions(&admin, "cancelled").await.len()), (2, 0));
}

/// Like a client behind a load balancer: tries the next API if an API refuses the request.
async fn submit_anywhere(admins: &[Client], key: &str, body: &Value) -> String {
    let tries = admins.iter().cycle().take(200);
    for admin in tries {
        let request = admin.request(Method::POST, "/training").header("idempotency-key", key);
        match admin.try_send(request.json(body)).await {
            Ok(answer) if answer.status == 202 => return answer.body["job_id"].as_str().unwrap().to_owned(),
            Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
            Err(_) => {}
        }
        pause(Duration::from_millis(50)).await;
    }
    panic!("no API took the job");
}
