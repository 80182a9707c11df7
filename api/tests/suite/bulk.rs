//! Bulk submissions and concurrent submissions.

use http::Method;
use serde_json::{Value, json};
use trainyard_api::ApiConfig;

use crate::support::{Api, Caller, accounts, config};
use crate::training::{job, with};

#[tokio::test]
async fn a_bulk_submission_keeps_the_order_of_the_jobs() {
    let api = Api::with(ApiConfig { dispatch_window: 16, ..config() }).await;
    let admin = api.admin().await;
    let jobs: Vec<_> = (0..100).map(|seed| with(json!({"seed": seed}))).collect();
    let accepted = admin.post("/training/bulk", json!({"jobs": jobs})).await.ok(202);
    let ids: Vec<_> = accepted["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].clone()).collect();
    let mut listed = admin.get("/training?limit=100").await.ok(200)["items"].as_array().unwrap().clone();
    listed.reverse();
    assert_eq!(listed.iter().map(|job| job["job_id"].clone()).collect::<Vec<_>>(), ids, "in the order sent");
    assert!((0..100).zip(&listed).all(|(seed, job)| job["spec"]["seed"] == json!(seed)));
    api.enqueued(16).await;
}

#[tokio::test]
async fn one_invalid_job_refuses_the_bulk_submission() {
    let api = Api::with(ApiConfig { max_jobs_per_user: 3, ..config() }).await;
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
async fn an_idempotency_key_covers_all_jobs_of_a_bulk_submission() {
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
async fn an_invalid_submission_does_not_affect_concurrent_ones() {
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

#[tokio::test]
async fn a_bulk_submission_lists_every_invalid_field_once() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let wrong = json!({"jobs": [
        with(json!({"dataset": "atlantis", "name": "Bad Name", "features": ["x", "x"], "priority": 99})),
        job(),
        with(json!({"target": "shoe_size", "features": ["sex", "hat"], "params": {"n_trees": 0}, "seed": -1})),
    ]});
    let fields = admin.post("/training/bulk", wrong).await.refused();
    let expected = [
        "jobs[0].name",
        "jobs[0].priority",
        "jobs[0].dataset",
        "jobs[0].features[1]",
        "jobs[2].seed",
        "jobs[2].target",
        "jobs[2].features[1]",
        "jobs[2].params.n_trees",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn explicit_defaults_do_not_change_the_idempotency_digest() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let post = async |path: &str, key: &str, body: Value| {
        let request = admin.request(Method::POST, path).header("content-type", "application/json");
        admin.send(request.header("idempotency-key", key), body.to_string()).await
    };
    let same = [
        json!({"dataset": "titanic"}),
        json!({"dataset": null, "target": "survived", "run_at": null, "webhook_url": null}),
        json!({"params": {"n_trees": 100.0, "max_depth": null, "test_size": 0.2}, "seed": 42.0, "timeout_s": 3.6e3}),
    ];
    let first = post("/training", "one", job()).await.ok(202);
    let many = post("/training/bulk", "many", json!({"jobs": [job(), job()]})).await.ok(202);
    for more in same {
        assert_eq!(post("/training", "one", with(more.clone())).await.ok(202), first, "{more}");
        let jobs = json!({"jobs": [job(), with(more.clone())]});
        assert_eq!(post("/training/bulk", "many", jobs).await.ok(202), many, "{more}");
    }
    for different in
        [json!({"seed": 43}), json!({"features": ["age", "sex", "pclass"]}), json!({"params": {"n_trees": 7}})]
    {
        post("/training", "one", with(different)).await.problem(409);
    }
    assert_eq!(admin.get("/training").await.ok(200)["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_bulk_submission_has_a_limit_on_features() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let wide = wide_job(&admin).await;
    let refused = admin.post("/training/bulk", json!({"jobs": vec![wide; 101]})).await.refused();
    assert_eq!(refused, ["jobs"]);
}

/// Uploads a dataset of 10,000 columns; answers a job that names all of them.
async fn wide_job(admin: &Caller<'_>) -> Value {
    let features: Vec<_> = (0..9_999).map(|i| format!("c{i}")).collect();
    let header = format!("{},y\n", features.join(","));
    let row = |value: usize| format!("{}{}\n", format!("{value},").repeat(9_999), value % 2);
    let csv = (0..4).fold(header, |csv, value| csv + &row(value));
    admin.upload("wide", csv).await.ok(201);
    with(json!({"dataset": "wide", "target": "y", "features": ["*"]}))
}

#[test]
fn a_long_validation_holds_no_connection() {
    // Long validations run on the one blocking thread; there is one connection as well.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let api = Api::with_connections(1, config(), accounts()).await;
        let admin = api.admin().await;
        let wide = wide_job(&admin).await;
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || released.recv());
        let others = async {
            // The pool is fair: the submission has read from the database long before the last of these reads.
            for _ in 0..500 {
                api.state.db.read().await.unwrap().commit().await.unwrap();
            }
            release.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(admin.post("/training", wide), others);
        answer.ok(202);
        busy.await.unwrap().unwrap();
    });
}

#[tokio::test]
async fn concurrent_submissions_do_not_exceed_the_limit_of_a_user() {
    let api = Api::with(ApiConfig { max_jobs_per_user: 10, ..config() }).await;
    let admin = api.admin().await;
    let answers = futures::future::join_all((0..40).map(|_| admin.post("/training", job()))).await;
    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(accepted, 10);
    let refused = answers.into_iter().find(|answer| answer.status != 202).unwrap().problem(429);
    assert!(refused["detail"].as_str().unwrap().contains("10 jobs queued or running (api.max_jobs_per_user)"));
    let bulks = (0..3).map(|_| admin.post("/training/bulk", json!({"jobs": vec![job(); 10]})));
    for answer in futures::future::join_all(bulks).await {
        answer.problem(429);
    }
    assert_eq!(admin.get("/queue").await.ok(200)["depth"], 10);
}

#[tokio::test]
async fn concurrent_bulk_submissions_do_not_exceed_the_total_limit() {
    let api = Api::with(ApiConfig { max_jobs_total: 10, ..config() }).await;
    let admin = api.admin().await;
    let bulks = (0..3).map(|_| admin.post("/training/bulk", json!({"jobs": vec![job(); 10]})));
    let answers = futures::future::join_all(bulks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert_eq!(admin.get("/queue").await.ok(200)["depth"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_timed_out_stores_nothing() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let write_lock = api.state.db.begin().await.unwrap();
    let submissions = [admin.post("/training", job()), admin.post("/training", with(json!({"seed": 7})))];
    let disconnected = futures::future::join_all(submissions);
    tokio::time::timeout(std::time::Duration::from_millis(300), disconnected).await.unwrap_err();
    let waiting = admin.post("/training", with(json!({"seed": 8})));
    let (stored, ()) = tokio::join!(waiting, async { drop(write_lock) });
    stored.ok(202);
    let listed = admin.get("/training").await.ok(200)["items"].as_array().unwrap().clone();
    let seeds: Vec<_> = listed.iter().map(|job| job["spec"]["seed"].clone()).collect();
    assert_eq!(seeds, [json!(8)]);
}
