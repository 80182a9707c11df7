//! Submissions that are refused, with the invalid fields.

use serde_json::{Value, json};
use trainyard_testkit::{System, unique};

use crate::support::{on_both_stacks, quick_job};

on_both_stacks!(
    a_submission_lists_every_invalid_field,
    a_body_that_is_not_json_is_refused,
    users_may_neither_submit_nor_read_jobs,
);

async fn a_submission_lists_every_invalid_field(system: &System) {
    let admin = system.client().admin().await;
    let with = |key: &str, value: Value| {
        let mut job = quick_job("refused");
        job[key] = value;
        job
    };
    let refused = async |job: Value, fields: &[&str]| admin.post("/training", job).await.refused(fields);
    refused(with("algorithm", json!("xgboost")), &["algorithm"]).await;
    refused(with("algorithm", json!(3)), &["algorithm"]).await;
    refused(with("name", json!("Bad Name")), &["name"]).await;
    refused(with("features", json!([])), &["features"]).await;
    refused(with("features", json!("sex")), &["features"]).await;
    refused(with("features", json!(["sex", "shoe_size"])), &["features[1]"]).await;
    refused(with("features", json!(["sex", "sex"])), &["features[1]"]).await;
    refused(with("features", json!(["sex", "survived"])), &["features[1]"]).await;
    refused(with("dataset", json!("atlantis")), &["dataset"]).await;
    refused(with("target", json!("shoe_size")), &["target"]).await;
    refused(with("params", json!({"n_trees": 0})), &["params.n_trees"]).await;
    refused(with("params", json!({"n_trees": 1_000_000})), &["params.n_trees"]).await;
    refused(with("params", json!({"trees": 3})), &["params.trees"]).await;
    refused(with("params", json!([])), &["params"]).await;
    refused(with("priority", json!(1000)), &["priority"]).await;
    refused(with("max_attempts", json!(0)), &["max_attempts"]).await;
    refused(with("timeout_s", json!(-1)), &["timeout_s"]).await;
    refused(with("run_at", json!("tomorrow")), &["run_at"]).await;
    refused(with("seed", json!(-1)), &["seed"]).await;
    refused(with("colour", json!("red")), &["colour"]).await;
    let mut nameless = quick_job("x");
    nameless.as_object_mut().unwrap().remove("name");
    refused(nameless, &["name"]).await;
    let two = json!({"name": "Bad Name", "algorithm": "xgboost", "features": ["nope"]});
    refused(two, &["name", "algorithm", "features[0]"]).await;
    let listed = admin.get("/training?name=refused").await.expect(200);
    assert_eq!(listed["items"], json!([]), "no job was stored");
}

async fn a_body_that_is_not_json_is_refused(system: &System) {
    let admin = system.client().admin().await;
    let send = async |content_type: &str, body: Vec<u8>| {
        let request = admin.request(reqwest::Method::POST, "/training");
        admin.send(request.header("content-type", content_type).body(body)).await
    };
    send("application/json", b"{\"name\": ".to_vec()).await.problem(400);
    send("application/json", vec![]).await.problem(400);
    send("application/json", vec![b'['; 100_000]).await.problem(400);
    send("text/plain", b"{}".to_vec()).await.problem(415);
    send("application/json", vec![b' '; 3_000_000]).await.problem(413);
    let wrong_method = admin.delete("/training").await;
    assert!(wrong_method.header("allow").contains("POST"), "{wrong_method:?}");
    wrong_method.problem(405);
    admin.get("/no/such/route").await.problem(404);
}

async fn users_may_neither_submit_nor_read_jobs(system: &System) {
    let user = system.client().user().await;
    user.post("/training", quick_job(&unique("user"))).await.problem(403);
    user.get("/training").await.problem(403);
    user.get("/queue").await.problem(403);
    user.get("/algorithms").await.expect(200);
    user.post("/queue/pause", Value::Null).await.problem(403);
}
