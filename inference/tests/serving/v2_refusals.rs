//! Every refusal under `/v2` is a 4xx with the protocol's error object, which names what is wrong.

use reqwest::Method;
use serde_json::{Value, json};
use trainyard_inference::InferenceConfig;
use trainyard_testkit::eventually;

use crate::environment::{Environment, RunningRole, TIMEOUT, config};
use crate::models;
use crate::v2_tensors::{bytes_elements, infer, infer_binary, passengers, tensor, with};

const JSON: (&str, &str) = ("content-type", "application/json");

fn shaped(name: &str, shape: Value, datatype: &str, data: Value) -> Value {
    json!({"name": name, "shape": shape, "datatype": datatype, "data": data})
}

/// Checks that the request is refused with 400, and that the message contains all of `parts`.
async fn refused(role: &RunningRole, model: &str, body: &Value, parts: &[&str]) {
    let (status, error) = infer(role, model, body).await.v2_error();
    assert_eq!(status, 400, "{body}: {error}");
    for part in parts {
        assert!(error.contains(part), "{body}: '{error}' does not contain '{part}'");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_tensor_is_refused_by_its_name() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let age = |shape: Value, datatype: &str, data: Value| with("age", shaped("age", shape, datatype, data));
    for (body, parts) in [
        (json!({"inputs": []}), vec!["'sex', 'age', 'pclass' are missing"]),
        (with("age", Value::Null), vec!["the input 'age' is missing", "sex, age, pclass"]),
        (
            with("age", tensor("agee", "FP32", &json!([1, 2, 3]))),
            vec!["the input 'agee' is unknown", "sex, age, pclass"],
        ),
        (with("age", tensor("sex", "BYTES", &json!(["a", "b", "c"]))), vec!["the input 'sex' is given twice"]),
        (with("age", tensor("age", "FP32", &json!([1, 2]))), vec!["'age' has 2 rows, but the input 'sex' has 3"]),
        (age(json!([3, 2]), "FP32", json!([1, 2, 3, 4, 5, 6])), vec!["'age'", "[n] or [n, 1], not [3, 2]"]),
        (age(json!([1, 3]), "FP32", json!([1, 2, 3])), vec!["'age'", "not [1, 3]"]),
        (age(json!([]), "FP32", json!([1])), vec!["'age'", "not []"]),
        (age(json!([0]), "FP32", json!([])), vec!["'age'", "at least one row"]),
        (age(json!([-1]), "FP32", json!([1])), vec!["'age'", "no whole number"]),
        (age(json!([1.5]), "FP32", json!([1])), vec!["'age'", "no whole number"]),
        (age(json!([4_294_967_296_u64, 4_294_967_296_u64]), "FP32", json!([1])), vec!["'age'", "64 bits"]),
        (age(json!([4]), "FP32", json!([1, 2, 3])), vec!["'age'", "[4] with 4 elements, but data has 3"]),
        (age(json!([3, 1]), "FP32", json!([[1, 2, 3]])), vec!["'age'", "nested lists"]),
        (age(json!([3, 1]), "FP32", json!([[1], [2, 3]])), vec!["'age'", "nested lists"]),
        (age(json!([3]), "BYTES", json!(["1", "2", "3"])), vec!["'age'", "datatype of numbers", "not BYTES"]),
        (age(json!([3]), "BOOL", json!([true, true, true])), vec!["'age'", "not BOOL"]),
        (age(json!([3]), "FP128", json!([1, 2, 3])), vec!["'age'", "unknown datatype 'FP128'", "FP64"]),
        (age(json!([3]), "fp32", json!([1, 2, 3])), vec!["'age'", "unknown datatype 'fp32'"]),
        (age(json!([3]), "FP16", json!([1, 2, 3])), vec!["'age'", "binary data only"]),
        (age(json!([3]), "FP32", json!([1, "old", 3])), vec!["'age'", "element 1", "'old'"]),
        (age(json!([3]), "FP32", json!([1, 2, true])), vec!["'age'", "element 2", "true"]),
        (age(json!([3]), "FP32", json!([1, 1e39, 3])), vec!["'age'", "element 1", "FP32"]),
        (age(json!([3]), "INT8", json!([1, 2, 128])), vec!["'age'", "element 2", "-128 to 127"]),
        (age(json!([3]), "UINT16", json!([1, -2, 3])), vec!["'age'", "element 1", "0 to 65535"]),
        (age(json!([3]), "INT32", json!([1, 2.5, 3])), vec!["'age'", "element 1", "whole number"]),
        (with("sex", tensor("sex", "FP32", &json!([1, 2, 3]))), vec!["'sex'", "datatype BYTES, not FP32"]),
        (with("sex", tensor("sex", "BYTES", &json!(["male", 3, "male"]))), vec!["'sex'", "element 1", "not 3"]),
        (with("age", json!({"name": "age", "shape": [3], "datatype": "FP32"})), vec!["the input 'age' has no data"]),
        (
            with(
                "age",
                json!({"name": "age", "shape": [3], "datatype": "FP32", "data": [1, 2, 3],
                "parameters": {"binary_data_size": 12}}),
            ),
            vec!["'age'", "both data and binary_data_size"],
        ),
        (
            with(
                "age",
                json!({"name": "age", "shape": [3], "datatype": "FP32",
                "parameters": {"shared_memory_region": "a"}}),
            ),
            vec!["'age'", "shared_memory_region"],
        ),
        (
            json!({"inputs": passengers(), "outputs": [{"name": "probability"}]}),
            vec!["the output 'probability' is unknown", "predict, predict_proba"],
        ),
        (
            json!({"inputs": passengers(), "outputs": [{"name": "predict"}, {"name": "predict"}]}),
            vec!["'predict'", "twice"],
        ),
        (
            json!({"inputs": passengers(), "outputs": [{"name": "predict", "parameters": {"classification": 1}}]}),
            vec!["'predict'", "classification"],
        ),
        (json!({"id": 3, "inputs": passengers()}), vec!["id must be text"]),
        (json!({}), vec!["inputs is required"]),
        (json!({"inputs": {}}), vec!["inputs must be a list"]),
        (json!({"inputs": [{"name": "age"}]}), vec!["inputs[0].shape is required"]),
        (
            with("age", json!({"name": "age", "shape": 3, "datatype": "FP32", "data": [1]})),
            vec!["inputs[1].shape must be a list"],
        ),
        (
            with("age", json!({"name": "age", "shape": [3], "datatype": "FP32", "data": 1})),
            vec!["inputs[1].data must be a list"],
        ),
        (with("age", json!({"name": "age", "shape": [3], "datatype": "FP32", "data": [{}]})), vec!["inputs[1].data"]),
        (json!({"inputs": passengers(), "parameters": []}), vec!["parameters must be an object"]),
        (
            json!({"inputs": passengers(), "parameters": {"binary_data_output": "yes"}}),
            vec!["parameters.binary_data_output must be true or false"],
        ),
    ] {
        refused(&role, "m", &body, &parts).await;
    }
    // The role still works, and refusals count as such.
    assert_eq!(infer(&role, "m", &json!({"inputs": passengers()})).await.status, 200);
    let refusals = environment
        .counter_value("trainyard_inference_requests_total", "model=\"m\",version=\"1\",outcome=\"refused\"");
    assert!(refusals >= 40.0, "{refusals}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_matrix_is_refused() {
    let environment = Environment::new().await;
    environment.publish("progression", models::progression()).await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let matrix =
        |shape: Value, datatype: &str, data: Value| json!({"inputs": [shaped("input", shape, datatype, data)]});
    for (body, parts) in [
        (matrix(json!([1, 2]), "FP32", json!([1, 2])), vec!["'input'", "[n, 3]", "bmi, bp, s5", "[1, 2]"]),
        (
            matrix(json!([3]), "FP32", json!([1, 2, 3])),
            vec!["the input 'input' is unknown", "matrix of the shape [n, 3]"],
        ),
        (matrix(json!([0, 3]), "FP32", json!([])), vec!["'input'", "at least one row"]),
        (matrix(json!([1, 3]), "BYTES", json!(["1", "2", "3"])), vec!["'input'", "not BYTES"]),
        (matrix(json!([1, 3]), "FP32", json!([[1, 2]])), vec!["'input'", "data has 2"]),
        (matrix(json!([1, 3]), "FP32", json!([1, "x", 3])), vec!["'input'", "element 1"]),
        (json!({"inputs": [shaped("bmi", json!([2, 1]), "FP32", json!([1, 2]))]}), vec!["'bp', 's5' are missing"]),
    ] {
        refused(&role, "progression", &body, &parts).await;
    }
    let body = matrix(json!([1, 3]), "FP32", json!([1, 2, 3]));
    refused(&role, "m", &body, &["the input 'input' is unknown"]).await;
    assert!(!infer(&role, "m", &body).await.v2_error().1.contains("matrix"), "m has a category");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_binary_data_is_refused() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let request = |sex_bytes: usize, age_bytes: usize| {
        json!({"inputs": [
            {"name": "sex", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": sex_bytes}},
            {"name": "age", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": age_bytes}},
            tensor("pclass", "INT8", &json!([1, 2])),
        ]})
    };
    let (sex, age) = (bytes_elements(&[b"male", b"female"]), [1.0_f32, 2.0].map(f32::to_le_bytes).concat());
    let tail = [sex.clone(), age.clone()].concat();
    assert_eq!(infer_binary(&role, "m", &request(18, 8), &tail).await.status, 200);
    let infinite = [sex.clone(), [1.0_f32, f32::INFINITY].map(f32::to_le_bytes).concat()].concat();
    let latin1 = [bytes_elements(&[b"male", b"f\xe9male"]), age.clone()].concat();
    let long = [u32::MAX.to_le_bytes().to_vec(), vec![0; 14], age].concat();
    for (body, tail, parts) in [
        (request(18, 8), &tail[..20], vec!["'age'", "binary_data_size 8", "only 2 bytes"]),
        (request(18, 4), &tail[..], vec!["'age'", "with 8 bytes, but binary_data_size is 4"]),
        (request(14, 8), &tail[..], vec!["'sex'", "element 1"]),
        (request(8, 8), &tail[..], vec!["'sex'", "element 1", "no length"]),
        (request(18, 8), &[&tail[..], b"rest"].concat()[..], vec!["4 bytes of binary data more"]),
        (request(18, 8), &infinite[..], vec!["'age'", "element 1", "finite"]),
        (request(18, 8), &latin1[..], vec!["'sex'", "element 1", "not UTF-8"]),
        (request(18, 8), &long[..], vec!["'sex'", "element 0", "4294967295"]),
    ] {
        let (status, error) = infer_binary(&role, "m", &body, tail).await.v2_error();
        assert_eq!(status, 400, "{error}");
        for part in parts {
            assert!(error.contains(part), "'{error}' does not contain '{part}'");
        }
    }
    // Without the header the whole body is JSON.
    let (status, error) = infer(&role, "m", &request(18, 8)).await.v2_error();
    assert!(status == 400 && error.contains("Inference-Header-Content-Length"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_bodies_and_headers_are_refused() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let valid = json!({"inputs": passengers()}).to_string();
    let length = ("inference-header-content-length", "");
    for (headers, body, parts) in [
        (vec![JSON], "", vec!["the body is empty"]),
        (vec![JSON], "{", vec!["not valid JSON"]),
        (vec![JSON], "[]", vec!["must be an object"]),
        (
            vec![JSON],
            r#"{"inputs": [{"name": "age", "shape": [1], "datatype": "FP32", "data": [NaN]}]}"#,
            vec!["not valid JSON"],
        ),
        (vec![("content-type", "text/csv")], valid.as_str(), vec!["application/json"]),
        (vec![("content-type", "application/x-www-form-urlencoded")], valid.as_str(), vec!["application/json"]),
        (vec![JSON, ("content-encoding", "gzip")], valid.as_str(), vec!["gzip"]),
        (vec![JSON, (length.0, "99999999")], valid.as_str(), vec!["99999999", "the body has only"]),
        (vec![JSON, (length.0, "-1")], valid.as_str(), vec!["must be one number"]),
        (vec![JSON, (length.0, "x")], valid.as_str(), vec!["must be one number"]),
        (vec![JSON, (length.0, "3"), (length.0, "4")], valid.as_str(), vec!["must be one number"]),
        (vec![JSON, (length.0, "10")], valid.as_str(), vec!["not valid JSON"]),
    ] {
        let answer = role.call(Method::POST, "/v2/models/m/infer", &headers, body.as_bytes().to_vec()).await;
        let (status, error) = answer.v2_error();
        assert_eq!(status, 400, "{headers:?}: {error}");
        for part in parts {
            assert!(error.contains(part), "{headers:?}: '{error}' does not contain '{part}'");
        }
    }
    // Clients send JSON with any of these content types.
    for headers in [vec![JSON], vec![], vec![("content-type", "application/octet-stream")]] {
        let answer = role.call(Method::POST, "/v2/models/m/infer", &headers, valid.as_bytes().to_vec()).await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_bytes_are_limited_as_for_inference() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let config = InferenceConfig { max_instances: 2, max_body_bytes: 20_000, ..config() };
    let role = environment.start(config, environment.db.clone(), environment.store.clone()).await;
    role.wait_until_serving("m", 1).await;
    refused(&role, "m", &json!({"inputs": passengers()}), &["'sex'", "at most 2 rows, but has 3"]).await;
    let large = with("sex", tensor("sex", "BYTES", &json!(["x".repeat(20_000)])));
    let (status, error) = infer(&role, "m", &large).await.v2_error();
    assert!(status == 413 && error.contains("20000 bytes"), "{status} {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_methods_models_and_versions_are_named() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    for (method, path, status, part) in [
        (Method::GET, "/v2/nothing", 404, "no route"),
        (Method::GET, "/v2/", 404, "no route"),
        (Method::DELETE, "/v2/models/m", 405, "DELETE"),
        (Method::GET, "/v2/models/m/infer", 405, "GET"),
        (Method::GET, "/v2/models/nope", 404, "'nope'"),
        (Method::GET, "/v2/models/nope/ready", 404, "'nope'"),
        (Method::GET, "/v2/models/nope/stats", 404, "'nope'"),
        (Method::GET, "/v2/models/m/versions/7", 404, "version 7"),
        (Method::GET, "/v2/models/m/versions/7/ready", 404, "version 7"),
        (Method::GET, "/v2/models/m/versions/7/stats", 404, "version 7"),
        (Method::GET, "/v2/models/m/versions/first", 404, "'first'"),
        (Method::GET, "/v2/models/m/versions/0/ready", 404, "'0'"),
        (Method::GET, "/v2/models/m/versions/-1/stats", 404, "'-1'"),
        (Method::POST, "/v2/models/nope/infer", 404, "'nope'"),
        (Method::POST, "/v2/models/m/versions/7/infer", 404, "version 7"),
        (Method::POST, "/v2/models/m/versions/99999999999999999999/infer", 404, "'99999999999999999999'"),
        (Method::POST, "/v2/models/m/infer?explain=true", 400, "explain"),
    ] {
        let body = json!({"inputs": passengers()}).to_string().into_bytes();
        let answer = role.call(method.clone(), path, &[JSON], body).await;
        let (found, error) = answer.v2_error();
        assert!(found == status && error.contains(part), "{method} {path}: {found} {error}");
        assert!(status != 405 || !answer.header("allow").is_empty(), "{path}");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_but_health_needs_a_token_and_load_an_administrator() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    for (method, path) in [
        (Method::GET, "/v2"),
        (Method::GET, "/v2/models/m"),
        (Method::GET, "/v2/models/m/ready"),
        (Method::GET, "/v2/models/m/stats"),
        (Method::GET, "/v2/models/stats"),
        (Method::GET, "/v2/models/m/versions/1"),
        (Method::POST, "/v2/models/m/infer"),
        (Method::POST, "/v2/models/m/versions/1/infer"),
        (Method::POST, "/v2/repository/index"),
        (Method::POST, "/v2/repository/models/m/load"),
        (Method::POST, "/v2/repository/models/m/unload"),
    ] {
        for token in ["", "Bearer not.a.token", "Basic YTpi"] {
            let answer = role.call(method.clone(), path, &[("authorization", token)], vec![]).await;
            assert_eq!(answer.v2_error().0, 401, "{method} {path} with '{token}'");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
        }
    }
    for path in ["/v2/health/live", "/v2/health/ready"] {
        for token in ["", "Bearer not.a.token"] {
            assert_eq!(role.call(Method::GET, path, &[("authorization", token)], vec![]).await.status, 200, "{path}");
        }
    }
    for path in ["/v2/repository/models/m/load", "/v2/repository/models/m/unload"] {
        let (status, error) = role.call(Method::POST, path, &[], vec![]).await.v2_error();
        assert!(status == 403 && error.contains("admin"), "{error}");
    }
    environment.disable_user().await;
    eventually("the disabled account is refused", TIMEOUT, async || {
        (role.call(Method::GET, "/v2", &[], vec![]).await.status == 401).then_some(())
    })
    .await;
}
