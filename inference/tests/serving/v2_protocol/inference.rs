//! The sentences about inference requests.

use serde_json::{Value, json};

use super::Demand::{Absent, Is, Length, Text};
use super::{Check, INFER, POST, hold};
use crate::v2_tensors::{passengers, tensor};

#[tokio::test(flavor = "multi_thread")]
async fn inference_follows_the_text() {
    let inputs = passengers();
    let with = |further: Value| {
        let mut body = json!({"inputs": inputs});
        body.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        body
    };
    let two = |shape: Value, data: Value| {
        json!({"inputs": [
            {"name": "sex", "shape": shape, "datatype": "BYTES", "data": data},
            tensor("age", "FP32", &json!([1, 2])), tensor("pclass", "UINT8", &json!([1, 2])),
        ]})
    };
    let parameters = json!({"parameters": {"sequence_id": 3, "priority": 0.5, "x": "y", "z": true}});
    let matrix = |datatype: &str, data: Value| json!({"inputs": [{"name": "input", "shape": [2, 3], "datatype": datatype, "data": data}]});
    let checks = vec![
        Check("the id must be returned", POST, INFER, with(json!({"id": "42"})), 200, vec![("/id", Is(json!("42")))]),
        Check("the id is optional", POST, INFER, with(json!({})), 200, vec![("/id", Absent)]),
        Check("an empty id is an id", POST, INFER, with(json!({"id": ""})), 200, vec![("/id", Is(json!("")))]),
        Check(
            "the answer names model and version",
            POST,
            INFER,
            with(json!({})),
            200,
            vec![("/model_name", Is(json!("m"))), ("/model_version", Is(json!("1")))],
        ),
        Check(
            "the version may be in the path",
            POST,
            "/v2/models/m/versions/1/infer",
            with(json!({})),
            200,
            vec![("/model_version", Is(json!("1")))],
        ),
        Check(
            "without outputs all are returned",
            POST,
            INFER,
            with(json!({})),
            200,
            vec![
                ("/outputs/0/name", Is(json!("predict"))),
                ("/outputs/1/name", Is(json!("predict_proba"))),
                ("/outputs", Length(2)),
            ],
        ),
        Check(
            "only requested outputs are returned",
            POST,
            INFER,
            with(json!({"outputs": [{"name": "predict"}]})),
            200,
            vec![("/outputs", Length(1)), ("/outputs/0/name", Is(json!("predict")))],
        ),
        Check(
            "outputs have the requested order",
            POST,
            INFER,
            with(json!({"outputs": [{"name": "predict_proba"}, {"name": "predict", "parameters": {}}]})),
            200,
            vec![("/outputs/0/name", Is(json!("predict_proba"))), ("/outputs/1/name", Is(json!("predict")))],
        ),
        Check(
            "an output has shape, datatype and data",
            POST,
            INFER,
            with(json!({})),
            200,
            vec![
                ("/outputs/1/shape", Is(json!([3, 2]))),
                ("/outputs/1/datatype", Is(json!("FP32"))),
                ("/outputs/1/data", Length(6)),
            ],
        ),
        Check(
            "outputs without binary data have no binary_data_size",
            POST,
            INFER,
            with(json!({})),
            200,
            vec![("/outputs/0/parameters", Absent)],
        ),
        Check(
            "parameters are strings, numbers and booleans",
            POST,
            INFER,
            with(parameters),
            200,
            vec![("/outputs", Length(2))],
        ),
        Check(
            "parameters are no lists",
            POST,
            INFER,
            with(json!({"parameters": {"x": [1]}})),
            400,
            vec![("/error", Text)],
        ),
        Check(
            "unknown fields are ignored",
            POST,
            INFER,
            with(json!({"model_name": "m"})),
            200,
            vec![("/outputs", Length(2))],
        ),
        Check(
            "data may be flat for any shape",
            POST,
            INFER,
            two(json!([2, 1]), json!(["male", "female"])),
            200,
            vec![("/outputs/0/data", Length(2))],
        ),
        Check(
            "data may be nested in the shape",
            POST,
            INFER,
            two(json!([2, 1]), json!([["male"], ["female"]])),
            200,
            vec![("/outputs/0/data", Length(2))],
        ),
        Check(
            "data is in row-major order",
            POST,
            "/v2/models/progression/infer",
            matrix("FP64", json!([30, 90, 4.8, 20, 80, 4])),
            200,
            vec![("/outputs/0/shape", Is(json!([2])))],
        ),
        Check(
            "integers are numbers",
            POST,
            "/v2/models/progression/infer",
            matrix("INT32", json!([30, 90, 5, 20, 80, 4])),
            200,
            vec![("/outputs/0/datatype", Is(json!("FP64")))],
        ),
        Check("`inputs` is required", POST, INFER, json!({"id": "1"}), 400, vec![("/error", Text)]),
        Check(
            "each dimension is a whole number",
            POST,
            INFER,
            two(json!([-2]), json!(["male", "female"])),
            400,
            vec![("/error", Text)],
        ),
        Check(
            "data has as many elements as the shape",
            POST,
            INFER,
            two(json!([2]), json!(["male"])),
            400,
            vec![("/error", Text)],
        ),
        Check("an unknown model is an error", POST, "/v2/models/x/infer", with(json!({})), 404, vec![("/error", Text)]),
        Check(
            "an error object has only `error`",
            POST,
            INFER,
            json!({}),
            400,
            vec![("/error", Text), ("/detail", Absent)],
        ),
    ];
    assert_eq!(hold(checks).await, 22);
}
