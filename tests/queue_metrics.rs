//! The queue's metrics after known events in a distributed system.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use trainyard_testkit::{Stack, System, eventually, unique};

use crate::support::{BINARY, metric, quick_job, send_signal, training_process};

const LIMIT: Duration = Duration::from_secs(60);

/// The metrics of one process.
async fn scraped(url: &str) -> String {
    reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap()
}

/// The processes that can be the sweep leader: the API and the worker.
fn sweepers(system: &System) -> Vec<String> {
    system.urls().into_iter().filter(|(role, _)| *role != "inference").map(|(_, url)| url).collect()
}

/// Waits until exactly one of the processes exports the series, with this value.
async fn leader_says(urls: &[String], series: &str, right: impl Fn(f64) -> bool) -> String {
    eventually(&format!("one says {series} rightly"), LIMIT, async || {
        let mut said = Vec::new();
        for url in urls {
            said.extend(metric(&scraped(url).await, series).map(|value| (url.clone(), value)));
        }
        (said.len() == 1 && right(said[0].1)).then(|| said.remove(0).0)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_metric_reflects_the_events() {
    let settings = &[("TRAINYARD__SWEEP__MEASURE_EVERY_S", "1")];
    let start = || System::start_with(BINARY, Stack::Distributed, 1, settings);
    let system = tokio::task::spawn_blocking(start).await.unwrap();
    let admin = system.client().admin().await;
    let urls = sweepers(&system);
    // The API exports 0 before the first event stream and the first waiting password check; other roles export no value.
    for (role, url) in system.urls() {
        let text = scraped(&url).await;
        for series in ["trainyard_api_event_streams", "trainyard_auth_password_checks_waiting"] {
            assert_eq!(metric(&text, series), (role == "api").then_some(0.0), "{series} of {role}");
        }
    }
    let name = unique("metrics");
    admin.trained(quick_job(&name)).await;

    // A job that is started, crashes three times and becomes a dead letter.
    let poison = admin.submit(quick_job_of(2_000, &name)).await;
    let mut killed = 0;
    for round in 0..3 {
        let next = async || training_process(&poison).filter(|pid| *pid != killed);
        killed = eventually("it trains", LIMIT, next).await;
        send_signal(killed, Signal::STOP);
        if round == 0 {
            leader_says(&urls, "trainyard_jobs_by_status{status=\"running\"}", |jobs| jobs == 1.0).await;
        }
        send_signal(killed, Signal::KILL);
    }
    assert_eq!(admin.finished(&poison).await["status"], "failed");
    // A scheduled job, and a job that waits for a worker.
    let mut later = quick_job(&name);
    later["run_at"] = json!((chrono::Utc::now() + chrono::Duration::hours(1)).to_rfc3339());
    admin.submit(later).await;
    admin.post("/queue/pause", Value::Null).await.expect(200);
    let mut urgent = quick_job(&name);
    urgent["priority"] = json!(10);
    admin.submit(urgent).await;

    leader_says(&urls, "trainyard_queue_dead_letter_jobs", |jobs| jobs == 1.0).await;
    leader_says(&urls, "trainyard_queue_scheduled_jobs", |jobs| jobs == 1.0).await;
    leader_says(&urls, "trainyard_queue_depth_jobs{class=\"high\"}", |jobs| jobs == 1.0).await;
    leader_says(&urls, "trainyard_queue_depth_jobs{class=\"normal\"}", |jobs| jobs == 1.0).await;
    leader_says(&urls, "trainyard_queue_depth_jobs{class=\"low\"}", |jobs| jobs == 0.0).await;
    leader_says(&urls, "trainyard_jobs_by_status{status=\"queued\"}", |jobs| jobs == 2.0).await;
    leader_says(&urls, "trainyard_queue_oldest_age_seconds", |age| age > 0.0 && age < 300.0).await;

    let worker = scraped(urls.last().unwrap()).await;
    for (series, expected) in [
        ("trainyard_jobs_claimed_total", 4.0),
        ("trainyard_jobs_wait_seconds_count", 4.0),
        ("trainyard_training_duration_seconds_count{algorithm=\"random_forest\"}", 4.0),
        (
            "trainyard_jobs_duration_seconds_count{algorithm=\"random_forest\",kind=\"training\",status=\"succeeded\"}",
            1.0,
        ),
        ("trainyard_jobs_duration_seconds_count{algorithm=\"random_forest\",kind=\"training\",status=\"failed\"}", 1.0),
        ("trainyard_jobs_finished_total{algorithm=\"random_forest\",kind=\"training\",status=\"failed\"}", 1.0),
        ("trainyard_jobs_retries_total{reason=\"crashed\"}", 2.0),
        ("trainyard_jobs_leases_lost_total", 0.0),
        ("trainyard_jobs_fenced_writes_total", 0.0),
        ("trainyard_worker_jobs_running", 0.0),
    ] {
        assert_eq!(metric(&worker, series), Some(expected), "{series} in\n{worker}");
    }
    for url in &urls {
        let lag = metric(&scraped(url).await, "trainyard_sweep_lag_seconds");
        assert!(lag.is_some_and(|lag| (0.0..60.0).contains(&lag)), "{url}: {lag:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_leader_removes_its_gauges() {
    let settings = &[("TRAINYARD__SWEEP__MEASURE_EVERY_S", "1"), ("TRAINYARD__SWEEP__LEASE_S", "2")];
    let start = || System::start_with(BINARY, Stack::Distributed, 1, settings);
    let system = tokio::task::spawn_blocking(start).await.unwrap();
    let urls = sweepers(&system);
    let depth = "trainyard_queue_depth_jobs{class=\"normal\"}";
    let leader = leader_says(&urls, depth, |_| true).await;
    let role = system.urls().iter().position(|(_, url)| *url == leader).unwrap();
    let others: Vec<_> = urls.iter().filter(|url| **url != leader).cloned().collect();
    system.signal(role, Signal::STOP.as_raw());
    leader_says(&others, depth, |_| true).await;
    let lag = metric(&scraped(&others[0]).await, "trainyard_sweep_lag_seconds").unwrap();
    system.signal(role, Signal::CONT.as_raw());
    assert!(lag < 60.0, "{lag}");
    assert_eq!(leader_says(&urls, depth, |_| true).await, others[0], "it does not take the lead back");
}

fn quick_job_of(trees: u32, name: &str) -> Value {
    json!({"name": name, "algorithm": "random_forest", "features": ["*"], "params": {"n_trees": trees}})
}
