//! Many jobs at once: in one request, and in many at the same time.

use http::Method;
use serde_json::{Value, json};
use trainyard_api::ApiConfig;

use crate::support::Api;
use crate::training::{job, with};

#[tokio::test]
async fn many_jobs_are_submitted_at_once_in_order() {
    let api = Api::with(ApiConfig { dispatch_window: 16, ..ApiConfig::default() }).await;
    let admin = api.admin().await;
    let jobs: Vec<_> = (0..100).map(|seed| with(json!({"seed": seed}))).collect();
    let accepted = admin.post("/training/bulk", json!({"jobs": jobs})).await.ok(202);
    let ids: Vec<_> = accepted["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone()).collect();
    let mut listed = admin.get("/training?limit=100").await.ok(200)["items"].as_array().unwrap().clone();
    listed.reverse();
    assert_eq!(listed.iter().map(|job| job["job_id"].clone()).collect::<Vec<_>>(), ids, "in the order sent");
    assert!((0..100).zip(&listed).all(|(seed, job)| job["spec"]["seed"] == json!(seed)));
    api.sent(16).await;
}

#[tokio::test]
async fn one_wrong_job_keeps_all_of_them_out() {
    let api = Api::with(ApiConfig { max_jobs_per_user: 3, ..ApiConfig::default() }).await;
    let admin = api.admin().await;
    let wrong = json!({"jobs": [job(), with(json!({"algorithm": "noop"})), with(json!({"features": ["x"]}))]});
    let fields = admin.post("/training/bulk", wrong).await.refused();
    assert_eq!(fields, ["jobs[1].algorithm", "jobs[2].features[0]"]);
    for none in [json!({"jobs": []}), json!({"jobs": vec![job(); 1_001]})] {
        assert_eq!(admin.post("/training/bulk", none).await.refused(), ["jobs"]);
    }
    admin.post("/training/bulk", json!({"jobs": vec![job(); 4]})).await.problem(429);
    assert_eq!(admin.get("/training").await.ok(200)["items"], json!([]));
    admin.post("/training/bulk", json!({"jobs": vec![job(); 3]})).await.ok(202);
}

#[tokio::test]
async fn a_key_stands_for_all_jobs_of_a_bulk_submission() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let post = async |jobs: Vec<Value>| {
        let request = admin.request(Method::POST, "/training/bulk").header("content-type", "application/json");
        admin.send(request.header("idempotency-key", "many"), json!({"jobs": jobs}).to_string()).await
    };
    let first = post(vec![job(), job()]).await.ok(202);
    assert_eq!(post(vec![job(), job()]).await.ok(202), first);
    assert_eq!(first["jobs"].as_array().unwrap().len(), 2);
    post(vec![job()]).await.problem(409);
}

#[tokio::test]
async fn submissions_at_the_same_time_do_not_suffer_for_each_other() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let posts = (0..40).map(|n| {
        let body = if n % 4 == 0 { with(json!({"features": ["x"]})) } else { job() };
        let admin = &admin;
        async move { (n, admin.post("/training", body).await) }
    });
    for (n, answer) in futures::future::join_all(posts).await {
        if n % 4 == 0 {
            assert_eq!(answer.refused(), ["features[0]"]);
        } else {
            answer.ok(202);
        }
    }
    assert_eq!(admin.get("/queue").await.ok(200)["depth"], 30);
}
