//! Prediction jobs, from submission to the downloaded result.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use trainyard_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Client, Receiver, Stack, System, eventually, unique};

use crate::support::{BINARY, on_both_stacks, quick_job};

on_both_stacks!(
    a_dataset_is_predicted_as_single_rows_are,
    several_classes_and_numbers_are_predicted,
    warnings_count_what_could_not_be_used,
    invalid_requests_are_refused_by_field,
    a_running_prediction_is_cancelled_within_two_seconds,
    the_command_line_predicts_a_dataset,
);

const LIMIT: Duration = Duration::from_secs(120);

/// Submits a prediction; returns the id of the job.
async fn submit(admin: &Client, body: Value) -> String {
    admin.post("/predictions", body).await.expect(202)["job_id"].as_str().unwrap().to_owned()
}

/// Submits a prediction, waits for it, and returns the job and its result.
async fn predicted(admin: &Client, body: Value) -> (Value, String) {
    let id = submit(admin, body).await;
    let view = admin.finished(&id).await;
    assert_eq!(view["status"], "succeeded", "{view}");
    (view.clone(), result(admin, &view).await)
}

async fn result(admin: &Client, view: &Value) -> String {
    let answer = admin.get(view["result_url"].as_str().unwrap()).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let text = answer.expect(200).as_str().unwrap().to_owned();
    assert_eq!(view["metrics"]["bytes"], text.len());
    let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(view["metrics"]["sha256"], digest);
    text
}

/// The records of a CSV, the names first.
fn records(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The rows of a CSV as `instances` of `/inference`: the features as texts.
fn instances(records: &[Vec<String>], features: &[&str]) -> Vec<Value> {
    let (names, rows) = records.split_first().unwrap();
    let row = |cells: &Vec<String>| {
        let named = names.iter().zip(cells).filter(|(name, _)| features.contains(&name.as_str()));
        Value::Object(named.map(|(name, cell)| (name.clone(), json!(cell))).collect::<Map<_, _>>())
    };
    rows.iter().map(row).collect()
}

/// The answers of `/inference` for the rows of a table, in requests of at most a thousand rows.
async fn inferred(admin: &Client, model: &str, rows: &[Value]) -> Vec<Value> {
    let mut predictions = Vec::new();
    for rows in rows.chunks(1_000) {
        let answer = admin.infer(json!({"model": model, "version": 1, "instances": rows})).await.expect(200);
        predictions.extend(answer["predictions"].as_array().unwrap().iter().cloned());
    }
    predictions
}

const TITANIC: &str = include_str!("../datasets/titanic.csv");
const DIABETES: &str = include_str!("../datasets/diabetes.csv");

async fn a_dataset_is_predicted_as_single_rows_are(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("batch");
    let trained = admin.trained(quick_job(&name)).await;
    assert_eq!((&trained["kind"], trained.get("result_url")), (&json!("training"), None));
    let accepted = admin.post("/predictions", json!({"model": name, "dataset": "titanic"})).await;
    let location = accepted.header("location");
    let id = accepted.expect(202)["job_id"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/training/{id}"));
    let view = admin.finished(&id).await;
    assert_eq!(
        (&view["status"], &view["kind"], &view["progress"]),
        (&json!("succeeded"), &json!("prediction"), &json!(1.0))
    );
    assert_eq!(view["model"], json!({"name": name, "version": 1}));
    assert_eq!(view["metrics"]["rows"], 1_309);
    let document = admin.get("/openapi.json").await.expect(200);
    let known = &document["components"]["schemas"]["PredictionMetricsView"]["properties"];
    for metric in view["metrics"].as_object().unwrap().keys() {
        assert!(!known[metric].is_null(), "{metric} is not documented");
    }

    let (table, lines) = (records(TITANIC), records(&result(&admin, &view).await));
    let width = table[0].len();
    assert_eq!(lines[0][width..], ["predicted_survived", "probability_0", "probability_1"]);
    let rows = instances(&table, &["sex", "age", "pclass"]);
    admin.served(json!({"model": name, "features": rows[0]}), &json!(1)).await;
    let predictions = inferred(&admin, &name, &rows).await;
    assert_eq!((lines.len(), predictions.len()), (1_310, 1_309));
    for ((line, cells), prediction) in lines.iter().zip(&table).skip(1).zip(&predictions) {
        assert_eq!(line[..width], cells[..], "the columns of the dataset are unchanged");
        let label = if prediction["survived"] == json!(true) { "1" } else { "0" };
        assert_eq!(line[width], label, "{prediction}");
        // The same digits are the same bits.
        assert_eq!(line[width + 2], prediction["prob"].to_string());
    }
    let log = admin.get(&format!("/training?kind=prediction&name={name}")).await.expect(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 1);
    assert!(log["items"][0]["metrics"]["missing_values"].is_null(), "lists leave out the counts by column");
    assert_eq!(view["metrics"]["missing_values"], json!({"age": 263}));
}

async fn several_classes_and_numbers_are_predicted(system: &System) {
    let admin = system.client().admin().await;
    let (port, disease) = (unique("port"), unique("disease"));
    let job = json!({"name": port, "algorithm": "gradient_boosting", "features": ["sex", "fare", "pclass"],
        "target": "embarked", "params": {"n_rounds": 20}});
    admin.trained(job).await;
    let body = json!({"model": port, "dataset": "titanic", "columns": "none"});
    let lines = records(&predicted(&admin, body).await.1);
    assert_eq!(lines[0], ["predicted_embarked", "probability_C", "probability_Q", "probability_S"]);
    let rows = instances(&records(TITANIC), &["sex", "fare", "pclass"]);
    admin.served(json!({"model": port, "features": rows[0]}), &json!(1)).await;
    for (line, prediction) in lines.iter().skip(1).zip(inferred(&admin, &port, &rows).await) {
        assert_eq!(line[0], prediction["embarked"].as_str().unwrap());
        for (cell, class) in line[1..].iter().zip(["C", "Q", "S"]) {
            assert_eq!(*cell, prediction["probabilities"][class].to_string());
        }
    }
    let features = ["bmi", "bp", "s1"];
    let dataset = unique("diabetes");
    admin.upload(&dataset, DIABETES.as_bytes().to_vec()).await.expect(201);
    admin
        .trained(json!({"name": disease, "algorithm": "ridge", "dataset": dataset, "features": features,
        "target": "target"}))
        .await;
    let body = json!({"model": disease, "version": 1, "dataset": dataset, "columns": "none"});
    let lines = records(&predicted(&admin, body).await.1);
    assert_eq!(lines[0], ["predicted_target"]);
    let rows = instances(&records(DIABETES), &features);
    admin.served(json!({"model": disease, "features": rows[0]}), &json!(1)).await;
    for (line, prediction) in lines.iter().skip(1).zip(inferred(&admin, &disease, &rows).await) {
        assert_eq!(line[0], prediction["target"].to_string());
    }
}

async fn warnings_count_what_could_not_be_used(system: &System) {
    let admin = system.client().admin().await;
    let (name, dataset) = (unique("warned"), unique("odd"));
    let job = json!({"name": name, "algorithm": "decision_tree", "features": ["sex", "age", "embarked"]});
    admin.trained(job).await;
    let rows: String = (0..50).map(|row| format!("male;{row},5\n")).collect();
    let csv = format!("sex;age\n{rows}robot;\n\"fe;male\";7\n");
    admin.upload(&dataset, csv).await.expect(201);
    let (view, text) = predicted(&admin, json!({"model": name, "dataset": dataset})).await;
    let metrics = &view["metrics"];
    assert_eq!(metrics["unseen_categories"], json!({"sex": 2}));
    assert_eq!(metrics["missing_values"], json!({"age": 1}));
    let warnings = metrics["warnings"].to_string();
    assert!(warnings.contains("the dataset has no column 'embarked'; imputed as in training"), "{warnings}");
    let lines = records(&text);
    assert_eq!((lines[1][1].as_str(), lines[52][0].as_str()), ("0,5", "fe;male"), "cells keep their text");
    let rows = instances(&lines, &["sex"]);
    let with_age = |row: &Value, age: f64| json!({"sex": row["sex"], "age": age});
    admin.served(json!({"model": name, "features": {"sex": "male"}}), &json!(1)).await;
    let single = inferred(&admin, &name, &[with_age(&rows[0], 0.5), with_age(&rows[51], 7.0)]).await;
    assert_eq!(lines[1][4], single[0]["prob"].to_string(), "the decimal comma is that of the dataset");
    assert_eq!(lines[52][4], single[1]["prob"].to_string());
}

async fn invalid_requests_are_refused_by_field(system: &System) {
    let (admin, user) = (system.client().admin().await, system.client().user().await);
    let (name, dataset) = (unique("refused"), unique("text"));
    admin.trained(quick_job(&name)).await;
    admin.upload(&dataset, "sex,age,pclass\nmale,old,1\nfemale,young,2\nmale,old,3\n").await.expect(201);
    let with = |more: Value| {
        let mut body = json!({"model": name, "dataset": "titanic"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, field) in [
        (json!({"model": "no-such-model"}), "model"),
        (json!({"version": 99}), "version"),
        (json!({"alias": "no-such-alias"}), "alias"),
        (json!({"alias": "production", "version": 1}), "alias"),
        (json!({"dataset": "no-such-dataset"}), "dataset"),
        (json!({"dataset": dataset}), "dataset"),
        (json!({"output": "parquet"}), "output"),
        (json!({"columns": "sex"}), "columns"),
        (json!({"priority": 99}), "priority"),
        (json!({"webhook_url": "http://127.0.0.1/"}), "webhook_url"),
    ] {
        admin.post("/predictions", with(more)).await.refused(&[field]);
    }
    user.post("/predictions", with(json!({}))).await.problem(403);
    let id = submit(&admin, with(json!({"run_at": "2999-01-01T00:00:00Z"}))).await;
    let path = format!("/predictions/{id}/result");
    user.get(&path).await.problem(403);
    assert_eq!(admin.get(&path).await.problem(409)["code"], "conflict");
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    admin.get(&path).await.problem(409);
    admin.get(&format!("/predictions/{}/result", uuid::Uuid::now_v7())).await.problem(404);
}

/// Uploads a table with so many rows that a prediction runs for some seconds, and trains a slow model.
async fn slow(admin: &Client, name: &str, rows: u32) -> Value {
    let job = json!({"name": name, "algorithm": "svm", "features": ["sex", "age", "pclass", "fare"]});
    admin.trained(job).await;
    let row = |row: u32| format!("{},{},{},{}", ["male", "female"][row as usize % 2], row % 80, 1 + row % 3, row % 200);
    let rows: Vec<_> = (0..rows).map(row).collect();
    admin.upload(name, format!("sex,age,pclass,fare\n{}\n", rows.join("\n"))).await.expect(201);
    json!({"model": name, "dataset": name})
}

async fn running(admin: &Client, id: &str, progress: f64) {
    eventually("the prediction runs", LIMIT, async || {
        let view = admin.get(&format!("/training/{id}")).await.expect(200);
        assert!(matches!(view["status"].as_str(), Some("queued" | "running")), "{view}");
        (view["progress"].as_f64() > Some(progress)).then_some(())
    })
    .await;
}

async fn a_running_prediction_is_cancelled_within_two_seconds(system: &System) {
    let admin = system.client().admin().await;
    let body = slow(&admin, &unique("cancelled"), 400_000).await;
    let id = submit(&admin, body).await;
    running(&admin, &id, 0.0).await;
    let asked = Instant::now();
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    let view = admin.finished(&id).await;
    assert_eq!(view["status"], "cancelled", "{view}");
    assert!(asked.elapsed().as_secs_f64() < 2.5, "took {:?}", asked.elapsed());
    admin.get(&format!("/predictions/{id}/result")).await.problem(409);
}

async fn the_command_line_predicts_a_dataset(system: &System) {
    let client = system.client();
    let admin = client.admin().await;
    let name = unique("cli-batch");
    admin.trained(quick_job(&name)).await;
    let home = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let mut command = Command::new(BINARY);
        command.env_clear().env("HOME", home.path()).env("TRAINYARD_URL", client.api_url());
        command.env("TRAINYARD_INFERENCE_URL", client.inference_url()).current_dir(home.path());
        command.env("TRAINYARD_EMAIL", ADMIN_EMAIL).env("TRAINYARD_PASSWORD", ADMIN_PASSWORD);
        let output = command.args(line.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run(&format!("predict --model {name} --dataset titanic --output result.csv"));
    assert!(shown.contains("1309") && shown.contains("prediction"), "{shown}");
    let written = std::fs::read_to_string(home.path().join("result.csv")).unwrap();
    assert_eq!(written.lines().count(), 1_310);
    let listed = run(&format!("jobs list --kind prediction --name {name} --json"));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let id = listed["items"][0]["job_id"].as_str().unwrap();
    assert_eq!(run(&format!("jobs result {id}")).trim_end(), written.trim_end());
}

/// A dead worker is noticed within two seconds, and parts are small.
const QUICK: &[(&str, &str)] = &[
    ("TRAINYARD__WORKER__PREDICTION_PART_ROWS", "5000"),
    ("TRAINYARD__WORKER__LEASE_S", "3"),
    ("TRAINYARD__WORKER__RENEW_EVERY_S", "1"),
    ("TRAINYARD__SWEEP__WORKER_DEAD_AFTER_S", "2"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_changes_no_byte_of_the_result() {
    let start = || System::start_with(BINARY, Stack::Distributed, 1, QUICK);
    let mut system = tokio::task::spawn_blocking(start).await.unwrap();
    let admin = system.client().admin().await;
    let body = slow(&admin, &unique("killed"), 400_000).await;
    let id = submit(&admin, body.clone()).await;
    running(&admin, &id, 0.1).await;
    let worker = system.workers()[0];
    tokio::task::block_in_place(|| {
        system.kill(worker);
        system.resume(worker);
        system.wait_ready(worker);
    });
    let view = admin.finished(&id).await;
    assert_eq!((&view["status"], &view["metrics"]["rows"]), (&json!("succeeded"), &json!(400_000)), "{view}");
    assert!(system.log(worker).contains("running"), "{}", system.log(worker));
    let events = admin.events(&id, None).await.rest().await;
    let log: Vec<_> = events.iter().filter(|event| event.event == "log").map(|event| event.data.to_string()).collect();
    assert!(log.iter().any(|line| line.contains("rows that an earlier run has predicted")), "{log:?}");
    let (unbroken, text) = predicted(&admin, body).await;
    assert_eq!(view["metrics"]["sha256"], unbroken["metrics"]["sha256"]);
    assert_eq!(result(&admin, &view).await, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_prediction_sends_a_webhook_and_expires_with_its_result() {
    let settings = &[
        ("TRAINYARD__WEBHOOKS__ALLOW_PRIVATE_ADDRESSES", "true"),
        ("TRAINYARD__SWEEP__KEEP_FINISHED_S", "3"),
        ("TRAINYARD__SWEEP__CLEANUP_EVERY_S", "1"),
    ];
    let start = move || System::start_with(BINARY, Stack::Embedded, 1, settings);
    let (system, receiver) = (tokio::task::spawn_blocking(start).await.unwrap(), Receiver::start());
    let admin = system.client().admin().await;
    let name = unique("hooked");
    admin.trained(quick_job(&name)).await;
    let body = json!({"model": name, "dataset": "titanic", "webhook_url": receiver.url("/hook")});
    let id = submit(&admin, body).await;
    let received = eventually("the webhook arrives", LIMIT, async || receiver.received().pop()).await;
    let event: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(event["type"], "prediction.succeeded");
    let data = &event["data"];
    assert_eq!((&data["job_id"], &data["kind"]), (&json!(id), &json!("prediction")));
    assert_eq!((&data["model"], &data["metrics"]["rows"]), (&json!({"name": name, "version": 1}), &json!(1_309)));
    assert_eq!(data["result_url"], format!("/predictions/{id}/result"));
    let path = format!("/predictions/{id}/result");
    eventually("the job expires", LIMIT, async || (admin.get(&path).await.status == 404).then_some(())).await;
    let left = || {
        std::fs::read_dir(system.folder().join("data/objects/predictions").join(&id))
            .map(|folder| folder.flatten().map(|claim| std::fs::read_dir(claim.path()).unwrap().count()).sum::<usize>())
    };
    eventually("its result is deleted", LIMIT, async || (left().unwrap_or(0) == 0).then_some(())).await;
}
