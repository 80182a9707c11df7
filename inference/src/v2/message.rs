//! The message of a gRPC inference request: `ModelInferRequest`.
//!
//! The fields are read in place, and the tensors one after the other. So a message of many empty tensors takes no more memory
//! than its bytes, as a body in JSON.

use std::collections::BTreeMap;

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use trainyard_http::Problem;

use super::contents;
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
    let tensors = values(message, INPUTS).map(|tensor| input(tensor, raw.next()));
    let inputs = inputs::read(loaded.predictor.signature(), tensors, &[], max_rows)?;
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

fn input<'a>(tensor: &[u8], raw: Option<&'a [u8]>) -> Result<InputTensor<'a>, Problem> {
    let InferInputTensor { name, datatype, shape, parameters, contents } =
        InferInputTensor::decode(tensor).map_err(|error| unreadable(&error))?;
    let data = match (raw, contents) {
        (Some(_), Some(contents)) if !contents::is_empty(&contents) => {
            let name = trainyard_domain::shown(&name);
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
    let InferRequestedOutputTensor { name, parameters } =
        InferRequestedOutputTensor::decode(requested).map_err(|error| unreadable(&error))?;
    let parameters = Parameters { unsupported: unsupported(&parameters), ..Parameters::default() };
    Ok(RequestedOutput { name: name.into(), parameters: Some(parameters) })
}

fn unsupported(parameters: &BTreeMap<String, InferParameter>) -> Option<&'static str> {
    UNSUPPORTED.into_iter().find(|name| parameters.contains_key(*name))
}

/// The length-delimited fields of a message in their order, by number: texts, bytes and messages. Others are skipped.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, Problem> {
        while !self.0.is_empty() {
            let (number, wire_type) = decode_key(&mut self.0).map_err(|error| unreadable(&error))?;
            if wire_type != WireType::LengthDelimited {
                skip_field(wire_type, number, &mut self.0, DecodeContext::default())
                    .map_err(|error| unreadable(&error))?;
                continue;
            }
            let length = decode_varint(&mut self.0).map_err(|error| unreadable(&error))?;
            let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
            let Some((value, rest)) = split else {
                let left = self.0.len();
                return Err(unreadable(&format_args!(
                    "the field {number} has {length} bytes, but the message has only {left} bytes left"
                )));
            };
            self.0 = rest;
            return Ok(Some((number, value)));
        }
        Ok(None)
    }
}

fn text<'a>(field: &str, value: &'a [u8]) -> Result<&'a str, Problem> {
    std::str::from_utf8(value).map_err(|error| refusal(format!("{field} is not UTF-8: {error}")))
}

/// The problem of a message that is no valid protobuf.
pub(crate) fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    refusal(format!("the message can't be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ModelInferRequest;

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
