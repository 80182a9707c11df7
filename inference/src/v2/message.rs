//! The message of a gRPC inference request: `ModelInferRequest`.
//!
//! The fields are read in place, and the tensors one after the other. So a message of many empty tensors takes no more memory
//! than its bytes. Decoded contents take several times the memory of the encoded contents: an empty text of two bytes becomes 24
//! bytes. So the elements are counted before they are decoded, and a tensor with more elements than the largest request is
//! refused.

use std::collections::BTreeMap;

use prost::Message;
use trainyard_domain::shown;
use trainyard_http::Problem;

use super::contents;
use super::fields::{Fields, unreadable, varints};
use super::infer::ValidRequest;
use super::input_tensor::{Data, InputTensor};
use super::inputs;
use super::outputs;
use super::parameters::{Parameters, UNSUPPORTED};
use super::refusal;
use super::request::RequestedOutput;
use crate::loaded_model::LoadedModel;
use crate::proto::InferParameter;
use crate::proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};

/// The numbers of the fields.
const MODEL_NAME: u32 = 1;
const MODEL_VERSION: u32 = 2;
const ID: u32 = 3;
const INPUTS: u32 = 5;
const OUTPUTS: u32 = 6;
const RAW_INPUT_CONTENTS: u32 = 7;
/// The field numbers of an input tensor.
const TENSOR_NAME: u32 = 1;
const SHAPE: u32 = 3;
const PARAMETERS: u32 = 4;
const CONTENTS: u32 = 5;
/// The field number of the parameters of a requested output.
const OUTPUT_PARAMETERS: u32 = 2;

/// Maximum number of dimensions of a shape. The check of the decoded tensor refuses more than two, with a better message.
const MAX_DIMENSIONS: usize = 32;
/// Maximum number of parameters of a tensor or of a requested output.
const MAX_PARAMETERS: usize = 64;

/// The name of the model and the number of its version in a message; empty if they are absent.
pub(crate) fn model(message: &[u8]) -> Result<(&str, &str), Problem> {
    let (mut name, mut version) = ("", "");
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            MODEL_NAME => name = text("model_name", value)?,
            MODEL_VERSION => version = text("model_version", value)?,
            _ => {}
        }
    }
    Ok((name, version))
}

/// Reads a message for the model.
pub(crate) fn read<'a>(loaded: &LoadedModel, message: &'a [u8], max_rows: usize) -> Result<ValidRequest<'a>, Problem> {
    let (mut id, mut input_count, mut raw_count) = ("", 0, 0);
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            ID => id = text("id", value)?,
            INPUTS => input_count += 1,
            RAW_INPUT_CONTENTS => raw_count += 1,
            _ => {}
        }
    }
    if raw_count > 0 && raw_count != input_count {
        return Err(refusal(format!(
            "raw_input_contents has {raw_count} entries for {input_count} inputs; send one for each input, or contents in \
             each input"
        )));
    }
    // Answers have the form of the request.
    let parameters = Parameters { binary_data_output: Some(raw_count > 0), ..Parameters::default() };
    let outputs = outputs::select(&loaded.target, values(message, OUTPUTS).map(output), parameters)?;
    let mut raw = values(message, RAW_INPUT_CONTENTS);
    let signature = loaded.predictor.signature();
    let limits = Limits { rows: max_rows, features: signature.features.len() };
    let tensors = values(message, INPUTS).map(|tensor| {
        limits.check(tensor)?;
        input(tensor, raw.next())
    });
    let inputs = inputs::read(signature, tensors, &[], max_rows)?;
    Ok(ValidRequest { id: Some(id.to_owned()).filter(|id| !id.is_empty()), inputs, outputs })
}

/// The values of a field in a message that has been read before.
fn values(message: &[u8], field: u32) -> impl Iterator<Item = &[u8]> {
    let mut fields = Fields(message);
    std::iter::from_fn(move || {
        loop {
            let (number, value) = fields.next().ok().flatten()?;
            if number == field {
                return Some(value);
            }
        }
    })
}

/// The largest request of a model.
struct Limits {
    rows: usize,
    features: usize,
}

impl Limits {
    /// Refuses an encoded tensor that has more elements than the largest request. Allocates nothing.
    fn check(&self, tensor: &[u8]) -> Result<(), Problem> {
        let (mut dimensions, mut parameters, mut numbers, mut texts) = (0, 0, 0, 0);
        let mut fields = Fields(tensor);
        while let Some((field, value)) = fields.next_of_any_type()? {
            match (field, value) {
                (SHAPE, value) => dimensions += value.map_or(1, varints),
                (PARAMETERS, _) => parameters += 1,
                (CONTENTS, Some(contents)) => {
                    let count = contents::count(contents)?;
                    numbers += count.numbers;
                    texts += count.texts;
                }
                _ => {}
            }
        }
        let Self { rows, features } = *self;
        let reason = if dimensions > MAX_DIMENSIONS {
            format!("has a shape with {dimensions} dimensions, but at most {MAX_DIMENSIONS} are possible")
        } else if parameters > MAX_PARAMETERS {
            format!("has {parameters} parameters, but at most {MAX_PARAMETERS} are possible")
        } else if texts > rows {
            format!("must have at most {rows} rows, but has {texts}")
        } else if numbers > rows.saturating_mul(features.max(1)) {
            format!("must have at most {rows} rows, but has {numbers} elements for {features} features")
        } else {
            return Ok(());
        };
        let name = values(tensor, TENSOR_NAME).last().unwrap_or_default();
        Err(refusal(format!("the input '{}' {reason}", shown(&String::from_utf8_lossy(name)))))
    }
}

fn input<'a>(tensor: &[u8], raw: Option<&'a [u8]>) -> Result<InputTensor<'a>, Problem> {
    let InferInputTensor { name, datatype, shape, parameters, contents } =
        InferInputTensor::decode(tensor).map_err(|error| unreadable(&error))?;
    let data = match (raw, contents) {
        (Some(_), Some(contents)) if !contents::is_empty(&contents) => {
            let name = shown(&name);
            return Err(refusal(format!(
                "the input '{name}' has both contents and raw_input_contents; send one of them"
            )));
        }
        (Some(raw), _) => Data::Raw(raw),
        (None, contents) => Data::Contents(contents.unwrap_or_default()),
    };
    let shape = shape.into_iter().map(|dimension| u64::try_from(dimension).ok()).collect();
    Ok(InputTensor { name: name.into(), datatype: datatype.into(), shape, unsupported: unsupported(&parameters), data })
}

fn output(requested: &[u8]) -> Result<RequestedOutput<'static>, Problem> {
    if values(requested, OUTPUT_PARAMETERS).nth(MAX_PARAMETERS).is_some() {
        return Err(refusal(format!("a requested output has more than {MAX_PARAMETERS} parameters")));
    }
    let InferRequestedOutputTensor { name, parameters } =
        InferRequestedOutputTensor::decode(requested).map_err(|error| unreadable(&error))?;
    let parameters = Parameters { unsupported: unsupported(&parameters), ..Parameters::default() };
    Ok(RequestedOutput { name: name.into(), parameters: Some(parameters) })
}

fn unsupported(parameters: &BTreeMap<String, InferParameter>) -> Option<&'static str> {
    UNSUPPORTED.into_iter().find(|name| parameters.contains_key(*name))
}

fn text<'a>(field: &str, value: &'a [u8]) -> Result<&'a str, Problem> {
    std::str::from_utf8(value).map_err(|error| refusal(format!("{field} is not UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{InferTensorContents, ModelInferRequest};

    fn refused(message: &[u8]) -> String {
        model(message).unwrap_err().detail().to_owned()
    }

    #[test]
    fn the_model_is_read_without_the_tensors() {
        let request = ModelInferRequest {
            model_name: "titanic".into(),
            model_version: "3".into(),
            inputs: vec![InferInputTensor { name: "age".into(), ..Default::default() }; 2],
            raw_input_contents: vec![vec![1, 2], vec![]],
            ..Default::default()
        };
        let mut message = request.encode_to_vec();
        assert_eq!(model(&message).unwrap(), ("titanic", "3"));
        assert_eq!(values(&message, RAW_INPUT_CONTENTS).collect::<Vec<_>>(), [&[1, 2][..], &[]]);
        assert_eq!(values(&message, INPUTS).count(), 2);
        // An unknown field with a varint, and the name again: the last one counts.
        message.extend([0xf8, 0x01, 0x05, 0x0a, 0x01, b'm']);
        assert_eq!(model(&message).unwrap(), ("m", "3"));
        assert_eq!(model(&[]).unwrap(), ("", ""));
    }

    #[test]
    fn a_tensor_with_more_elements_than_the_largest_request_is_refused_before_it_is_decoded() {
        let limits = Limits { rows: 3, features: 2 };
        let tensor = |contents: InferTensorContents| InferInputTensor {
            name: "age".into(),
            shape: vec![3, 2],
            contents: Some(contents),
            ..Default::default()
        };
        let none = InferTensorContents::default;
        let check = |tensor: InferInputTensor| {
            limits.check(&tensor.encode_to_vec()).map_err(|problem| problem.detail().to_owned())
        };
        for (count, fits) in [(6, true), (7, false)] {
            for contents in [
                InferTensorContents { bool_contents: vec![true; count], ..none() },
                InferTensorContents { int_contents: vec![-1; count], ..none() },
                InferTensorContents { uint64_contents: vec![300; count], ..none() },
                InferTensorContents { fp32_contents: vec![0.5; count], ..none() },
                InferTensorContents { fp64_contents: vec![0.5; count], ..none() },
            ] {
                assert_eq!(check(tensor(contents.clone())).is_ok(), fits, "{contents:?}");
            }
        }
        let numbers = check(tensor(InferTensorContents { fp32_contents: vec![0.5; 7], ..none() })).unwrap_err();
        assert_eq!(numbers, "the input 'age' must have at most 3 rows, but has 7 elements for 2 features");
        let texts = |count| check(tensor(InferTensorContents { bytes_contents: vec![vec![]; count], ..none() }));
        assert_eq!((texts(3), texts(4).unwrap_err().contains("at most 3 rows, but has 4")), (Ok(()), true));
        // Protobuf merges contents in several parts, and elements need not be packed: three and four integers.
        let parts = [&[0x2a, 6, 0x10, 1, 0x10, 1, 0x10, 1][..], &[0x2a, 7, 0x12, 5, 1, 1, 0x85, 1, 1]].concat();
        assert!(limits.check(&parts[..8]).is_ok());
        assert!(limits.check(&parts).unwrap_err().detail().contains("7 elements"));
        let dimensions = check(InferInputTensor { shape: vec![1; 33], ..Default::default() }).unwrap_err();
        assert!(dimensions.contains("33 dimensions"), "{dimensions}");
        let parameters = (0..65).map(|index| (index.to_string(), InferParameter::default())).collect();
        let parameters = check(InferInputTensor { parameters, ..Default::default() }).unwrap_err();
        assert!(parameters.contains("65 parameters"), "{parameters}");
    }

    #[test]
    fn broken_messages_are_refused() {
        for (message, part) in [
            (&[0x0a, 0x05, b'm'][..], "the field 1 has 5 bytes, but the message has only 1 bytes left"),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "bytes left"),
            (&[0x0a], "the message can't be read"),
            (&[0x00], "the message can't be read"),
            (&[0x0f], "the message can't be read"),
            (&[0x0a, 0x01, 0xff], "model_name is not UTF-8"),
            (&[0x12, 0x01, 0xff], "model_version is not UTF-8"),
        ] {
            let found = refused(message);
            assert!(found.contains(part), "{message:?}: {found}");
        }
    }
}
