//! An input tensor, in the form that JSON and gRPC requests share.

use std::borrow::Cow;

use serde_json::Number;

use super::request::JsonTensor;
use super::tensor_data::TensorData;
use crate::proto::InferTensorContents;

/// An input tensor before its checks.
#[derive(Debug)]
pub(crate) struct InputTensor<'a> {
    /// The name.
    pub(crate) name: Cow<'a, str>,
    /// The name of the datatype.
    pub(crate) datatype: Cow<'a, str>,
    /// The dimensions; `None` is no whole number of 0 or more.
    pub(crate) shape: Vec<Option<u64>>,
    /// The first parameter that is not supported.
    pub(crate) unsupported: Option<&'static str>,
    /// The elements.
    pub(crate) data: Data<'a>,
}

/// The elements of an input tensor.
#[derive(Debug)]
pub(crate) enum Data<'a> {
    /// Missing.
    Absent,
    /// Both in JSON and as binary data.
    Twice,
    /// In JSON.
    Json(TensorData<'a>),
    /// The next bytes of the binary data after the JSON: this number.
    Binary(u64),
    /// An entry of `raw_input_contents`.
    Raw(&'a [u8]),
    /// The typed fields of a gRPC request.
    Contents(InferTensorContents),
}

impl<'a> From<JsonTensor<'a>> for InputTensor<'a> {
    fn from(JsonTensor { name, shape, datatype, parameters, data }: JsonTensor<'a>) -> Self {
        let parameters = parameters.unwrap_or_default();
        let data = match (data, parameters.binary_data_size) {
            (Some(_), Some(_)) => Data::Twice,
            (Some(data), None) => Data::Json(data),
            (None, Some(size)) => Data::Binary(size),
            (None, None) => Data::Absent,
        };
        let shape = shape.iter().map(Number::as_u64).collect();
        Self { name, datatype, shape, unsupported: parameters.unsupported, data }
    }
}
