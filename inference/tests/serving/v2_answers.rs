//! The answers of `/v2/models/{model}/infer` have the predictions of `POST /inference`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::models;
use crate::v2_tensors::{bytes_elements, data, infer, infer_binary, passenger_rows, passengers, tensor, with};

/// A probability of `POST /inference`, in the datatype of `predict_proba`.
#[allow(clippy::cast_possible_truncation, reason = "FP32")]
fn fp32(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

fn fp32s(data: &Value) -> Vec<f32> {
    data.as_array().unwrap().iter().map(fp32).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tensors_and_rows_have_the_same_predictions() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    let expected = role.predict(json!({"instances": passenger_rows()})).await.body["predictions"].clone();
    let expected = expected.as_array().unwrap();
    let labels: Vec<_> = expected.iter().map(|row| row["survived"].clone()).collect();
    let share = |row: &Value| row["prob"].as_f64().unwrap();
    let probs: Vec<_> =
        expected.iter().flat_map(|row| [1.0 - share(row), share(row)]).map(|p| fp32(&json!(p))).collect();

    let nested = json!({"name": "age", "shape": [3, 1], "datatype": "FP64", "data": [[29], [40.5], [0.1667]]});
    let flat = json!({"name": "age", "shape": [3, 1], "datatype": "FP32", "data": [29, 40.5, 0.1667]});
    for body in [json!({"inputs": passengers()}), with("age", nested), with("age", flat)] {
        let answer = infer(&role, "m", &body).await;
        assert_eq!(data(&answer, "predict"), json!(labels), "{body}");
        assert_eq!(fp32s(&data(&answer, "predict_proba")), probs, "{body}");
        let answer = answer.json();
        assert_eq!((&answer["model_name"], &answer["model_version"]), (&json!("m"), &json!("1")));
        assert_eq!(answer["outputs"][0]["datatype"], "BOOL");
        assert_eq!((&answer["outputs"][0]["shape"], &answer["outputs"][1]["shape"]), (&json!([3]), &json!([3, 2])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_target_has_its_datatype_and_classes() {
    let environment = Environment::new().await;
    for (name, artifact) in [
        ("sex", models::sex()),
        ("port", models::port()),
        ("stars", models::stars()),
        ("progression", models::progression()),
    ] {
        environment.publish(name, artifact).await;
    }
    let role = environment.serve().await;
    for (model, datatype, classes, row) in [
        ("sex", "BYTES", json!(["male", "female"]), json!({"age": 20, "pclass": 1, "survived": 1})),
        ("port", "BYTES", json!(["C", "Q", "S"]), json!({"sex": "male", "fare": 7.75, "pclass": 3})),
        ("stars", "INT64", json!([1, 2, 3]), json!({"member": true, "joined": "2012-03-04", "city": "Köln"})),
        ("progression", "FP64", Value::Null, json!({"bmi": 30.1, "bp": 90.5, "s5": 4.8})),
    ] {
        let metadata = role.call(Method::GET, &format!("/v2/models/{model}"), &[], vec![]).await.json();
        assert_eq!(metadata["parameters"].get("classes").cloned().unwrap_or_default(), classes, "{metadata}");
        let inputs = metadata["inputs"].as_array().unwrap().iter().map(|input| {
            assert_eq!(input["shape"], json!([-1]), "{metadata}");
            let name = input["name"].as_str().unwrap();
            tensor(name, input["datatype"].as_str().unwrap(), &json!([row[name]]))
        });
        let body = json!({"inputs": inputs.collect::<Vec<_>>()});
        let answer = infer(&role, model, &body).await;
        let expected = role.predict(json!({"model": model, "features": row})).await.body;
        let target = metadata["outputs"][0].clone();
        assert_eq!((&target["name"], &target["datatype"]), (&json!("predict"), &json!(datatype)), "{metadata}");
        let label = &data(&answer, "predict")[0];
        let field = if model == "port" {
            "embarked"
        } else if model == "progression" {
            "target"
        } else {
            model
        };
        assert_eq!(label, &expected[field], "{answer:?} {expected}");
        let Some(classes) = classes.as_array() else {
            assert_eq!(answer.json()["outputs"].as_array().unwrap().len(), 1, "a regression has no probabilities");
            continue;
        };
        assert_eq!(metadata["outputs"][1]["shape"], json!([-1, classes.len()]));
        let shares = classes.iter().map(|class| {
            let name = class.as_str().map_or_else(|| class.to_string(), str::to_owned);
            fp32(&expected["probabilities"][name])
        });
        assert_eq!(fp32s(&data(&answer, "predict_proba")), shares.collect::<Vec<_>>(), "{model}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_values_have_the_meaning_of_inference() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("stars", models::stars()).await;
    let role = environment.serve().await;
    let prob = async |row: Value| fp32(&role.predict(json!({"model": "m", "features": row})).await.body["prob"]);
    let expected = [prob(json!({"sex": "male", "pclass": 1})).await, prob(json!({"age": 3, "pclass": null})).await];
    let binary = [3.0_f32, f32::NAN].map(f32::to_le_bytes).concat();
    let json_request = json!({"inputs": [
        tensor("sex", "BYTES", &json!(["male", null])),
        tensor("age", "FP32", &json!([null, 3])),
        tensor("pclass", "INT8", &json!([1, null])),
    ]});
    let shares = fp32s(&data(&infer(&role, "m", &json_request).await, "predict_proba"));
    assert_eq!([shares[1], shares[3]], expected);
    // The same passengers in another order: NaN is a missing number, and the empty text a missing category.
    let binary_request = json!({"inputs": [
        {"name": "sex", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 12}},
        {"name": "age", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
        tensor("pclass", "INT8", &json!([null, 1])),
    ]});
    let tail = [bytes_elements(&[b"", b"male"]), binary].concat();
    let shares = fp32s(&data(&infer_binary(&role, "m", &binary_request, &tail).await, "predict_proba"));
    assert_eq!([shares[3], shares[1]], expected);

    let nothing = json!({"inputs": [
        tensor("member", "BOOL", &json!([null])), tensor("joined", "BYTES", &json!([""])),
        tensor("city", "BYTES", &json!(["elsewhere"])),
    ]});
    let expected = role.predict(json!({"model": "stars", "features": {"city": "elsewhere"}})).await.body;
    assert_eq!(data(&infer(&role, "stars", &nothing).await, "predict"), json!([expected["stars"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_numbers_takes_one_matrix() {
    let environment = Environment::new().await;
    environment.publish("progression", models::progression()).await;
    let role = environment.serve().await;
    let metadata = role.call(Method::GET, "/v2/models/progression", &[], vec![]).await.json();
    assert_eq!(metadata["parameters"]["matrix_input"], "input");
    let rows = json!([{"bmi": 30.1, "bp": 90.5, "s5": 4.8}, {"bmi": 21.5, "bp": null, "s5": 5.5}]);
    let expected = role.predict(json!({"instances": rows})).await.body;
    let expected = json!([expected["predictions"][0]["target"], expected["predictions"][1]["target"]]);

    let matrix = |name: &str, data: Value| json!({"inputs": [{"name": name, "shape": [2, 3], "datatype": "FP64", "data": data}]});
    for body in [
        matrix("input", json!([[30.1, 90.5, 4.8], [21.5, null, 5.5]])),
        matrix("x", json!([30.1, 90.5, 4.8, 21.5, null, 5.5])),
        matrix("bmi", json!([30.1, 90.5, 4.8, 21.5, null, 5.5])),
    ] {
        assert_eq!(data(&infer(&role, "progression", &body).await, "predict"), expected, "{body}");
    }
    let binary: Vec<u8> =
        [30.1, 90.5, 4.8, 21.5, f64::NAN, 5.5].iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
    let body = json!({"inputs": [{"name": "input", "shape": [2, 3], "datatype": "FP64",
        "parameters": {"binary_data_size": binary.len()}}]});
    assert_eq!(data(&infer_binary(&role, "progression", &body, &binary).await, "predict"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_binary_where_the_request_says_so() {
    let environment = Environment::new().await;
    environment.publish("sex", models::sex()).await;
    let role = environment.serve().await;
    let inputs = json!([
        tensor("age", "FP32", &json!([20, 60])),
        tensor("pclass", "UINT8", &json!([1, 3])),
        tensor("survived", "INT16", &json!([1, 0])),
    ]);
    let plain = infer(&role, "sex", &json!({"inputs": inputs})).await;
    let labels: Vec<String> = serde_json::from_value(data(&plain, "predict")).unwrap();
    let labels: Vec<&[u8]> = labels.iter().map(String::as_bytes).collect();
    let shares: Vec<u8> = fp32s(&data(&plain, "predict_proba")).iter().flat_map(|share| share.to_le_bytes()).collect();

    let both = json!({"id": "b", "inputs": inputs, "parameters": {"binary_data_output": true}});
    let answer = infer(&role, "sex", &both).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/octet-stream"));
    let json_bytes: usize = answer.header("inference-header-content-length").parse().unwrap();
    let (head, tail) = answer.body.split_at(json_bytes);
    let head: Value = serde_json::from_slice(head).unwrap();
    let expected = bytes_elements(&labels);
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], expected.len());
    assert_eq!(head["outputs"][1]["parameters"]["binary_data_size"], shares.len());
    assert!(head["outputs"][0].get("data").is_none() && head["id"] == "b", "{head}");
    assert_eq!(tail, [expected, shares.clone()].concat());

    let one = json!({"inputs": inputs, "outputs": [
        {"name": "predict_proba", "parameters": {"binary_data": true}}, {"name": "predict"}]});
    let answer = infer(&role, "sex", &one).await;
    let json_bytes: usize = answer.header("inference-header-content-length").parse().unwrap();
    assert_eq!(answer.body[json_bytes..], shares);
    let head: Value = serde_json::from_slice(&answer.body[..json_bytes]).unwrap();
    assert_eq!(head["outputs"][1]["data"], data(&plain, "predict"));
    assert_eq!(plain.header("inference-header-content-length"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_has_the_predictions_of_its_rows() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    let role = environment.serve().await;
    const ROWS: usize = 5_000;
    let (sex, age) = (|i: usize| ["female", "male"][i % 2], |i: usize| (i % 160) as f64 / 2.0);
    let sexes: Vec<_> = (0..ROWS).map(sex).collect();
    let ages: Vec<_> = (0..ROWS).map(age).collect();
    let classes: Vec<_> = (0..ROWS).map(|i| i % 3 + 1).collect();
    let body = json!({"inputs": [
        tensor("pclass", "UINT8", &json!(classes)), tensor("age", "FP32", &json!(ages)), tensor("sex", "BYTES", &json!(sexes)),
    ]});
    let shares = fp32s(&data(&infer(&role, "m", &body).await, "predict_proba"));
    let rows: Vec<_> = (0..ROWS).map(|i| json!({"sex": sex(i), "age": age(i), "pclass": i % 3 + 1})).collect();
    let expected = role.predict(json!({"instances": rows})).await.body;
    for (i, row) in expected["predictions"].as_array().unwrap().iter().enumerate() {
        assert_eq!(shares[2 * i + 1], fp32(&row["prob"]), "row {i}");
    }
}
