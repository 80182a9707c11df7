//! Rolling deploys and scaling in: a process becomes unready before it stops, and running jobs are not lost.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use trainyard_testkit::{Stack, System, eventually, unique};

use crate::support::{BINARY, quick_job, send_signal, training_process};

const LIMIT: Duration = Duration::from_secs(60);

async fn own(workers: usize, settings: &'static [(&str, &str)]) -> System {
    let start = move || System::start_with(BINARY, Stack::Distributed, workers, settings);
    tokio::task::spawn_blocking(start).await.unwrap()
}

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Waits until a running process reports that it is stopping.
async fn wait_for_stopping_status(url: &str) {
    let (_, text) = eventually("it is not ready any more", LIMIT, async || {
        Some(get(&format!("{url}/health/ready")).await).filter(|(status, _)| *status == 503)
    })
    .await;
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["status"], &report["checks"]["stopping"]["status"]), (&json!("unavailable"), &json!("failed")));
    assert_eq!(get(&format!("{url}/health")).await.0, 200);
}

async fn ended(mut system: System, role: usize) -> (System, Option<i32>) {
    tokio::task::spawn_blocking(move || {
        let status = system.wait_ended(role);
        (system, status.code())
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_becomes_unready_before_it_stops_serving() {
    let mut system = own(1, &[("TRAINYARD__SERVER__DRAIN_DELAY_S", "15")]).await;
    let urls = system.urls();
    for role in 0..urls.len() {
        system.signal(role, Signal::TERM.as_raw());
    }
    for (_, url) in &urls {
        wait_for_stopping_status(url).await;
    }
    let admin = system.client().admin().await;
    let accepted = admin.submit(quick_job(&unique("late"))).await;
    assert_eq!(admin.get(&format!("/training/{accepted}")).await.expect(200)["status"], "queued");
    for (role, (name, _)) in urls.iter().enumerate() {
        let code;
        (system, code) = ended(system, role).await;
        assert_eq!(code, Some(0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_worker_serves_health_and_metrics_until_its_job_ends() {
    let system = own(1, &[("TRAINYARD__WORKER__GRACE_S", "120")]).await;
    let admin = system.client().admin().await;
    let job =
        json!({"name": unique("busy"), "algorithm": "random_forest", "features": ["*"], "params": {"n_trees": 500}});
    let id = admin.submit(job).await;
    let pid = eventually("it trains", LIMIT, async || training_process(&id)).await;
    send_signal(pid, Signal::STOP);
    let worker = system.workers()[0];
    let url = system.urls()[worker].1.clone();
    system.signal(worker, Signal::TERM.as_raw());
    wait_for_stopping_status(&url).await;
    let (status, metrics) = get(&format!("{url}/metrics")).await;
    assert!(status == 200 && metrics.contains("trainyard_worker_jobs_running 1"), "{metrics}");
    send_signal(pid, Signal::CONT);
    let view = admin.finished(&id).await;
    assert_eq!((&view["status"], &view["attempt"]), (&json!("succeeded"), &json!(1)), "{view}");
    let (_system, code) = ended(system, worker).await;
    assert_eq!(code, Some(0), "a clean drain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_max_jobs_exits_after_them() {
    // The delay does not apply: no load balancer sends requests to a worker that has finished its jobs.
    let system = own(0, &[("TRAINYARD__SERVER__DRAIN_DELAY_S", "3600")]).await;
    let admin = system.client().admin().await;
    let name = unique("scaled");
    let jobs = [admin.submit(quick_job(&name)).await, admin.submit(quick_job(&name)).await];
    let mut worker = system.command("worker");
    worker.args(["--listen", "127.0.0.1:0", "--max-jobs", "1"]).stderr(Stdio::null());
    let worker = tokio::task::spawn_blocking(move || trainyard_testkit::spawn_guarded(worker, Signal::KILL.as_raw()));
    let mut worker = worker.await.unwrap();
    let status = eventually("the worker ends", LIMIT, async || worker.0.try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(0));
    let mut statuses = Vec::new();
    for id in &jobs {
        statuses.push(admin.get(&format!("/training/{id}")).await.expect(200)["status"].as_str().unwrap().to_owned());
    }
    statuses.sort();
    assert_eq!(statuses, ["queued", "succeeded"]);
}
