//! The answer to a gRPC inference request: `ModelInferResponse`, with the values of the answer in JSON.

use std::collections::BTreeMap;

use prost::Message;
use trainyard_http::Problem;
use trainyard_http::grpc::Reply;

use super::answer::{OutputTensor, Predictions};
use super::outputs::Selected;
use crate::proto::ModelInferResponse;
use crate::proto::model_infer_response::InferOutputTensor;

/// Writes the selected outputs, either all as binary data or none.
pub(crate) fn write(predictions: Predictions<'_>, id: Option<String>, selected: &[Selected]) -> Result<Reply, Problem> {
    let mut raw_output_contents = Vec::new();
    let output = |selected: &Selected| {
        let tensor = OutputTensor::new(predictions, selected.output);
        let contents = if selected.binary {
            let mut bytes = Vec::new();
            tensor.append_binary(&mut bytes);
            raw_output_contents.push(bytes);
            None
        } else {
            Some(tensor.contents())
        };
        InferOutputTensor {
            name: selected.output.name().to_owned(),
            datatype: tensor.datatype().name().to_owned(),
            shape: tensor.shape().iter().map(|size| i64::try_from(*size).unwrap_or(i64::MAX)).collect(),
            parameters: BTreeMap::new(),
            contents,
        }
    };
    let outputs = selected.iter().map(output).collect();
    let record = &predictions.loaded.record;
    reply(&ModelInferResponse {
        model_name: record.model.clone(),
        model_version: record.version.to_string(),
        id: id.unwrap_or_default(),
        parameters: BTreeMap::new(),
        outputs,
        raw_output_contents,
    })
}

/// The reply with a message.
pub(crate) fn reply(message: &impl Message) -> Result<Reply, Problem> {
    Reply::encode(message.encoded_len(), |body| message.encode(body)).map_err(Problem::internal)
}
