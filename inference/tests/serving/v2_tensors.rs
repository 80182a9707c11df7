//! Rows as tensors of the Open Inference Protocol, for the tests of `/v2`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::RawAnswer;
use crate::environment::RunningRole;

/// The passengers of the tests, by column.
pub(crate) fn passengers() -> Value {
    json!([
        tensor("sex", "BYTES", &json!(["female", "male", "male"])),
        tensor("age", "FP64", &json!([29, 40.5, 0.1667])),
        tensor("pclass", "INT64", &json!([1, 3, 2])),
    ])
}

/// The passengers as rows of `POST /inference`.
pub(crate) fn passenger_rows() -> Value {
    json!([
        {"sex": "female", "age": 29, "pclass": 1},
        {"sex": "male", "age": 40.5, "pclass": 3},
        {"sex": "male", "age": 0.1667, "pclass": 2},
    ])
}

/// A tensor of the shape `[n]`.
pub(crate) fn tensor(name: &str, datatype: &str, data: &Value) -> Value {
    json!({"name": name, "shape": [data.as_array().unwrap().len()], "datatype": datatype, "data": data})
}

/// A request with one tensor of the passengers replaced, by name; null removes it.
pub(crate) fn with(name: &str, replacement: Value) -> Value {
    let passengers = passengers();
    let others = passengers.as_array().unwrap().iter().map(|tensor| match tensor["name"] == name {
        true => replacement.clone(),
        false => tensor.clone(),
    });
    json!({"inputs": others.filter(|tensor| !tensor.is_null()).collect::<Vec<_>>()})
}

/// Sends an inference request in JSON.
pub(crate) async fn infer(role: &RunningRole, model: &str, body: &Value) -> RawAnswer {
    let headers = [("content-type", "application/json")];
    role.call(Method::POST, &format!("/v2/models/{model}/infer"), &headers, body.to_string().into_bytes()).await
}

/// Sends an inference request with binary data after the JSON.
pub(crate) async fn infer_binary(role: &RunningRole, model: &str, json: &Value, binary: &[u8]) -> RawAnswer {
    let json = json.to_string();
    let length = json.len().to_string();
    let headers = [("content-type", "application/octet-stream"), ("inference-header-content-length", length.as_str())];
    let body = [json.as_bytes(), binary].concat();
    role.call(Method::POST, &format!("/v2/models/{model}/infer"), &headers, body).await
}

/// The data of an output.
pub(crate) fn data(answer: &RawAnswer, output: &str) -> Value {
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    let outputs = body["outputs"].as_array().unwrap();
    let output = outputs.iter().find(|found| found["name"] == output).unwrap_or_else(|| panic!("no {output}: {body}"));
    output["data"].clone()
}

/// BYTES as binary data.
pub(crate) fn bytes_elements(texts: &[&[u8]]) -> Vec<u8> {
    let element = |text: &&[u8]| [&u32::try_from(text.len()).unwrap().to_le_bytes(), *text].concat();
    texts.iter().flat_map(element).collect()
}
