//! Schedules: firing, validation, changes and manual triggers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use trainyard_testkit::{Client, System, eventually, unique};

use crate::support::{long_job, on_both_stacks, quick_job};

on_both_stacks!(
    a_schedule_submits_jobs_at_its_times,
    an_invalid_schedule_is_refused_with_its_fields,
    a_schedule_is_changed_paused_triggered_and_deleted,
    a_schedule_without_its_dataset_reports_the_reason,
);

const LIMIT: Duration = Duration::from_secs(60);

/// A schedule that does not fire during a test.
fn yearly(name: &str) -> Value {
    json!({"name": name, "cron": "@yearly", "spec": quick_job(name)})
}

async fn create(admin: &Client, body: Value) -> (Value, String) {
    let answer = admin.post("/schedules", body).await;
    let path = answer.header("location");
    let schedule = answer.expect(201);
    assert_eq!(path, format!("/schedules/{}", schedule["id"].as_str().unwrap()));
    (schedule, path)
}

/// Waits for the latest run with this outcome.
async fn run(admin: &Client, path: &str, outcome: &str) -> Value {
    eventually(&format!("a run is {outcome}"), LIMIT, async || {
        let runs = admin.get(&format!("{path}/runs?limit=100")).await.expect(200);
        runs["items"].as_array().unwrap().iter().find(|run| run["outcome"] == outcome).cloned()
    })
    .await
}

/// Changes a schedule. A schedule that fires every second may refuse a change with 409; the change is then repeated.
async fn change(admin: &Client, path: &str, patch: Value) -> Value {
    eventually("the change is accepted", LIMIT, async || {
        let answer = admin.patch(path, patch.clone()).await;
        (answer.status != 409).then_some(answer)
    })
    .await
    .expect(200)
}

async fn a_schedule_submits_jobs_at_its_times(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("clock");
    let mut body = yearly(&name);
    body["cron"] = json!("* * * * * *");
    let (schedule, path) = create(&admin, body).await;
    let submitted = run(&admin, &path, "submitted").await;
    let job = admin.finished(submitted["job_id"].as_str().unwrap()).await;
    assert_eq!((&job["status"], &job["name"]), (&json!("succeeded"), &json!(name)), "{job}");
    assert_eq!(job["created_by"], schedule["created_by"]);
    let due: DateTime<Utc> = submitted["due_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(due.timestamp_subsec_micros(), 0, "the scheduled time, not the time of the sweep: {due}");

    change(&admin, &path, json!({"spec": long_job(&admin, &name, 2000).await})).await;
    let skipped = run(&admin, &path, "skipped_overlap").await;
    assert!(
        skipped["job_id"].is_null() && skipped["message"].as_str().unwrap().contains("is still queued or running"),
        "{skipped}"
    );

    let paused = change(&admin, &path, json!({"paused": true})).await;
    assert_eq!((&paused["next_run_at"], &paused["next_runs"]), (&Value::Null, &json!([])), "{paused}");
    let active = admin.get(&format!("/training?name={name}&limit=100")).await.expect(200);
    for job in active["items"].as_array().unwrap() {
        admin.post(&format!("/training/{}/cancel", job["job_id"].as_str().unwrap()), Value::Null).await;
    }
    admin.delete(&path).await.expect(204);
}

async fn an_invalid_schedule_is_refused_with_its_fields(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("refused");
    let with = |key: &str, value: Value| {
        let mut body = yearly(&name);
        body[key] = value;
        body
    };
    let spec = |key: &str, value: Value| {
        let mut body = yearly(&name);
        body["spec"][key] = value;
        body
    };
    let refused = async |body: Value, fields: &[&str]| admin.post("/schedules", body).await.refused(fields);
    refused(with("name", json!("Not A Name")), &["name"]).await;
    refused(with("cron", json!("every day")), &["cron"]).await;
    refused(with("cron", json!("0 0 31 2 *")), &["cron"]).await;
    refused(with("timezone", json!("Mars/Olympus")), &["timezone"]).await;
    refused(with("overlap", json!("pile_up")), &["overlap"]).await;
    refused(with("catch_up", json!("none")), &["catch_up"]).await;
    refused(with("colour", json!("red")), &["colour"]).await;
    refused(spec("features", json!(["sex", "shoe_size"])), &["spec.features[1]"]).await;
    refused(spec("dataset", json!("atlantis")), &["spec.dataset"]).await;
    refused(spec("params", json!({"n_trees": 0})), &["spec.params.n_trees"]).await;
    refused(spec("run_at", json!("2030-01-01T00:00:00Z")), &["spec.run_at"]).await;
    refused(spec("seed", json!(-1)), &["spec.seed"]).await;
    refused(spec("colour", json!("red")), &["spec.colour"]).await;
    let all = json!({"name": "No", "cron": "no", "timezone": "no", "spec": {"name": "No", "algorithm": "no", "features": ["no"]}});
    let fields = ["name", "cron", "timezone", "spec.name", "spec.algorithm", "spec.features[0]"];
    refused(all, &fields).await;
    let listed = admin.get("/schedules?limit=100").await.expect(200);
    assert!(listed["items"].as_array().unwrap().iter().all(|schedule| schedule["name"] != name.as_str()));
}

async fn a_schedule_is_changed_paused_triggered_and_deleted(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("yearly");
    let (schedule, path) = create(&admin, yearly(&name)).await;
    let defaults = json!(["UTC", "one", "skip", false]);
    let values = ["timezone", "catch_up", "overlap", "paused"].map(|key| schedule[key].clone());
    assert_eq!(json!(values), defaults, "{schedule}");
    assert_eq!(schedule["spec"]["timeout_s"], 3600, "defaults are filled in: {schedule}");
    let next = schedule["next_runs"].as_array().unwrap();
    assert_eq!((next.len(), &next[0]), (5, &schedule["next_run_at"]));
    assert!(next.iter().all(|at| at.as_str().unwrap().ends_with("-01-01T00:00:00Z")), "{next:?}");
    admin.post("/schedules", yearly(&name)).await.problem(409);
    let user = system.client().user().await;
    assert_eq!(admin.get(&path).await.expect(200)["name"], name.as_str());
    user.get(&path).await.problem(403);
    user.post(&format!("{path}/trigger"), Value::Null).await.problem(403);

    let berlin = json!({"cron": "0 12 1 7 *", "timezone": "Europe/Berlin", "overlap": "replace"});
    let changed = admin.patch(&path, berlin).await.expect(200);
    assert!(changed["next_run_at"].as_str().unwrap().ends_with("-07-01T10:00:00Z"), "{changed}");
    assert_eq!((&changed["overlap"], &changed["catch_up"]), (&json!("replace"), &json!("one")));
    admin.patch(&path, json!({"cron": "no", "spec": {"name": "x"}})).await.problem(422);
    admin.patch(&path, json!({"timezone": "no"})).await.refused(&["timezone"]);
    assert_eq!(admin.get(&path).await.expect(200), changed, "a refused change has no effect");

    assert_eq!(admin.patch(&path, json!({"paused": true})).await.expect(200)["next_run_at"], Value::Null);
    let job = admin.post(&format!("{path}/trigger"), Value::Null).await.expect(202);
    let job = admin.finished(job["job_id"].as_str().unwrap()).await;
    assert_eq!(job["status"], "succeeded", "a paused schedule can be triggered: {job}");
    let seen = admin.get(&path).await.expect(200);
    assert_eq!(seen["last_job_id"], job["job_id"]);
    let runs = admin.get(&format!("{path}/runs")).await.expect(200);
    assert_eq!(runs["items"][0]["job_id"], job["job_id"], "{runs}");
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    assert!(admin.patch(&path, json!({"paused": false})).await.expect(200)["next_run_at"].is_string());

    admin.delete(&path).await.expect(204);
    admin.get(&path).await.problem(404);
    admin.get(&format!("{path}/runs")).await.problem(404);
    admin.get(&format!("/training/{}", job["job_id"].as_str().unwrap())).await.expect(200);
    let subject = format!("schedule:{}", schedule["id"].as_str().unwrap());
    let trail = admin.get("/admin/audit?limit=100").await.expect(200);
    let trail = trail["items"].as_array().unwrap().iter().filter(|entry| entry["subject"] == subject.as_str());
    let acts: Vec<_> = trail.map(|entry| entry["action"].as_str().unwrap()).collect();
    let expected = ["delete", "update", "trigger", "update", "update", "create"].map(|act| format!("schedule.{act}"));
    assert_eq!(acts, expected);
}

async fn a_schedule_without_its_dataset_reports_the_reason(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("lost");
    admin.upload(&name, "sex,survived\nf,1\nm,0\nf,1\nm,0\n").await.expect(201);
    let mut body = yearly(&name);
    body["spec"] =
        json!({"name": name, "algorithm": "decision_tree", "dataset": name, "target": "survived", "features": ["sex"]});
    body["spec"].as_object_mut().unwrap().remove("params");
    body["paused"] = json!(true);
    body["spec"]["on_leak"] = json!("refuse");
    let created = admin.post("/schedules", body.clone()).await;
    // A column that equals the target is refused as a feature. The dataset needs another column.
    created.refused(&["spec.features[0]"]);
    admin.upload(&name, "sex,age,survived\nf,20,1\nm,30,0\nf,40,0\nm,20,1\nf,30,1\nm,40,0\n").await.expect(201);
    body["cron"] = json!("* * * * * *");
    let (_, path) = create(&admin, body).await;
    admin.delete(&format!("/datasets/{name}")).await.expect(204);
    admin.post(&format!("{path}/trigger"), Value::Null).await.problem(409);
    admin.patch(&path, json!({"paused": false})).await.expect(200);
    let refused = run(&admin, &path, "refused").await;
    let message = format!("the dataset '{name}' does not exist");
    assert_eq!(refused["message"], message.as_str());
    assert_eq!(admin.get(&path).await.expect(200)["last_error"], message.as_str());
    admin.delete(&path).await.expect(204);
}
