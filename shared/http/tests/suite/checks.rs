//! Health and readiness.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::time::advance;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use trainyard_domain::Role;
use trainyard_http::ops::{Check, CheckError, Ops};
use trainyard_http::{Authenticator, Principal};
use trainyard_telemetry::Metrics;

use crate::support::{Answer, person, request, send, settings};

const TIMEOUT: Duration = Duration::from_millis(50);

fn ops() -> Ops {
    Ops::new(Metrics::install().unwrap())
}

fn router(ops: Ops) -> Router {
    let principal = Principal {
        user_id: person(Role::User).id,
        email: String::new(),
        role: Role::User,
        session: None,
        api_key: None,
    };
    ops.routes().into_router(Authenticator::fixed(principal), settings().requests())
}

async fn get(ops: Ops, path: &str) -> Answer {
    send(router(ops), request("GET", path).body(Body::empty()).unwrap()).await
}

fn good(name: &'static str, critical: bool) -> Check {
    Check::new(name, critical, TIMEOUT, || async { Ok::<_, CheckError>(()) })
}

fn bad(name: &'static str, critical: bool) -> Check {
    let fails = || async { Err("postgres://user:hunter2@10.0.0.7/db refused".to_owned()) };
    Check::new(name, critical, TIMEOUT, fails)
}

fn hangs(name: &'static str, critical: bool) -> Check {
    Check::new(name, critical, TIMEOUT, std::future::pending::<Result<(), CheckError>>)
}

#[tokio::test]
async fn successful_checks_are_ok() {
    let answer = get(ops().ready([good("database", true), Check::not_configured("ai")]), "/health/ready").await;
    let report = answer.json();
    assert_eq!((answer.status, &report["status"]), (200, &json!("ok")));
    assert_eq!(report["checks"]["ai"], json!({"status": "not_configured"}));
    let database = &report["checks"]["database"];
    assert_eq!((&database["status"], &database["critical"]), (&json!("ok"), &json!(true)));
    assert!(database["latency_ms"].is_f64() && database.get("error").is_none());
}

#[tokio::test]
async fn a_stopping_process_is_live_and_not_ready() {
    let stopping = CancellationToken::new();
    let router = router(ops().ready([good("database", true)]).until(stopping.clone()));
    let ask = async |path: &str| send(router.clone(), request("GET", path).body(Body::empty()).unwrap()).await;
    assert_eq!(ask("/health/ready").await.status, 200);
    stopping.cancel();
    let answer = ask("/health/ready").await;
    assert_eq!((answer.status, &answer.json()["status"]), (503, &json!("unavailable")));
    assert_eq!(answer.json()["checks"]["stopping"]["status"], "failed");
    assert_eq!(ask("/health").await.status, 200);
}

#[tokio::test]
async fn an_optional_failure_is_degraded_and_shows_no_secret() {
    let answer = get(ops().ready([good("database", true), bad("mail", false)]), "/health/ready").await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("degraded")));
    assert_eq!(answer.json()["checks"]["mail"]["status"], "failed");
    assert!(!answer.json()["checks"]["mail"]["error"].as_str().unwrap().is_empty());
    assert!(!answer.text.contains("hunter2") && !answer.text.contains("10.0.0.7"));
}

#[tokio::test]
async fn a_critical_failure_is_unavailable() {
    for check in [bad("database", true), hangs("database", true)] {
        let answer = get(ops().ready([check, good("queue", true)]), "/health/ready").await;
        assert_eq!((answer.status, &answer.json()["status"]), (503, &json!("unavailable")));
        assert_eq!(answer.json()["checks"]["queue"]["status"], "ok");
    }
}

#[tokio::test]
async fn a_check_that_panics_is_a_failed_check() {
    async fn panics() -> Result<(), CheckError> {
        panic!("a defect in the check");
    }
    let answer = get(ops().ready([Check::new("odd", false, TIMEOUT, panics)]), "/health/ready").await;
    assert_eq!((answer.status, &answer.json()["checks"]["odd"]["status"]), (200, &json!("failed")));
}

#[tokio::test]
async fn checks_run_concurrently_and_time_out() {
    // Each waits for the other, so both would time out in a sequential run.
    let barrier = Arc::new(Barrier::new(2));
    let meets = |name| {
        let barrier = barrier.clone();
        Check::new(name, true, Duration::from_secs(3), move || {
            let barrier = barrier.clone();
            async move {
                barrier.wait().await;
                Ok::<_, CheckError>(())
            }
        })
    };
    let started = Instant::now();
    let checks = [meets("a"), meets("b"), hangs("c", false), hangs("d", false)];
    let answer = get(ops().ready(checks), "/health/ready").await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("degraded")));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn liveness_and_readiness_are_separate() {
    let answer = get(ops().ready([bad("database", true)]), "/health").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})));
    let answer = get(ops().alive(bad("poll", true)), "/health").await;
    assert_eq!((answer.status, answer.json()), (503, json!({"status": "unavailable"})));
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let answer = get(ops(), "/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(answer.text.contains("# TYPE trainyard_jobs_claimed_total counter"), "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn clients_that_do_not_read_metrics_hold_a_bounded_number_of_copies() {
    let router = router(ops());
    let ask = async || {
        let request = request("GET", "/metrics").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, to_bytes(response.into_body(), usize::MAX).await.unwrap())
    };
    let mut unread = Vec::new();
    for _ in 0..200 {
        unread.push(ask().await);
    }
    assert!(unread.iter().all(|(status, _)| *status == 200), "clients share the newest copy");
    let copies: HashSet<_> = unread.iter().map(|(_, text)| text.as_ptr()).collect();
    assert!(copies.len() <= 16, "{} copies", copies.len());
    advance(Duration::from_secs(6)).await;
    assert_eq!(ask().await.0, 503, "an old copy is not shared");
    drop(unread);
    assert_eq!(ask().await.0, 200);
}
