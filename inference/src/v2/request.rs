//! The JSON of an inference request. It borrows names and texts from the body.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Number;

use super::parameters::Parameters;
use super::tensor_data::TensorData;

/// An inference request.
#[derive(Debug, Deserialize)]
pub(crate) struct InferRequest<'a> {
    /// Returned in the answer.
    pub(crate) id: Option<String>,
    /// The parameters of the request.
    pub(crate) parameters: Option<Parameters>,
    /// The input tensors.
    #[serde(borrow)]
    pub(crate) inputs: Vec<JsonTensor<'a>>,
    /// The requested outputs; all if it is absent or empty.
    #[serde(borrow)]
    pub(crate) outputs: Option<Vec<RequestedOutput<'a>>>,
}

/// An input tensor in JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct JsonTensor<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    /// Numbers, because a dimension that is no `u64` is refused with the name of the tensor.
    pub(crate) shape: Vec<Number>,
    #[serde(borrow)]
    pub(crate) datatype: Cow<'a, str>,
    pub(crate) parameters: Option<Parameters>,
    /// The elements, unless they are binary data.
    #[serde(borrow)]
    pub(crate) data: Option<TensorData<'a>>,
}

/// A requested output.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestedOutput<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    pub(crate) parameters: Option<Parameters>,
}
