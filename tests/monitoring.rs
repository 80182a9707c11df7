//! Monitoring of served models: drift, and the request log.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use trainyard_testkit::{Client, Stack, System, distributed_settings, s3, unique};

use crate::support::{BINARY, on_both_stacks, quick_job};

on_both_stacks!(drift_compares_the_requests_with_the_training);

/// Trains a model on the built-in dataset, and waits until it is served.
async fn served_model(admin: &Client, prefix: &str) -> String {
    let name = unique(prefix);
    admin.trained(quick_job(&name)).await;
    admin.served(json!({"model": name, "features": {"sex": "male"}}), &json!(1)).await;
    name
}

/// The passengers of the built-in dataset.
fn passengers() -> Vec<Value> {
    let rows = include_str!("../datasets/titanic.csv").lines().skip(1).map(|line| {
        // The name of a passenger is quoted, and contains commas.
        let (class, rest) = line.split_once(",\"").unwrap();
        let fields: Vec<_> = rest.rsplit_once("\",").unwrap().1.split(',').collect();
        json!({"pclass": class.parse::<u8>().unwrap(), "sex": fields[0], "age": fields[1].parse::<f64>().ok()})
    });
    rows.collect()
}

async fn drift_of(client: &Client, model: &str) -> Value {
    let url = format!("{}/inference/drift?model={model}", client.inference_url());
    client.send(reqwest::Client::new().get(url).bearer_auth(client.token())).await.expect(200)
}

async fn drift_compares_the_requests_with_the_training(system: &System) {
    let admin = system.client().admin().await;
    let user = system.client().user().await;
    let (same, other) = (served_model(&admin, "same").await, served_model(&admin, "other").await);
    let drift = drift_of(&user, &other).await;
    assert_eq!((&drift["prediction"]["psi"], &drift["min_rows"]), (&Value::Null, &json!(500)), "too few rows: {drift}");
    user.infer(json!({"model": same, "instances": passengers()})).await.expect(200);
    let children: Vec<_> = (0..600).map(|row| json!({"sex": "female", "age": row % 12, "pclass": 2})).collect();
    user.infer(json!({"model": other, "instances": children})).await.expect(200);
    for (model, low, high) in [(&same, 0.0, 0.1), (&other, 0.25, f64::INFINITY)] {
        let drift = drift_of(&user, model).await;
        let features = drift["features"].as_array().unwrap();
        assert_eq!(features.len(), 3, "{drift}");
        for column in features.iter().chain([&drift["prediction"]]) {
            assert!((low..high).contains(&column["psi"].as_f64().unwrap()), "{model}: {column}");
        }
    }
}

/// The lines of the request log below the folder of the object store.
fn logged(folder: &Path) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut folders = vec![folder.join("requests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut text = String::new();
            GzDecoder::new(std::fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
            lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
    }
    lines
}

/// Predicts with a logging system, and returns the ages in the log after the stop of the role.
async fn ages_in_the_log(start: impl FnOnce(Vec<(String, String)>) -> (System, PathBuf) + Send + 'static) -> Vec<i64> {
    let settings = [("SHARE", "1"), ("FLUSH_S", "3600")];
    let settings = settings.map(|(key, value)| (format!("TRAINYARD__INFERENCE__REQUEST_LOG_{key}"), value.to_owned()));
    let (mut system, objects) = tokio::task::spawn_blocking(move || start(settings.to_vec())).await.unwrap();
    let admin = system.client().admin().await;
    let model = served_model(&admin, "logged").await;
    for age in 0..5 {
        admin.infer(json!({"model": model, "features": {"age": age}})).await.expect(200);
    }
    admin.infer(json!({"model": model, "features": {"age": "old"}})).await.problem(422);
    assert_eq!(logged(&objects), Vec::<Value>::new(), "nothing is due before the stop");
    let role = system.roles("inference").first().copied().unwrap_or(0);
    let status = tokio::task::block_in_place(|| system.terminate(role));
    assert!(status.success(), "{status}");
    let mut ages: Vec<_> = logged(&objects).iter().filter_map(|line| line["features"]["age"].as_i64()).collect();
    ages.sort_unstable();
    ages
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_writes_the_request_log_to_files() {
    let ages = ages_in_the_log(|settings| {
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let system = System::start_with(BINARY, Stack::Embedded, 1, &settings);
        let objects = system.folder().join("data/objects");
        (system, objects)
    });
    assert_eq!(ages.await, [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_writes_the_request_log_to_s3() {
    let ages = ages_in_the_log(|settings| {
        let all: Vec<_> = distributed_settings().into_iter().chain(settings).collect();
        let (_, bucket) = all.iter().find(|(name, _)| name == "ARTIFACT_URL").unwrap().clone();
        let system = System::start_roles(BINARY, &["api", "inference", "worker"], all);
        (system, s3().files(&bucket))
    });
    assert_eq!(ages.await, [0, 1, 2, 3, 4]);
}
