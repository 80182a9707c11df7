//! The limit on requests in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use futures::future::join_all;
use futures::{StreamExt, poll, stream};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use tokio::sync::Semaphore;
use trainyard_domain::Role;
use trainyard_http::ops::Ops;
use trainyard_http::{InFlightLimit, Routes};
use trainyard_telemetry::Metrics;

use crate::support::{authenticator, request, routes, send, settings, token};

/// The role with a limit on all routes but those of operations.
fn limited(max: usize, on_refusal: fn()) -> Router {
    let limit = InFlightLimit::new(max, "test.max_in_flight", on_refusal);
    let ops: Routes = Ops::new(Metrics::install().unwrap()).routes();
    routes().limited_by(&limit).merge(ops).into_router(authenticator(), settings().requests())
}

fn order(body: impl Into<Body>) -> Request<Body> {
    request("POST", "/orders").header(CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

// The requests of `join_all` run in one task on one thread: all of them arrive before the first one continues.
#[tokio::test]
async fn requests_beyond_the_limit_are_refused_at_once_with_retry_after() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let app = limited(2, || {
        REFUSED.fetch_add(1, Ordering::Relaxed);
    });
    let answers = join_all((0..5).map(|_| send(app.clone(), order(r#"{"name":"n"}"#)))).await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 503, 503, 503]);
    assert_eq!(REFUSED.load(Ordering::Relaxed), 3);
    for refused in &answers[2..] {
        assert_eq!((refused.problem().as_str(), refused.header("retry-after")), ("unavailable", "1"));
        for header in ["traceparent", "cache-control", "x-content-type-options"] {
            assert!(!refused.header(header).is_empty(), "{header}");
        }
    }
    let later = join_all((0..2).map(|_| send(app.clone(), order(r#"{"name":"n"}"#)))).await;
    assert!(later.iter().all(|answer| answer.status == 200), "finished requests no longer count");
}

#[tokio::test]
async fn a_refused_request_is_neither_authenticated_nor_read() {
    let app = limited(1, || {});
    let with = |path: &str| request("POST", path).header("x-request-id", "mine");
    let answers = join_all([
        send(app.clone(), order(r#"{"name":"n"}"#)),
        send(app.clone(), with("/orders").body(Body::from("not JSON")).unwrap()),
        send(app.clone(), with("/v2/orders/no-id").body(Body::empty()).unwrap()),
    ])
    .await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 503, 503]);
    assert_eq!(answers[1].header("x-request-id"), "mine");
    let error = answers[2].json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("Retry-After") && answers[2].header("retry-after") == "1", "{error}");
    let admin = with("/v2/orders/no-id").header(AUTHORIZATION, format!("Bearer {}", token(Role::Admin)));
    assert_eq!(send(app, admin.body(Body::empty()).unwrap()).await.status, 404, "below the limit the path is read");
}

#[tokio::test]
async fn a_large_body_is_refused_unread_while_no_large_request_may_wait() {
    let waiting = Arc::new(Semaphore::new(0));
    let limit = InFlightLimit::new(10, "test.max_in_flight", || {}).refusing_large_bodies(20, waiting.clone());
    let app = routes().limited_by(&limit).into_router(authenticator(), settings().requests());
    let statuses = async || {
        let long = format!(r#"{{"name":"{}"}}"#, "n".repeat(20));
        [send(app.clone(), order(r#"{"name":"n"}"#)).await.status, send(app.clone(), order(long)).await.status]
    };
    assert_eq!(statuses().await, [200, 503]);
    waiting.add_permits(1);
    assert_eq!(statuses().await, [200, 200]);
}

#[tokio::test]
async fn routes_without_the_limit_are_answered_during_an_overload() {
    let app = limited(1, || {});
    let get = |path: &str| send(app.clone(), request("GET", path).body(Body::empty()).unwrap());
    let post = || send(app.clone(), order(r#"{"name":"n"}"#));
    // The last path has no method GET.
    let others = [get("/health"), get("/health/ready"), get("/metrics"), get("/orders")];
    let answers = join_all([post(), post()].into_iter().chain(others)).await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 503, 200, 200, 200, 405]);
}

#[tokio::test]
async fn a_request_that_waits_for_its_body_does_not_count() {
    let app = limited(1, || {});
    let endless = stream::iter([Ok::<_, std::io::Error>("{")]).chain(stream::pending());
    let mut slow = Box::pin(send(app.clone(), order(Body::from_stream(endless))));
    assert!(poll!(&mut slow).is_pending());
    assert_eq!(send(app.clone(), order(r#"{"name":"n"}"#)).await.status, 503, "the first request has not run yet");
    assert!(poll!(&mut slow).is_pending());
    assert_eq!(send(app.clone(), order(r#"{"name":"n"}"#)).await.status, 200, "the first request waits for its body");
    drop(slow);
    assert_eq!(send(app, order(r#"{"name":"n"}"#)).await.status, 200);
}
