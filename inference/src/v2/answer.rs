//! The answer to an inference request: JSON, followed by the binary data of the outputs that asked for it; or the message of
//! [`super::message_answer`].

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use trainyard_http::grpc::Reply;

use super::binary;
use super::datatype::Datatype;
use super::outputs::{Output, Selected};
use super::target::Target;
use super::tensor_body::JSON_LENGTH;
use crate::loaded_model::LoadedModel;
use crate::proto::InferTensorContents;

/// An answer, in the form of its request.
#[derive(Debug)]
pub(crate) enum InferAnswer {
    /// Over REST.
    Json {
        /// The JSON, and the binary data.
        body: Vec<u8>,
        /// The length of the JSON if binary data follows it.
        json_bytes: Option<usize>,
    },
    /// Over gRPC.
    Message(Reply),
}

impl IntoResponse for InferAnswer {
    fn into_response(self) -> Response {
        let (body, json_bytes) = match self {
            Self::Json { body, json_bytes } => (body, json_bytes),
            Self::Message(reply) => return reply.into_response(),
        };
        let content_type = match json_bytes {
            None => "application/json",
            Some(_) => "application/octet-stream",
        };
        let mut response = ([(CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response();
        if let Some(length) = json_bytes {
            response.headers_mut().insert(JSON_LENGTH, length.into());
        }
        response
    }
}

/// The predictions of a request.
#[derive(Clone, Copy)]
pub(crate) struct Predictions<'a> {
    /// The model.
    pub(crate) loaded: &'a LoadedModel,
    /// [`trainyard_ml::model::Task::outputs`] numbers per row.
    pub(crate) outputs: &'a [f64],
}

/// Writes the selected outputs as JSON.
pub(crate) fn write(
    predictions: Predictions<'_>,
    id: Option<&str>,
    selected: &[Selected],
) -> serde_json::Result<InferAnswer> {
    let mut tail = Vec::new();
    let tensor = |selected: &Selected| {
        let start = tail.len();
        let tensor = OutputTensor::new(predictions, selected.output);
        if !selected.binary {
            return tensor;
        }
        tensor.append_binary(&mut tail);
        OutputTensor { binary_bytes: Some(tail.len() - start), ..tensor }
    };
    let outputs: Vec<_> = selected.iter().map(tensor).collect();
    let record = &predictions.loaded.record;
    let answer =
        Answer { model_name: &record.model, model_version: Text(record.version), id, outputs: outputs.as_slice() };
    let mut body = serde_json::to_vec(&answer)?;
    let json_bytes = selected.iter().any(|selected| selected.binary).then_some(body.len());
    body.append(&mut tail);
    Ok(InferAnswer::Json { body, json_bytes })
}

#[derive(Serialize)]
struct Answer<'a> {
    model_name: &'a str,
    model_version: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: &'a [OutputTensor<'a>],
}

/// A number as a string.
struct Text(i64);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An output of the predictions.
pub(super) struct OutputTensor<'a> {
    predictions: Predictions<'a>,
    output: Output,
    /// The size of the binary data; `None` if the elements are in the JSON.
    binary_bytes: Option<usize>,
}

impl<'a> OutputTensor<'a> {
    /// An output whose elements are in the JSON.
    pub(super) fn new(predictions: Predictions<'a>, output: Output) -> Self {
        Self { predictions, output, binary_bytes: None }
    }

    /// The datatype of the elements.
    pub(super) fn datatype(&self) -> Datatype {
        match self.output {
            Output::Predict => self.target().datatype(),
            Output::PredictProba => Datatype::Fp32,
        }
    }

    /// The dimensions.
    pub(super) fn shape(&self) -> Vec<usize> {
        match self.output {
            Output::Predict => vec![self.row_count()],
            Output::PredictProba => vec![self.row_count(), self.target().class_count()],
        }
    }

    /// The elements in the field of their datatype.
    pub(super) fn contents(&self) -> InferTensorContents {
        let mut contents = InferTensorContents::default();
        match (self.output, self.target()) {
            (Output::PredictProba, _) => contents.fp32_contents = self.probabilities().collect(),
            (Output::Predict, Target::Booleans(classes)) => {
                contents.bool_contents = self.classes().map(|class| classes[class]).collect();
            }
            (Output::Predict, Target::Integers(classes)) => {
                contents.int64_contents = self.classes().map(|class| classes[class]).collect();
            }
            (Output::Predict, Target::Numbers(classes)) => {
                contents.fp64_contents = self.classes().map(|class| classes[class]).collect();
            }
            (Output::Predict, Target::Texts(classes)) => {
                contents.bytes_contents = self.classes().map(|class| classes[class].clone().into_bytes()).collect();
            }
            (Output::Predict, Target::Regression) => contents.fp64_contents = self.predictions.outputs.to_vec(),
        }
        contents
    }

    fn target(&self) -> &Target {
        &self.predictions.loaded.target
    }

    fn per_row(&self) -> usize {
        self.predictions.loaded.predictor.signature().task.outputs()
    }

    fn row_count(&self) -> usize {
        self.predictions.outputs.len() / self.per_row()
    }

    /// The class of each row.
    fn classes(&self) -> impl Iterator<Item = usize> {
        let task = &self.predictions.loaded.predictor.signature().task;
        self.predictions.outputs.chunks_exact(self.per_row()).map(|outputs| task.predicted_class(outputs))
    }

    /// The probabilities of all classes, row by row.
    #[allow(clippy::cast_possible_truncation, reason = "the output has the datatype FP32")]
    fn probabilities(&self) -> impl Iterator<Item = f32> {
        let of_two = self.per_row() == 1;
        self.predictions.outputs.iter().flat_map(move |output| {
            let complement = of_two.then_some((1.0 - output) as f32);
            complement.into_iter().chain([*output as f32])
        })
    }

    /// Appends the elements as binary data.
    pub(super) fn append_binary(&self, bytes: &mut Vec<u8>) {
        match (self.output, self.target()) {
            (Output::PredictProba, _) => self.probabilities().for_each(|value| bytes.extend(value.to_le_bytes())),
            (Output::Predict, Target::Booleans(classes)) => {
                bytes.extend(self.classes().map(|class| u8::from(classes[class])));
            }
            (Output::Predict, Target::Integers(classes)) => {
                self.classes().for_each(|class| bytes.extend(classes[class].to_le_bytes()));
            }
            (Output::Predict, Target::Numbers(classes)) => {
                self.classes().for_each(|class| bytes.extend(classes[class].to_le_bytes()));
            }
            (Output::Predict, Target::Texts(classes)) => {
                self.classes().for_each(|class| binary::append_text(&classes[class], bytes));
            }
            (Output::Predict, Target::Regression) => {
                self.predictions.outputs.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
            }
        }
    }
}

impl Serialize for OutputTensor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tensor = serializer.serialize_struct("OutputTensor", 4)?;
        tensor.serialize_field("name", self.output.name())?;
        tensor.serialize_field("datatype", self.datatype().name())?;
        tensor.serialize_field("shape", &self.shape())?;
        match self.binary_bytes {
            Some(binary_data_size) => tensor.serialize_field("parameters", &BinarySize { binary_data_size })?,
            None => tensor.serialize_field("data", &Data(self))?,
        }
        tensor.end()
    }
}

#[derive(Serialize)]
struct BinarySize {
    binary_data_size: usize,
}

struct Data<'a>(&'a OutputTensor<'a>);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tensor = self.0;
        match (tensor.output, tensor.target()) {
            (Output::PredictProba, _) => serializer.collect_seq(tensor.probabilities()),
            (Output::Predict, Target::Booleans(classes)) => {
                serializer.collect_seq(tensor.classes().map(|class| classes[class]))
            }
            (Output::Predict, Target::Integers(classes)) => {
                serializer.collect_seq(tensor.classes().map(|class| classes[class]))
            }
            (Output::Predict, Target::Numbers(classes)) => {
                serializer.collect_seq(tensor.classes().map(|class| classes[class]))
            }
            (Output::Predict, Target::Texts(classes)) => {
                serializer.collect_seq(tensor.classes().map(|class| classes[class].as_str()))
            }
            (Output::Predict, Target::Regression) => serializer.collect_seq(tensor.predictions.outputs),
        }
    }
}
