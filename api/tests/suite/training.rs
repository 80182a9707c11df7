//! Submitting, reading, listing and cancelling jobs.

use axum::body::Body;
use http::Method;
use serde_json::{Map, Value, json};
use trainyard_api::ApiConfig;
use trainyard_domain::params::Params;
use trainyard_domain::{Algorithm, PriorityClass};

use crate::support::{Answer, Api, Caller, config};

pub fn job() -> Value {
    json!({"name": "titanic-rf", "algorithm": "random_forest", "features": ["sex", "age", "pclass"]})
}

pub fn with(more: Value) -> Value {
    let mut body = job();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn submit(caller: &Caller<'_>, key: &str, body: &Value) -> Answer {
    let request = caller.request(Method::POST, "/training").header("content-type", "application/json");
    caller.send(request.header("idempotency-key", key), body.to_string()).await
}

async fn watch(caller: &Caller<'_>, path: &str, etag: &str) -> Answer {
    caller.send(caller.request(Method::GET, path).header("if-none-match", etag), Body::empty()).await
}

#[tokio::test]
async fn a_submitted_job_is_enqueued_and_has_all_defaults() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let accepted = admin.post("/training", job()).await;
    let location = accepted.header("location").to_owned();
    assert!(!accepted.header("retry-after").is_empty());
    let accepted = accepted.ok(202);
    assert_eq!(accepted["status_url"], location);
    assert_eq!(location, format!("/training/{}", accepted["job_id"].as_str().unwrap()));

    let view = admin.get(&location).await.ok(200);
    assert_eq!((&view["status"], &view["queue_position"], &view["attempt"]), (&json!("queued"), &json!(1), &json!(1)));
    let defaults = Params::parse(Algorithm::RandomForest, &Map::new()).unwrap();
    let spec = json!({
        "name": "titanic-rf", "algorithm": "random_forest", "features": ["sex", "age", "pclass"],
        "dataset": "titanic", "dataset_version": 1, "target": "survived",
        "params": defaults.as_map(),
        "priority": 0, "run_at": null, "max_attempts": 3, "timeout_s": 3600, "webhook_url": null, "seed": 42,
        "task": null, "positive_class": null, "column_types": {}, "on_leak": "warn", "auto_promote": null
    });
    assert_eq!(view["spec"], spec);
    api.enqueued(1).await;
    let waiting = api.state.queue.depth().await.unwrap();
    assert!(waiting.contains(&(PriorityClass::Normal, 1)), "{waiting:?}");
    let queue = admin.get("/queue").await.ok(200);
    assert_eq!(
        (&queue["depth"], &queue["by_status"]["queued"], &queue["paused"]),
        (&json!(1), &json!(1), &json!(false))
    );
}

#[tokio::test]
async fn a_submission_lists_every_invalid_field() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let cases = [
        (with(json!({"algorithm": "xgboost"})), "algorithm"),
        (with(json!({"name": "Bad Name"})), "name"),
        (with(json!({"features": ["sex", "shoe_size"]})), "features[1]"),
        (with(json!({"features": ["sex", 3]})), "features[1]"),
        (with(json!({"dataset": "atlantis"})), "dataset"),
        (with(json!({"params": {"n_trees": 0}})), "params.n_trees"),
        (with(json!({"timeout_s": "an hour"})), "timeout_s"),
        (with(json!({"run_at": "tomorrow"})), "run_at"),
        (with(json!({"seed": -1})), "seed"),
        (with(json!({"webhook_url": "https://10.0.0.1/hook"})), "webhook_url"),
        (with(json!({"colour": "red"})), "colour"),
        (with(json!({"task": "clustering"})), "task"),
        (with(json!({"task": "regression", "target": "embarked"})), "task"),
        (with(json!({"on_leak": "ignore"})), "on_leak"),
        (with(json!({"positive_class": "maybe"})), "positive_class"),
        (with(json!({"positive_class": {}})), "positive_class"),
        (with(json!({"column_types": {"shoe_size": "number"}})), "column_types.shoe_size"),
        (with(json!({"column_types": {"sex": "letter"}})), "column_types.sex"),
        (json!({"algorithm": "svm", "features": ["sex"]}), "name"),
    ];
    for (body, field) in cases {
        assert_eq!(admin.post("/training", body).await.refused(), [field]);
    }
    let many = json!({"name": "X", "algorithm": "x", "features": ["x"], "webhook_url": "x", "priority": 99});
    let fields = admin.post("/training", many).await.refused();
    assert_eq!(fields, ["webhook_url", "name", "algorithm", "priority", "features[0]"]);
    admin.upload("mine", "x,y\n1,0\n2,1\n").await.ok(201);
    let targetless = with(json!({"dataset": "mine", "features": ["x"]}));
    assert_eq!(admin.post("/training", targetless).await.refused(), ["target"]);
    assert_eq!(admin.get("/training").await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn a_job_says_how_its_table_is_learned() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let spec = |accepted: Value| {
        let path = accepted["status_url"].as_str().unwrap().to_owned();
        let admin = &admin;
        async move { admin.get(&path).await.ok(200)["spec"].clone() }
    };
    let plain = spec(admin.post("/training", job()).await.ok(202)).await;
    assert_eq!((&plain["task"], &plain["positive_class"]), (&json!(null), &json!(null)));
    assert_eq!((&plain["column_types"], &plain["on_leak"]), (&json!({}), &json!("warn")));
    let options = json!({
        "task": "classification", "positive_class": 0, "column_types": {"pclass": "category"}, "on_leak": "drop"
    });
    let changed = spec(admin.post("/training", with(options.clone())).await.ok(202)).await;
    for (name, value) in options.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_job_and_one_body() {
    let api = Api::with(ApiConfig { max_jobs_per_user: 1, ..config() }).await;
    let admin = api.admin().await;
    let first = submit(&admin, "k-1", &job()).await.ok(202);
    // A repeated request succeeds at the limit, also with another notation.
    assert_eq!(submit(&admin, "k-1", &with(json!({"seed": 42}))).await.ok(202), first);
    submit(&admin, "k-1", &with(json!({"seed": 43}))).await.problem(409);
    let refused = submit(&admin, "k-2", &job()).await;
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(refused.problem(429)["code"], "rate_limited");
    for key in ["", " ", &"k".repeat(256), "sch\u{f6}n"] {
        assert_eq!(submit(&admin, key, &job()).await.refused(), ["Idempotency-Key"], "{key:?}");
    }
    assert_eq!(admin.get("/training").await.ok(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_expired_idempotency_key_can_be_used_again() {
    let api = Api::with(ApiConfig { idempotency_ttl_s: 0, ..config() }).await;
    let admin = api.admin().await;
    let first = submit(&admin, "k-1", &job()).await.ok(202);
    let second = submit(&admin, "k-1", &with(json!({"seed": 43}))).await.ok(202);
    assert_ne!(first["job_id"], second["job_id"]);
}

#[tokio::test]
async fn concurrent_requests_with_one_key_submit_one_job() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let posts = (0..8).map(|_| async { submit(&admin, "storm", &job()).await.ok(202)["job_id"].take() });
    let ids = futures::future::join_all(posts).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let listed = admin.get("/training").await.ok(200)["items"].take();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    api.enqueued(1).await;
}

#[tokio::test]
async fn jobs_beyond_the_dispatch_window_are_not_enqueued() {
    let api = Api::with(ApiConfig { dispatch_window: 2, ..config() }).await;
    let admin = api.admin().await;
    for _ in 0..4 {
        admin.post("/training", job()).await.ok(202);
    }
    api.enqueued(2).await;
    admin.post("/queue/pause", json!(null)).await.ok(200);
    let other = Api::start().await;
    let admin = other.admin().await;
    assert_eq!(admin.post("/queue/pause", json!(null)).await.ok(200)["paused"], true);
    admin.post("/training", job()).await.ok(202);
    let depth: u64 = other.state.queue.depth().await.unwrap().iter().map(|(_, n)| n).sum();
    assert_eq!(depth, 0, "no job is enqueued while the queue is paused");
    assert_eq!(admin.post("/queue/resume", json!(null)).await.ok(200)["paused"], false);
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_can_be_retried() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let path = admin.post("/training", job()).await.ok(202)["status_url"].as_str().unwrap().to_owned();
    admin.post(&format!("{path}/retry"), json!(null)).await.problem(409);
    assert_eq!(admin.post(&format!("{path}/cancel"), json!(null)).await.ok(202)["status"], "cancelled");
    assert_eq!(admin.get(&path).await.ok(200)["status"], "cancelled");
    admin.post(&format!("{path}/cancel"), json!(null)).await.problem(409);
    let retried = admin.post(&format!("{path}/retry"), json!(null)).await;
    assert_eq!(retried.header("location"), path);
    assert_eq!(retried.ok(202)["status"], "queued");
    admin.post("/training/nonsense/cancel", json!(null)).await.problem(404);
}

#[tokio::test]
async fn a_retry_at_the_job_limit_is_refused() {
    let api = Api::with(ApiConfig { max_jobs_per_user: 1, ..config() }).await;
    let admin = api.admin().await;
    let path = admin.post("/training", job()).await.ok(202)["status_url"].as_str().unwrap().to_owned();
    admin.post(&format!("{path}/cancel"), json!(null)).await.ok(202);
    admin.post("/training", job()).await.ok(202);
    admin.post(&format!("{path}/retry"), json!(null)).await.problem(429);
    assert_eq!(admin.get(&path).await.ok(200)["status"], "cancelled");
    let skipped = admin.post("/training/retry", json!({"status": "cancelled"})).await.ok(202);
    assert_eq!((&skipped["retried"], &skipped["skipped_total"]), (&json!(0), &json!(1)), "{skipped}");
}

#[tokio::test]
async fn a_job_that_is_not_due_is_not_enqueued() {
    let api = Api::start().await;
    let admin = api.admin().await;
    admin.post("/training", with(json!({"run_at": "2999-01-01T00:00:00Z"}))).await.ok(202);
    admin.post("/training", job()).await.ok(202);
    api.enqueued(1).await;
}

#[tokio::test]
async fn without_a_free_long_poll_a_request_is_answered_at_once() {
    let api = Api::with(ApiConfig { max_long_polls: 0, ..config() }).await;
    let admin = api.admin().await;
    let path = admin.post("/training", job()).await.ok(202)["status_url"].as_str().unwrap().to_owned();
    let polled =
        tokio::time::timeout(std::time::Duration::from_secs(10), admin.get(&format!("{path}?wait_s=60"))).await;
    assert_eq!(polled.unwrap().ok(200)["status"], "queued");
}

#[tokio::test]
async fn schedules_have_a_limit() {
    let api = Api::with(ApiConfig { max_schedules: 1, ..config() }).await;
    let admin = api.admin().await;
    let schedule = |name: &str| json!({"name": name, "cron": "@yearly", "spec": job()});
    admin.post("/schedules", schedule("one")).await.ok(201);
    let refused = admin.post("/schedules", schedule("two")).await.problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("api.max_schedules"), "{refused}");
}

#[tokio::test]
async fn an_unchanged_job_gets_304_and_a_change_ends_a_long_poll() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let path =
        admin.post("/training", with(json!({"run_at": "2999-01-01T00:00:00Z"}))).await.ok(202)["status_url"].clone();
    let path = path.as_str().unwrap();
    let etag = admin.get(path).await.header("etag").to_owned();
    assert!(watch(&admin, path, &etag).await.bytes.is_empty());
    assert_eq!(watch(&admin, path, &etag).await.status, 304);
    assert_eq!(watch(&admin, &format!("{path}?wait_s=0.3"), &etag).await.status, 304);

    let poll = format!("{path}?wait_s=60");
    let stop = format!("{path}/cancel");
    let (polled, cancelled) = tokio::join!(watch(&admin, &poll, &etag), admin.post(&stop, json!(null)));
    cancelled.ok(202);
    assert_eq!(polled.ok(200)["status"], "cancelled");
    // A finished job can't change: the long poll is answered at once.
    assert_eq!(admin.get(&poll).await.ok(200)["status"], "cancelled");
    for wait in ["61", "-1", "NaN", "soon"] {
        assert_eq!(admin.get(&format!("{path}?wait_s={wait}")).await.refused(), ["wait_s"], "{wait}");
    }
}

#[tokio::test]
async fn a_long_poll_ends_when_the_server_stops() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let path = admin.post("/training", job()).await.ok(202)["status_url"].clone();
    let poll = format!("{}?wait_s=60", path.as_str().unwrap());
    let stop = async { api.state.stopping.cancel() };
    let (polled, ()) = tokio::join!(admin.get(&poll), stop);
    assert_eq!(polled.ok(200)["status"], "queued");
}

#[tokio::test]
async fn lists_are_filtered_and_invalid_filters_are_refused() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let me = admin.get("/me").await.ok(200)["id"].take();
    for name in ["a", "b", "b"] {
        admin.post("/training", with(json!({"name": name}))).await.ok(202);
    }
    let count =
        async |query: &str| admin.get(&format!("/training?{query}")).await.ok(200)["items"].as_array().unwrap().len();
    assert_eq!(count("name=b&status=queued&algorithm=random_forest").await, 2);
    assert_eq!(count(&format!("created_by={}", me.as_str().unwrap())).await, 3);
    assert_eq!(count("status=running").await, 0);
    let refused = admin.get("/training?status=asleep&algorithm=x&name=X&created_by=me").await.refused();
    assert_eq!(refused, ["status", "name", "algorithm", "created_by"]);
    assert_eq!(admin.get("/training?color=red").await.refused(), ["color"]);
}
