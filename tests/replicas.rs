//! Two API processes on the same servers: a change at one is effective at the other at once.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use trainyard_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Client, System, distributed_settings, unique};

use crate::support::{BINARY, quick_job};

/// The limit of open jobs per user in these tests.
const MOST: usize = 12;

/// An administrator client for each process.
async fn replicas() -> (Client, Client) {
    let system = shared();
    (system.client_of(0).admin().await, system.client_of(1).admin().await)
}

fn shared() -> &'static System {
    static SYSTEM: OnceLock<System> = OnceLock::new();
    let start = || {
        let mut settings = distributed_settings();
        settings.push(("TRAINYARD__API__MAX_JOBS_PER_USER".to_owned(), MOST.to_string()));
        System::start_roles(BINARY, &["api", "api", "inference", "worker"], settings)
    };
    // Starting a system blocks for seconds, which is not allowed on a runtime thread.
    std::thread::scope(|scope| scope.spawn(|| SYSTEM.get_or_init(start)).join().unwrap())
}

/// A new user's clients for both processes, and the account id.
async fn somebody() -> (Client, Client, String) {
    let one = shared().client_of(0).user().await;
    let two = shared().client_of(1).with_token(one.token());
    let id = two.get("/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    (one, two, id)
}

/// A new administrator's clients for both processes.
async fn operator() -> (Client, Client) {
    let (one, two, id) = somebody().await;
    replicas().await.0.patch(&format!("/admin/users/{id}"), json!({"role": "admin"})).await.expect(200);
    (one, two)
}

/// A job with a start time far in the future.
fn distant_job() -> Value {
    let mut job = quick_job(&unique("replicas"));
    job["run_at"] = json!("2999-01-01T00:00:00Z");
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_at_both_apis_creates_one_job() {
    let (one, two) = operator().await;
    let (key, body) = (unique("key"), distant_job());
    let post = async |client: &Client, body: &Value| {
        client.send(client.request(Method::POST, "/training").header("idempotency-key", &key).json(body)).await
    };
    let answers = join_all((0..20).map(|n| post(if n % 2 == 0 { &one } else { &two }, &body))).await;
    let ids: Vec<_> = answers.into_iter().map(|answer| answer.expect(202)["job_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let name = body["name"].as_str().unwrap();
    let listed = two.get(&format!("/training?name={name}")).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    post(&two, &distant_job()).await.problem(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_valid_at_both_apis_and_ends_at_both() {
    let (one, two) = (shared().client_of(0), shared().client_of(1));
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let first = one.post("/login", login).await.expect(200)["refresh_token"].clone();
    let refresh = async |client: &Client, token: &Value| client.post("/refresh", json!({"refresh_token": token})).await;
    let second = refresh(&two, &first).await.expect(200);
    one.with_token(second["access_token"].as_str().unwrap()).get("/me").await.expect(200);
    let same = refresh(&one, &first).await.expect(200);
    assert_eq!(same["refresh_token"], second["refresh_token"], "both derive the same successor");
    assert_eq!(same["access_token"], second["access_token"]);
    refresh(&one, &first).await.problem(401);
    refresh(&two, &second["refresh_token"]).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_submitted_at_one_api_is_watched_and_cancelled_at_the_other() {
    let (one, two) = replicas().await;
    let id = one.submit(quick_job(&unique("replicas"))).await;
    let events = two.events(&id, None).await.rest().await;
    assert_eq!(events.last().unwrap().data["status"], "succeeded", "{events:?}");
    let id = one.submit(distant_job()).await;
    let (watch, cancel) = (format!("/training/{id}?wait_s=20"), format!("/training/{id}/cancel"));
    let (seen, cancelled) = tokio::join!(one.get(&watch), two.post(&cancel, Value::Null));
    cancelled.expect(202);
    assert_eq!(seen.expect(200)["status"], "cancelled", "the long poll at the other API ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_changed_at_one_api_is_used_by_jobs_of_the_other() {
    let (one, two) = replicas().await;
    let name = unique("people");
    let rows: String = (0..40).map(|n| format!("{n},{}\n", n % 2)).collect();
    let job = |feature: &str| {
        let params = json!({"n_trees": 10});
        json!({"name": name, "algorithm": "random_forest", "dataset": name, "target": "y", "features": [feature],
               "params": params})
    };
    one.upload(&name, format!("x,y\n{rows}")).await.expect(201);
    two.trained(job("x")).await;
    one.upload(&name, format!("z,y\n{rows}")).await.expect(201);
    two.post("/training", job("x")).await.refused(&["features[0]"]);
    two.trained(job("z")).await;
    one.delete(&format!("/datasets/{name}")).await.expect(204);
    two.post("/training", job("z")).await.refused(&["dataset"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_changed_at_one_api_is_changed_at_the_other() {
    let (admin, _) = replicas().await;
    let (one, two, id) = somebody().await;
    two.get("/admin/users").await.problem(403);
    admin.patch(&format!("/admin/users/{id}"), json!({"role": "admin"})).await.expect(200);
    two.get("/admin/users").await.expect(200);
    admin.patch(&format!("/admin/users/{id}"), json!({"disabled": true})).await.expect(200);
    for client in [&one, &two] {
        client.get("/me").await.problem(401);
        client.post("/training", distant_job()).await.problem(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_jobs_are_counted_together() {
    let (one, two) = operator().await;
    let mut ids = Vec::new();
    for _ in 0..MOST {
        ids.push(one.submit(distant_job()).await);
    }
    two.post("/training", distant_job()).await.problem(429);
    two.post(&format!("/training/{}/cancel", ids[0]), Value::Null).await.expect(202);
    one.submit(distant_job()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_applies_to_concurrent_submissions_at_both_apis() {
    let (one, two) = operator().await;
    let answers =
        join_all((0..40).map(|n| if n % 2 == 0 { &one } else { &two }.post("/training", distant_job()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), MOST);
    let (one, two) = operator().await;
    let bulk = || json!({"jobs": vec![distant_job(); MOST]});
    let answers = join_all((0..4).map(|n| if n % 2 == 0 { &one } else { &two }.post("/training/bulk", bulk()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_is_not_deleted_while_the_other_api_accepts_a_job_for_it() {
    let (one, two) = operator().await;
    let rows: String = (0..40).map(|n| format!("{n},{}\n", n % 2)).collect();
    for _ in 0..10 {
        let name = unique("deleted");
        one.upload(&name, format!("x,y\n{rows}")).await.expect(201);
        let mut job = distant_job();
        (job["dataset"], job["target"], job["features"]) = (json!(name), json!("y"), json!(["x"]));
        let path = format!("/datasets/{name}");
        let (deleted, submitted) = tokio::join!(one.delete(&path), two.post("/training", job));
        match deleted.status {
            204 => submitted.refused(&["dataset"]),
            _ => {
                deleted.problem(409);
                let id = submitted.expect(202)["job_id"].as_str().unwrap().to_owned();
                two.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
            }
        }
    }
}

/// Uses its own servers, because the other tests would have to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_paused_at_one_api_is_paused_at_the_other() {
    let system = tokio::task::spawn_blocking(|| {
        System::start_roles(BINARY, &["api", "api", "inference", "worker"], distributed_settings())
    })
    .await
    .unwrap();
    let (one, two) = (system.client_of(0).admin().await, system.client_of(1).admin().await);
    one.post("/queue/pause", Value::Null).await.expect(200);
    assert_eq!(two.get("/queue").await.expect(200)["paused"], true);
    let id = two.submit(quick_job(&unique("replicas"))).await;
    let view = two.get(&format!("/training/{id}?wait_s=1")).await.expect(200);
    assert_eq!(view["status"], "queued", "{view}");
    two.post("/queue/resume", Value::Null).await.expect(200);
    assert_eq!(one.finished(&id).await["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_account_is_disabled_at_the_other_api() {
    let (_, admin_at_two) = replicas().await;
    let (one, two, id) = somebody().await;
    admin_at_two.patch(&format!("/admin/users/{id}"), json!({"role": "admin"})).await.expect(200);
    let job = two.submit(distant_job()).await;
    let mut stream = one.events(&job, None).await;
    assert_eq!(stream.next().await.unwrap().data["status"], "queued");
    admin_at_two.patch(&format!("/admin/users/{id}"), json!({"disabled": true})).await.expect(200);
    let disabled = Instant::now();
    assert!(stream.rest().await.is_empty());
    assert!(disabled.elapsed() < Duration::from_secs(5), "took {:?}", disabled.elapsed());
    admin_at_two.post(&format!("/training/{job}/cancel"), Value::Null).await.expect(202);
}
