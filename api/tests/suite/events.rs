//! Event streams: changes of the job, limits, reconnects and the stop of the server.

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::{Method, Response};
use serde_json::{Value, json};
use trainyard_api::ApiConfig;
use trainyard_domain::outcome::{Counts, RunOutcome, next_state};
use trainyard_domain::{FailureCode, JobError, JobId, LogEntry, LogLevel, LogLine};

use crate::support::{Api, Caller, config};

async fn submit(admin: &Caller<'_>) -> JobId {
    let job = json!({"name": "m", "algorithm": "decision_tree", "features": ["sex"]});
    admin.post("/training", job).await.ok(202)["job_id"].as_str().unwrap().parse().unwrap()
}

async fn open(api: &Api, caller: &Caller<'_>, id: JobId) -> Response<Body> {
    let request = caller.request(Method::GET, &format!("/training/{id}/events"));
    api.open(request.body(Body::empty()).unwrap()).await
}

/// The next event or heartbeat of a stream.
async fn next(stream: &mut BodyDataStream) -> Option<String> {
    Some(String::from_utf8(stream.next().await?.unwrap().to_vec()).unwrap())
}

/// Acts as the worker: claims the job and writes a log line.
async fn run(api: &Api, id: JobId) {
    let mut tx = api.state.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let job = tx.jobs().claim(id, "w", Some(now), chrono::Duration::hours(1)).await.unwrap().unwrap();
    let entry = LogEntry::Log { level: LogLevel::Warning, message: "half of it is missing\nreally".into() };
    tx.logs().append(id, job.claim, 0, &[LogLine { at: now, entry }]).await.unwrap();
    tx.jobs().set_progress(id, job.claim, 0.5, "training").await.unwrap();
    tx.commit().await.unwrap();
}

async fn fail(api: &Api, id: JobId) {
    let mut tx = api.state.db.begin().await.unwrap();
    let now = tx.now().await.unwrap();
    let error = JobError::new(FailureCode::BadData, "no rows");
    let next = next_state(RunOutcome::Failed(error), Counts::default(), 3, false, now, 0.0);
    assert!(tx.jobs().finish_run(id, 1, &next, now).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn each_event_has_an_id_and_the_change() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let mut stream = open(&api, &admin, id).await.into_body().into_data_stream();
    let first = next(&mut stream).await.unwrap();
    assert!(first.starts_with("id: r1-l0\nevent: status\ndata: {\"attempt\":1,\"error\":null,"), "{first}");
    run(&api, id).await;
    let status = next(&mut stream).await.unwrap();
    assert!(status.contains("\"status\":\"running\"") && status.contains("\"progress\":0.5"), "{status}");
    let log = next(&mut stream).await.unwrap();
    let (head, data) = log.split_once("data: ").unwrap();
    let (id_line, kind) = head.split_once('\n').unwrap();
    assert!(id_line.starts_with("id: r3-l1") && kind == "event: log\n", "{log}");
    let data: Value = serde_json::from_str(data.trim_end()).unwrap();
    assert_eq!((&data["level"], &data["message"]), (&json!("warning"), &json!("half of it is missing\nreally")));
    fail(&api, id).await;
    let last = next(&mut stream).await.unwrap();
    assert!(last.contains("\"status\":\"failed\"") && last.contains("\"code\":\"bad_data\""), "{last}");
    assert_eq!(next(&mut stream).await, None, "nothing follows the final status");
}

#[tokio::test]
async fn a_stream_without_events_sends_heartbeats() {
    let api = Api::with(ApiConfig { event_heartbeat_s: 1, ..config() }).await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let mut stream = open(&api, &admin, id).await.into_body().into_data_stream();
    next(&mut stream).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap(), ":\n\n");
}

#[tokio::test]
async fn a_stream_over_the_limit_gets_503_with_retry_after() {
    let api = Api::with(ApiConfig { max_event_streams: 1, ..config() }).await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let open_stream = open(&api, &admin, id).await;
    let refused = admin.get(&format!("/training/{id}/events")).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(503);
    drop(open_stream);
    assert_eq!(open(&api, &admin, id).await.status(), 200, "a closed stream frees its place");
    assert_eq!(admin.get("/training/00000000-0000-7000-8000-000000000000/events").await.status, 404);
}

#[tokio::test]
async fn a_stream_ends_with_retry_when_the_server_stops() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let mut stream = open(&api, &admin, id).await.into_body().into_data_stream();
    next(&mut stream).await.unwrap();
    api.state.stopping.cancel();
    assert_eq!(next(&mut stream).await.unwrap(), "retry: 1000\n\n");
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn a_stream_ends_after_the_lifetime_of_an_access_token() {
    let api = Api::with(ApiConfig { access_token_ttl_s: 1, ..config() }).await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let mut stream = open(&api, &admin, id).await.into_body().into_data_stream();
    next(&mut stream).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap(), "retry: 1000\n\n");
}

#[tokio::test]
async fn a_stream_that_joins_a_long_poll_gets_the_complete_log() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let path = format!("/training/{id}");
    let etag = admin.get(&path).await.header("etag").to_owned();
    let poll = admin.request(Method::GET, &format!("{path}?wait_s=60")).header("if-none-match", etag);
    // The long poll subscribes first, without the log.
    let joined = async {
        let mut stream = open(&api, &admin, id).await.into_body().into_data_stream();
        next(&mut stream).await.unwrap();
        run(&api, id).await;
        stream
    };
    let (polled, mut stream) = tokio::join!(admin.send(poll, Body::empty()), joined);
    assert_eq!(polled.ok(200)["status"], "running");
    assert!(next(&mut stream).await.unwrap().contains("\"status\":\"running\""));
    assert!(next(&mut stream).await.unwrap().contains("event: log"));
}

#[tokio::test]
async fn a_stream_opened_after_a_retry_follows_the_new_run() {
    // With this interval, only the first poll of the new stream can read the retried job.
    let api = Api::with(ApiConfig { watch_every_ms: 60_000, ..config() }).await;
    let admin = api.admin().await;
    let id = submit(&admin).await;
    let path = format!("/training/{id}");
    let mut other = open(&api, &admin, id).await.into_body().into_data_stream();
    assert!(next(&mut other).await.unwrap().contains("\"status\":\"queued\""));
    admin.post(&format!("{path}/cancel"), Value::Null).await.ok(202);
    let cancelled = open(&api, &admin, id).await.into_body().into_data_stream().next().await.unwrap().unwrap();
    let cancelled = String::from_utf8(cancelled.to_vec()).unwrap();
    assert!(cancelled.contains("\"status\":\"cancelled\""), "{cancelled}");
    // An open stream keeps the last observation of the job in the watcher.
    let _watches = open(&api, &admin, id).await;
    admin.post(&format!("{path}/retry"), Value::Null).await.ok(202);
    let last_id = cancelled.lines().next().unwrap().strip_prefix("id: ").unwrap().to_owned();
    let request = admin.request(Method::GET, &format!("{path}/events")).header("last-event-id", last_id);
    let again = api.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(again.status(), 200);
    let mut again = again.into_body().into_data_stream();
    let first = next(&mut again).await.unwrap();
    assert!(first.contains("\"status\":\"queued\""), "{first}");
}
