//! The Open Inference Protocol: Triton's clients for REST and gRPC, and what concerns more than the inference role.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;
use trainyard_testkit::{Answer, Client, System, unique};

use crate::support::{on_both_stacks, quick_job};

on_both_stacks!(
    tritonclient_works_unchanged,
    tensors_and_rows_have_the_same_predictions,
    refusals_have_the_form_of_the_protocol,
);

/// The time limit of the client's program.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Sends a request to the inference role.
async fn call(client: &Client, method: Method, path: &str, body: Value) -> Answer {
    let request = reqwest::Client::new().request(method, format!("{}{path}", client.inference_url()));
    let request = if client.token().is_empty() { request } else { request.bearer_auth(client.token()) };
    client.send(if body.is_null() { request } else { request.json(&body) }).await
}

/// Trains a model and waits until it is served.
async fn served_model(admin: &Client, prefix: &str) -> String {
    let name = unique(prefix);
    admin.trained(quick_job(&name)).await;
    admin.served(json!({"model": name, "features": {"sex": "male"}}), &json!(1)).await;
    name
}

fn passengers() -> Value {
    json!([
        {"name": "sex", "shape": [2], "datatype": "BYTES", "data": ["female", "male"]},
        {"name": "age", "shape": [2, 1], "datatype": "FP64", "data": [[29], [null]]},
        {"name": "pclass", "shape": [2], "datatype": "INT64", "data": [1, 3]},
    ])
}

async fn tritonclient_works_unchanged(system: &System) {
    let admin = system.client().admin().await;
    let user = system.client().user().await;
    let name = served_model(&admin, "triton").await;
    // A second version, to which no alias points.
    admin.trained(quick_job(&name)).await;
    let rows = json!([
        {"sex": "female", "age": 29, "pclass": 1}, {"sex": "male", "age": 40.5, "pclass": 3},
        {"sex": "männlich", "age": 2, "pclass": 2},
    ]);
    let expected = user.infer(json!({"model": name, "instances": rows})).await.expect(200)["predictions"].to_string();

    let dataset = unique("triton-numbers");
    admin.upload(&dataset, include_str!("../datasets/diabetes.csv")).await.expect(201);
    let matrix = unique("triton-matrix");
    admin
        .trained(json!({"name": matrix, "algorithm": "random_forest", "dataset": dataset, "target": "target",
            "features": ["bmi", "bp", "s5"], "params": {"n_trees": 10}}))
        .await;
    let rows = json!([{"bmi": 30.1, "bp": 90.5, "s5": 4.8}, {"bmi": 21.5, "s5": 5.5}]);
    let body = json!({"model": matrix, "instances": rows});
    admin.served(json!({"model": matrix, "features": rows[0]}), &json!(1)).await;
    let predictions = user.infer(body).await.expect(200)["predictions"].clone();
    let numbers = json!([predictions[0]["target"], predictions[1]["target"]]).to_string();

    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let python = root.join("target/tools/tritonclient/bin/python");
    assert!(python.exists(), "tritonclient is not installed: run scripts/ensure tritonclient");
    let http_address = user.inference_url().trim_start_matches("http://");
    for (program, address) in [("check.py", http_address), ("check_grpc.py", &system.grpc_address())] {
        let mut command = Command::new(&python);
        // A proxy of the environment is not for loopback addresses.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("no_proxy", "127.0.0.1");
        command.arg(root.join("tests/tritonclient").join(program));
        command.args([address, user.token(), admin.token(), &name, &expected, &matrix, &numbers]);
        let run = command.kill_on_drop(true).output();
        let output = tokio::time::timeout(TIME_LIMIT, run).await.expect("the client ends within its time").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{program}: {}\n{}", text(&output.stdout), text(&output.stderr));
    }
}

async fn tensors_and_rows_have_the_same_predictions(system: &System) {
    let admin = system.client().admin().await;
    let user = system.client().user().await;
    let name = served_model(&admin, "tensors").await;
    let rows = json!([{"sex": "female", "age": 29, "pclass": 1}, {"sex": "male", "pclass": 3}]);
    let expected = user.infer(json!({"model": name, "instances": rows})).await.expect(200)["predictions"].clone();
    let body = json!({"id": "1", "inputs": passengers()});
    let answer = call(&user, Method::POST, &format!("/v2/models/{name}/infer"), body).await.expect(200);
    assert_eq!(answer["outputs"][0]["data"], json!([expected[0]["survived"], expected[1]["survived"]]));
    let shares: Vec<f64> = serde_json::from_value(answer["outputs"][1]["data"].clone()).unwrap();
    for (row, shares) in expected.as_array().unwrap().iter().zip(shares.chunks_exact(2)) {
        #[allow(clippy::cast_possible_truncation, reason = "predict_proba is FP32")]
        let (expected, found) = (row["prob"].as_f64().unwrap() as f32, shares[1] as f32);
        assert_eq!(found, expected, "{answer}");
    }
    assert_eq!((&answer["id"], &answer["model_version"]), (&json!("1"), &json!("1")));
    let metadata = call(&user, Method::GET, &format!("/v2/models/{name}"), Value::Null).await.expect(200);
    assert_eq!(metadata["inputs"].as_array().unwrap().len(), 3, "{metadata}");
}

async fn refusals_have_the_form_of_the_protocol(system: &System) {
    let anon = system.client();
    let admin = anon.admin().await;
    let user = anon.user().await;
    let name = served_model(&admin, "refusals").await;
    let infer = format!("/v2/models/{name}/infer");
    let load = format!("/v2/repository/models/{name}/load");
    let valid = json!({"inputs": passengers()});
    for (client, method, path, body, status, part) in [
        (&anon, Method::POST, infer.as_str(), valid.clone(), 401, "access token"),
        (&anon, Method::GET, "/v2", Value::Null, 401, "access token"),
        (&user, Method::POST, load.as_str(), Value::Null, 403, "admin"),
        (&user, Method::POST, "/v2/models/nope/infer", valid.clone(), 404, "'nope'"),
        (&user, Method::GET, infer.as_str(), Value::Null, 405, "GET"),
        (&user, Method::POST, infer.as_str(), json!({"inputs": []}), 400, "'age'"),
        (&user, Method::POST, infer.as_str(), json!([]), 400, "object"),
    ] {
        let answer = call(client, method.clone(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let error = answer.body["error"].as_str().unwrap_or_else(|| panic!("{method} {path}: {}", answer.body));
        assert!(error.contains(part), "{method} {path}: {error}");
    }
    assert_eq!(call(&admin, Method::POST, &load, Value::Null).await.status, 200);
    assert_eq!(call(&anon, Method::GET, "/v2/health/live", Value::Null).await.expect(200), json!({"live": true}));
    assert_eq!(call(&anon, Method::GET, "/v2/health/ready", Value::Null).await.expect(200), json!({"ready": true}));
}
