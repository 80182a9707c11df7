//! gRPC inference requests have the answers of REST, bit by bit.

use reqwest::Method;
use serde_json::{Value, json};
use trainyard_inference::proto::{ModelInferRequest, ModelInferResponse};

use crate::environment::{Environment, RunningRole};
use crate::grpc_client::{binary, call, message, raw};
use crate::models;
use crate::v2_tensors::{infer, passengers, tensor, with};

async fn answer(role: &RunningRole, request: ModelInferRequest) -> ModelInferResponse {
    call(role, "ModelInfer", request).await.unwrap()
}

/// The JSON of a binary answer over REST, and the binary data of each output.
async fn binary_answer(role: &RunningRole, model: &str, body: &Value) -> (Value, Vec<Vec<u8>>) {
    let mut body = body.clone();
    body["parameters"] = json!({"binary_data_output": true});
    let answer = infer(role, model, &body).await;
    let json_bytes: usize = answer.header("inference-header-content-length").parse().unwrap();
    let (head, mut tail) = answer.body.split_at(json_bytes);
    let head: Value = serde_json::from_slice(head).unwrap();
    let outputs = head["outputs"].as_array().unwrap().iter().map(|output| {
        let size = output["parameters"]["binary_data_size"].as_u64().unwrap();
        let (data, rest) = tail.split_at(usize::try_from(size).unwrap());
        tail = rest;
        data.to_vec()
    });
    let outputs = outputs.collect();
    (head, outputs)
}

/// Sends the request in each form, and compares the answers.
async fn compare(role: &RunningRole, model: &str, body: &Value) {
    let (rest, binary_outputs) = binary_answer(role, model, body).await;
    let typed = answer(role, message(model, body)).await;
    let with_raw = answer(role, raw(message(model, body))).await;
    let outputs = rest["outputs"].as_array().unwrap();
    for found in [&typed, &with_raw] {
        assert_eq!(
            (json!(found.model_name), json!(found.model_version)),
            (json!(model), rest["model_version"].clone())
        );
        assert_eq!(found.id, rest["id"].as_str().unwrap_or_default());
        assert_eq!(found.outputs.len(), outputs.len());
        for (output, expected) in found.outputs.iter().zip(outputs) {
            assert_eq!(
                (json!(output.name), json!(output.datatype), json!(output.shape)),
                (expected["name"].clone(), expected["datatype"].clone(), expected["shape"].clone())
            );
        }
    }
    assert_eq!(with_raw.raw_output_contents, binary_outputs, "{body}");
    assert!(with_raw.outputs.iter().all(|output| output.contents.is_none()));
    assert!(typed.raw_output_contents.is_empty(), "answers have the form of the request");
    let contents = typed.outputs.iter().map(|output| binary(&output.datatype, output.contents.as_ref().unwrap()));
    assert_eq!(contents.collect::<Vec<_>>(), binary_outputs, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_rest_for_every_type_of_feature_and_target() {
    let environment = Environment::new().await;
    for (name, artifact) in [
        ("m", models::survival(0)),
        ("sex", models::sex()),
        ("port", models::port()),
        ("stars", models::stars()),
        ("progression", models::progression()),
    ] {
        environment.publish(name, artifact).await;
    }
    let role = environment.serve().await;
    let age = |datatype: &str, data: Value| with("age", tensor("age", datatype, &data));
    let matrix =
        json!({"name": "input", "shape": [2, 3], "datatype": "FP64", "data": [30.1, 90.5, 4.8, 21.5, null, 5.5]});
    for (model, body) in [
        ("m", json!({"inputs": passengers(), "id": "a request"})),
        ("m", age("FP32", json!([29, null, 0.1667]))),
        ("m", age("FP64", json!([null, 40.5, 1.5]))),
        ("m", age("INT8", json!([29, -1, 0]))),
        ("m", age("INT16", json!([29, -300, 0]))),
        ("m", age("INT32", json!([29, 70_000, 0]))),
        ("m", age("UINT8", json!([29, 255, 0]))),
        ("m", age("UINT16", json!([29, 65_535, 0]))),
        ("m", age("UINT32", json!([29, 70_000, 0]))),
        ("m", age("UINT64", json!([29, 70_000, 0]))),
        ("m", with("age", json!({"name": "age", "shape": [3, 1], "datatype": "FP64", "data": [29, 40.5, 1]}))),
        ("m", with("sex", tensor("sex", "BYTES", &json!(["männlich", "", null])))),
        ("m", json!({"inputs": passengers(), "outputs": [{"name": "predict_proba"}, {"name": "predict"}]})),
        ("m", json!({"inputs": passengers(), "outputs": [{"name": "predict", "parameters": {"note": 1}}]})),
        (
            "sex",
            json!({"inputs": [
                tensor("age", "FP32", &json!([20, 60])), tensor("pclass", "UINT8", &json!([1, 3])),
                tensor("survived", "INT16", &json!([1, 0]))]}),
        ),
        (
            "port",
            json!({"inputs": [
                tensor("sex", "BYTES", &json!(["male", "female"])), tensor("fare", "FP64", &json!([7.75, 100])),
                tensor("pclass", "INT64", &json!([3, 1]))]}),
        ),
        (
            "stars",
            json!({"inputs": [
                tensor("member", "BOOL", &json!([true, false])), tensor("city", "BYTES", &json!(["Köln", "elsewhere"])),
                tensor("joined", "BYTES", &json!(["2012-03-04", ""]))]}),
        ),
        ("progression", json!({"inputs": [matrix]})),
    ] {
        compare(&role, model, &body).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_is_processed_as_over_rest() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    const ROWS: usize = 5_000;
    let sexes: Vec<_> = (0..ROWS).map(|i| ["female", "male"][i % 2]).collect();
    let ages: Vec<_> = (0..ROWS).map(|i| (i % 160) as f64 / 2.0).collect();
    let classes: Vec<_> = (0..ROWS).map(|i| i % 3 + 1).collect();
    let body = json!({"inputs": [
        tensor("pclass", "UINT8", &json!(classes)), tensor("age", "FP32", &json!(ages)), tensor("sex", "BYTES", &json!(sexes)),
    ]});
    compare(&role, "m", &body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_in_the_message_answers() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("m", models::survival(1)).await;
    let role = environment.serve().await;
    let body = json!({"inputs": passengers()});
    assert_eq!(answer(&role, message("m", &body)).await.model_version, "2");
    let pinned = ModelInferRequest { model_version: "1".into(), ..message("m", &body) };
    let pinned = answer(&role, pinned).await;
    let headers = [("content-type", "application/json")];
    let rest =
        role.call(Method::POST, "/v2/models/m/versions/1/infer", &headers, body.to_string().into_bytes()).await.json();
    assert_eq!(pinned.model_version, "1");
    let labels = &pinned.outputs[0].contents.as_ref().unwrap().bool_contents;
    assert_eq!(json!(labels), rest["outputs"][0]["data"]);
}
