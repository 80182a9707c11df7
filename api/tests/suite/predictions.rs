//! Prediction jobs: submission, refusals, filters, and the download of results.

use axum::body::Body;
use bytes::Bytes;
use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trainyard_artifacts::Key;
use trainyard_domain::JobId;
use trainyard_storage::PredictionPart;

use crate::models::publish;
use crate::support::{Answer, Api, Caller};
use crate::training::job;

fn with(more: Value) -> Value {
    let mut body = json!({"model": "m", "dataset": "titanic"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn submit_with_key(caller: &Caller<'_>, key: &str, body: &Value) -> Answer {
    let request = caller.request(Method::POST, "/predictions").header("content-type", "application/json");
    caller.send(request.header("idempotency-key", key), body.to_string()).await
}

fn id(accepted: &Value) -> JobId {
    accepted["job_id"].as_str().unwrap().parse().unwrap()
}

async fn set_alias(admin: &Caller<'_>, alias: &str, version: i64) {
    admin.json(Method::PUT, &format!("/models/m/aliases/{alias}"), json!({"version": version})).await.ok(200);
}

#[tokio::test]
async fn a_prediction_is_a_job_with_the_version_of_its_submission() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    publish(&api, &admin, "m").await;
    let accepted = admin.post("/predictions", with(json!({}))).await;
    assert_eq!(accepted.header("retry-after"), "1");
    let location = accepted.header("location").to_owned();
    let accepted = accepted.ok(202);
    assert_eq!((&accepted["status"], &accepted["status_url"]), (&json!("queued"), &json!(location)));
    assert_eq!(location, format!("/training/{}", id(&accepted)));
    set_alias(&admin, "production", 2).await;
    let view = admin.get(&location).await.ok(200);
    assert_eq!((&view["kind"], &view["name"]), (&json!("prediction"), &json!("m")));
    assert_eq!((&view["algorithm"], &view["queue_position"]), (&json!("random_forest"), &json!(3)));
    let spec = json!({
        "model": "m", "version": 1, "dataset": "titanic", "dataset_version": 1, "columns": "all", "output": "csv",
        "priority": 0, "run_at": null, "max_attempts": 3, "timeout_s": 3600, "webhook_url": null
    });
    assert_eq!(view["spec"], spec, "the alias is resolved at the submission");
    api.enqueued(3).await;

    set_alias(&admin, "candidate", 1).await;
    for (more, version) in [(json!({}), 2), (json!({"version": 1}), 1), (json!({"alias": "candidate"}), 1)] {
        let accepted = admin.post("/predictions", with(more)).await.ok(202);
        let view = admin.get(accepted["status_url"].as_str().unwrap()).await.ok(200);
        assert_eq!(view["model"], json!({"name": "m", "version": version}));
    }
    let trail = admin.get("/admin/audit?action=prediction.submit").await.ok(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 4);
    assert_eq!(trail["items"][3]["subject"], format!("job:{}", id(&accepted)));
    assert_eq!(trail["items"][3]["detail"], json!({"model": "m", "version": 1, "dataset": "titanic"}));
}

#[tokio::test]
async fn every_invalid_field_of_a_prediction_is_named() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    for (more, fields) in [
        (json!({"model": "other"}), vec!["model"]),
        (json!({"model": "No Name"}), vec!["model"]),
        (json!({"version": 2}), vec!["version"]),
        (json!({"version": 0}), vec!["version"]),
        (json!({"alias": "candidate"}), vec!["alias"]),
        (json!({"version": 1, "alias": "production"}), vec!["alias"]),
        (json!({"dataset": "other"}), vec!["dataset"]),
        (json!({"output": "json"}), vec!["output"]),
        (json!({"columns": "some"}), vec!["columns"]),
        (json!({"features": ["sex"]}), vec!["features"]),
        (
            json!({"model": "x", "dataset": "y", "priority": 11, "max_attempts": 0, "timeout_s": 0,
                "webhook_url": "http://localhost", "run_at": "+10000-01-01T00:00:00Z"}),
            vec!["webhook_url", "run_at", "model", "priority", "max_attempts", "timeout_s", "dataset"],
        ),
    ] {
        assert_eq!(admin.post("/predictions", with(more.clone())).await.refused(), fields, "{more}");
    }
    assert_eq!(admin.post("/predictions", json!({"dataset": "titanic"})).await.refused(), ["model"]);
    let message = |problem: &Value| problem["errors"][0]["message"].as_str().unwrap().to_owned();
    admin.upload("words", "sex,age\nmale,old\nfemale,young\nmale,old\n").await.ok(201);
    let unreadable = admin.post("/predictions", with(json!({"dataset": "words"}))).await.problem(422);
    let expected = "has columns of types that the model cannot read: 'age' is a category and must be a number";
    assert_eq!(message(&unreadable), expected);
    admin.upload("others", "size,city\n1,Ulm\n2,Bonn\n").await.ok(201);
    let without = admin.post("/predictions", with(json!({"dataset": "others"}))).await.problem(422);
    assert_eq!(message(&without), "has no column of the model, which reads sex, age");
    // A missing column is imputed, as by POST /inference.
    admin.upload("half", "sex,city\nmale,Ulm\nfemale,Bonn\n").await.ok(201);
    admin.post("/predictions", with(json!({"dataset": "half"}))).await.ok(202);
    assert_eq!(admin.get("/training/count?kind=prediction").await.ok(200)["count"], 1);
}

#[tokio::test]
async fn only_administrators_submit_predictions() {
    let api = Api::start().await;
    let (admin, user) = (api.admin().await, api.user("ada@example.com").await);
    publish(&api, &admin, "m").await;
    user.post("/predictions", with(json!({}))).await.problem(403);
    api.anon().post("/predictions", with(json!({}))).await.problem(401);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_prediction() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    let first = submit_with_key(&admin, "k", &with(json!({}))).await.ok(202);
    set_alias(&admin, "candidate", 1).await;
    let same = with(json!({"columns": "all", "alias": "production"}));
    assert_eq!(submit_with_key(&admin, "k", &same).await.ok(202)["job_id"], first["job_id"]);
    submit_with_key(&admin, "k", &with(json!({"columns": "none"}))).await.problem(409);
    let request = admin.request(Method::POST, "/training").header("content-type", "application/json");
    admin.send(request.header("idempotency-key", "k"), job().to_string()).await.problem(409);
    assert_eq!(admin.get("/training/count?kind=prediction").await.ok(200)["count"], 1);
}

#[tokio::test]
async fn jobs_are_filtered_by_their_kind_and_cancelled_together() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    admin.post("/predictions", with(json!({}))).await.ok(202);
    let kinds = async |query: &str| {
        let list = admin.get(&format!("/training?{query}")).await.ok(200);
        list["items"].as_array().unwrap().iter().map(|job| job["kind"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("").await, ["prediction", "training"]);
    assert_eq!(kinds("kind=prediction").await, ["prediction"]);
    assert_eq!(kinds("kind=!prediction").await, ["training"]);
    assert_eq!(kinds("kind=prediction,training&status=queued").await, ["prediction", "training"]);
    assert_eq!(admin.get("/training?kind=evaluation").await.refused(), ["kind"]);
    let action = json!({"action": "cancel", "filter": {"kind": "prediction"}, "expect_count": 1});
    admin.post("/training/actions", action).await.ok(202);
}

/// Stores the parts of a result and finishes the job, as a worker does.
async fn finish(api: &Api, job: JobId, parts: &[&str]) -> String {
    let now = chrono::Utc::now();
    let mut tx = api.state.db.begin().await.unwrap();
    let claimed = tx.jobs().claim(job, "w", Some(now), TimeDelta::minutes(1)).await.unwrap().unwrap();
    for (number, text) in (0..).zip(parts) {
        let key = Key::prediction_part(job, claimed.claim, number);
        let stored = api.state.store.put_bytes(&key, Bytes::from((*text).to_owned())).await.unwrap();
        let part = PredictionPart {
            number,
            key: key.as_str().to_owned(),
            rows: 1,
            bytes: text.len() as i64,
            sha256: stored.sha256,
            counts: json!({}),
        };
        assert!(tx.predictions().record_part(job, claimed.claim, &part).await.unwrap());
    }
    let sha256 = hex::encode(Sha256::digest(parts.concat()));
    let metrics = json!({"rows": parts.len(), "bytes": parts.concat().len(), "sha256": sha256, "warnings": []});
    assert!(tx.jobs().succeed(job, claimed.claim, &metrics, None, now).await.unwrap());
    tx.commit().await.unwrap();
    sha256
}

#[tokio::test]
async fn a_result_is_downloaded_when_the_job_has_succeeded() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    let job = id(&admin.post("/predictions", with(json!({}))).await.ok(202));
    let path = format!("/predictions/{job}/result");
    let early = admin.get(&path).await.problem(409);
    assert_eq!(early["code"], "conflict");
    assert!(early["detail"].as_str().unwrap().starts_with("the job is queued;"), "{early}");
    let sha256 = finish(&api, job, &["sex,predicted_survived\nmale,0\n", "female,1\n"]).await;

    let view = admin.get(&format!("/training/{job}")).await.ok(200);
    assert_eq!((&view["result_url"], &view["metrics"]["rows"]), (&json!(path), &json!(2)));
    let answer = admin.get(&path).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"titanic-v1-m-v1.csv\"");
    assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
    assert_eq!(answer.bytes, "sex,predicted_survived\nmale,0\nfemale,1\n");
    let etag = answer.header("etag").to_owned();
    assert_eq!(etag, format!("\"{sha256}\""));
    let cached = admin.request(Method::GET, &path).header("if-none-match", etag);
    assert_eq!(admin.send(cached, Body::empty()).await.status, 304);
    assert_eq!(api.leftovers(), Vec::<String>::new());
    assert_eq!(admin.get(&format!("{path}?format=json")).await.refused(), ["format"]);
}

#[tokio::test]
async fn other_jobs_and_other_callers_have_no_result() {
    let api = Api::start().await;
    let (admin, user) = (api.admin().await, api.user("ada@example.com").await);
    publish(&api, &admin, "m").await;
    let training = admin.get("/training?kind=training").await.ok(200)["items"][0]["job_id"].clone();
    admin.get(&format!("/predictions/{}/result", training.as_str().unwrap())).await.problem(404);
    let unknown = "/predictions/00000000-0000-7000-8000-000000000000/result";
    admin.get(unknown).await.problem(404);
    let job = id(&admin.post("/predictions", with(json!({}))).await.ok(202));
    finish(&api, job, &["predicted_survived\n1\n"]).await;
    let path = format!("/predictions/{job}/result");
    let (hidden, missing) = (user.get(&path).await.problem(403), user.get(unknown).await.problem(403));
    assert_eq!(hidden["detail"], missing["detail"], "a job of another account looks like a missing one");
    api.anon().get(&path).await.problem(401);
    // The owner needs no role.
    let me = user.get("/me").await.ok(200)["id"].as_str().unwrap().to_owned();
    let mut tx = api.state.db.begin().await.unwrap();
    let mut own = tx.jobs().get(job).await.unwrap().unwrap();
    (own.id, own.created_by) = (JobId::at(own.created_at), me.parse().unwrap());
    tx.jobs().insert(&own).await.unwrap();
    tx.commit().await.unwrap();
    user.get(&format!("/training/{}", own.id)).await.ok(200);
    // Its parts are those of the other job, so it has none: a defect and no refusal.
    user.get(&format!("/predictions/{}/result", own.id)).await.problem(500);
}

#[tokio::test]
async fn a_job_that_failed_or_was_cancelled_has_no_result() {
    let api = Api::start().await;
    let admin = api.admin().await;
    publish(&api, &admin, "m").await;
    let job = id(&admin.post("/predictions", with(json!({}))).await.ok(202));
    admin.post(&format!("/training/{job}/cancel"), Value::Null).await.ok(202);
    let problem = admin.get(&format!("/predictions/{job}/result")).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with("the job was cancelled"), "{problem}");
    let again = admin.post(&format!("/training/{job}/retry"), Value::Null).await.ok(202);
    assert_eq!(id(&again), job);
}
