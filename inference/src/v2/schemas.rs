//! The schemas of requests and of inference answers for the OpenAPI document. [`super::request`] and [`super::answer`] read
//! and write the bodies.

#![allow(dead_code, reason = "only used to generate schemas")]

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainyard_http::schema::any_of_types;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An inference request. With binary data, the body contains this object and then the binary data of the inputs.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2InferRequest, example = json!({"inputs": [
    {"name": "sex", "shape": [2], "datatype": "BYTES", "data": ["female", "male"]},
    {"name": "age", "shape": [2], "datatype": "FP32", "data": [29, null]},
    {"name": "pclass", "shape": [2], "datatype": "INT64", "data": [1, 3]}]}))]
pub(crate) struct InferRequestBody {
    /// Returned in the answer.
    id: Option<String>,
    /// `binary_data_output`: whether outputs are answered as binary data by default. Other parameters are ignored.
    parameters: Option<HashMap<String, ParameterValue>>,
    /// One tensor per feature, or one matrix for a model whose features are all numbers.
    inputs: Vec<InputBody>,
    /// The outputs to answer; all if it is absent or empty.
    outputs: Option<Vec<OutputBody>>,
}

/// An input tensor.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2InputTensor)]
pub(crate) struct InputBody {
    /// The name of a feature.
    name: String,
    /// `[n]` or `[n, 1]`; `[n, features]` for a matrix.
    shape: Vec<u64>,
    /// BYTES for categories and dates, BOOL for booleans, any datatype of numbers for numbers.
    datatype: String,
    /// `binary_data_size`: the size of the binary data in bytes, instead of `data`.
    parameters: Option<HashMap<String, ParameterValue>>,
    /// The elements in row-major order, flat or in nested lists of the shape. `null` is a missing value.
    data: Option<Vec<Value>>,
}

/// A requested output.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2RequestedOutput)]
pub(crate) struct OutputBody {
    /// `predict` or `predict_proba`.
    name: String,
    /// `binary_data`: whether the output is answered as binary data.
    parameters: Option<HashMap<String, ParameterValue>>,
}

/// An inference answer. With binary data, the body contains this object and then the binary data of the outputs.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2InferAnswer)]
pub(crate) struct InferAnswerBody {
    /// The model.
    #[schema(example = "titanic-rf")]
    model_name: String,
    /// The version that predicted.
    #[schema(example = "3")]
    model_version: String,
    /// The id of the request, if it has one.
    #[schema(nullable = false)]
    id: Option<String>,
    /// The output tensors.
    outputs: Vec<OutputAnswer>,
}

/// An output tensor.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2OutputTensor)]
pub(crate) struct OutputAnswer {
    /// `predict` or `predict_proba`.
    name: String,
    /// The datatype.
    datatype: String,
    /// The shape.
    shape: Vec<u64>,
    /// The size of the binary data, if the output is answered as binary data.
    #[schema(nullable = false)]
    parameters: Option<BinaryDataSize>,
    /// The elements in row-major order, unless the output is answered as binary data.
    #[schema(nullable = false)]
    data: Option<Vec<ParameterValue>>,
}

/// The size of binary data.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2BinaryDataSize)]
pub(crate) struct BinaryDataSize {
    /// In bytes.
    binary_data_size: u64,
}

/// The request of the repository index.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2IndexRequest)]
pub(crate) struct IndexBody {
    /// Whether only loaded versions are listed.
    ready: Option<bool>,
}

/// The request of load and of unload.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2LoadRequest, example = json!({"parameters": {"version": 2}}))]
pub(crate) struct LoadBody {
    /// `version`: a version instead of all. `unload_dependents` has no effect.
    parameters: Option<LoadParametersBody>,
}

/// The parameters of load and of unload.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = V2LoadParameters)]
pub(crate) struct LoadParametersBody {
    /// The number of a version.
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// Has no effect.
    unload_dependents: Option<bool>,
}

/// The value of a parameter or of an element.
#[derive(Serialize, Deserialize)]
pub(crate) struct ParameterValue;

impl PartialSchema for ParameterValue {
    fn schema() -> RefOr<Schema> {
        any_of_types([Type::String, Type::Number, Type::Boolean], "A string, a number or a boolean.")
    }
}

impl ToSchema for ParameterValue {
    fn name() -> std::borrow::Cow<'static, str> {
        "V2Parameter".into()
    }
}
