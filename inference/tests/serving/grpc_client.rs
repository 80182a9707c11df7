//! A gRPC client: tonic's, and plain HTTP/2 for calls that tonic would not send.

use http::uri::PathAndQuery;
use prost::Message;
use serde_json::Value;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use trainyard_inference::proto::infer_parameter::ParameterChoice;
use trainyard_inference::proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use trainyard_inference::proto::{InferParameter, InferTensorContents, ModelInferRequest};

use crate::answer::RawAnswer;
use crate::environment::RunningRole;

/// The path of a method of the Open Inference Protocol.
pub(crate) fn path(method: &str) -> String {
    format!("/inference.GRPCInferenceService/{method}")
}

/// The client of a new connection.
pub(crate) async fn connect(role: &RunningRole) -> Grpc<Channel> {
    let channel = Endpoint::from_shared(role.grpc_url.clone()).unwrap().connect().await.unwrap();
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    client
}

/// Calls a method of the protocol as the user of the environment.
pub(crate) async fn call<Q, A>(role: &RunningRole, method: &str, request: Q) -> Result<A, Status>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    let authorization = format!("Bearer {}", role.token);
    call_with(role, method, request, &[("authorization", authorization.as_str())]).await
}

/// Calls a method of the protocol with this metadata.
pub(crate) async fn call_with<Q, A>(
    role: &RunningRole,
    method: &str,
    request: Q,
    metadata: &[(&'static str, &str)],
) -> Result<A, Status>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    let mut request = Request::new(request);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, MetadataValue::try_from(*value).unwrap());
    }
    let path = PathAndQuery::try_from(path(method)).unwrap();
    let answer = connect(role).await.unary(request, path, ProstCodec::<Q, A>::default()).await;
    answer.map(tonic::Response::into_inner)
}

/// The body of a call with this message.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// Posts any body over HTTP/2 as a gRPC call of the user, or with the `authorization` in `headers`.
pub(crate) async fn post(
    role: &RunningRole,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> RawAnswer {
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let mut request = http.post(format!("{}{path}", role.grpc_url)).header("te", "trailers").body(body);
    let authorization = format!("Bearer {}", role.token);
    for (name, value) in [("content-type", "application/grpc"), ("authorization", authorization.as_str())] {
        if !headers.iter().any(|(given, _)| *given == name) {
            request = request.header(name, value);
        }
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    RawAnswer { status, headers, body: response.bytes().await.unwrap() }
}

/// A request in JSON as a message with typed contents. `null` is NaN or the empty text.
pub(crate) fn message(model: &str, body: &Value) -> ModelInferRequest {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let input = |tensor: &Value| InferInputTensor {
        name: text(&tensor["name"]),
        datatype: text(&tensor["datatype"]),
        shape: list(&tensor["shape"]).iter().map(|size| size.as_i64().unwrap()).collect(),
        parameters: parameters(&tensor["parameters"]),
        contents: Some(contents(tensor["datatype"].as_str().unwrap(), &list(&tensor["data"]))),
    };
    let output = |output: &Value| InferRequestedOutputTensor {
        name: text(&output["name"]),
        parameters: parameters(&output["parameters"]),
    };
    ModelInferRequest {
        model_name: model.to_owned(),
        id: text(&body["id"]),
        inputs: list(&body["inputs"]).iter().map(input).collect(),
        outputs: list(&body["outputs"]).iter().map(output).collect(),
        ..ModelInferRequest::default()
    }
}

fn parameters(map: &Value) -> std::collections::BTreeMap<String, InferParameter> {
    let names = map.as_object().into_iter().flat_map(|map| map.keys());
    let parameter = InferParameter { parameter_choice: Some(ParameterChoice::Int64Param(1)) };
    names.map(|name| (name.clone(), parameter.clone())).collect()
}

#[allow(clippy::cast_possible_truncation, reason = "the elements of the tests fit")]
fn contents(datatype: &str, data: &[Value]) -> InferTensorContents {
    let float = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let signed = |value: &Value| value.as_i64().unwrap();
    let mut contents = InferTensorContents::default();
    match datatype {
        "BOOL" => contents.bool_contents = data.iter().map(|value| value.as_bool().unwrap()).collect(),
        "INT8" | "INT16" | "INT32" => contents.int_contents = data.iter().map(|value| signed(value) as i32).collect(),
        "INT64" => contents.int64_contents = data.iter().map(signed).collect(),
        "UINT8" | "UINT16" | "UINT32" => {
            contents.uint_contents = data.iter().map(|value| signed(value) as u32).collect();
        }
        "UINT64" => contents.uint64_contents = data.iter().map(|value| value.as_u64().unwrap()).collect(),
        "FP32" => contents.fp32_contents = data.iter().map(|value| float(value) as f32).collect(),
        "FP64" => contents.fp64_contents = data.iter().map(float).collect(),
        "BYTES" => {
            let bytes = |value: &Value| value.as_str().unwrap_or_default().as_bytes().to_vec();
            contents.bytes_contents = data.iter().map(bytes).collect();
        }
        _ => {}
    }
    contents
}

/// The same request with `raw_input_contents`.
pub(crate) fn raw(mut request: ModelInferRequest) -> ModelInferRequest {
    for tensor in &mut request.inputs {
        let contents = tensor.contents.take().unwrap_or_default();
        request.raw_input_contents.push(binary(&tensor.datatype, &contents));
    }
    request
}

/// Typed contents as binary data.
#[allow(clippy::cast_possible_truncation, reason = "the elements of the tests fit")]
pub(crate) fn binary(datatype: &str, contents: &InferTensorContents) -> Vec<u8> {
    let ints = contents.int_contents.iter();
    let uints = contents.uint_contents.iter();
    match datatype {
        "BOOL" => contents.bool_contents.iter().map(|value| u8::from(*value)).collect(),
        "INT8" => ints.flat_map(|value| (*value as i8).to_le_bytes()).collect(),
        "INT16" => ints.flat_map(|value| (*value as i16).to_le_bytes()).collect(),
        "INT32" => ints.flat_map(|value| value.to_le_bytes()).collect(),
        "INT64" => contents.int64_contents.iter().flat_map(|value| value.to_le_bytes()).collect(),
        "UINT8" => uints.flat_map(|value| (*value as u8).to_le_bytes()).collect(),
        "UINT16" => uints.flat_map(|value| (*value as u16).to_le_bytes()).collect(),
        "UINT32" => uints.flat_map(|value| value.to_le_bytes()).collect(),
        "UINT64" => contents.uint64_contents.iter().flat_map(|value| value.to_le_bytes()).collect(),
        "FP32" => contents.fp32_contents.iter().flat_map(|value| value.to_le_bytes()).collect(),
        "FP64" => contents.fp64_contents.iter().flat_map(|value| value.to_le_bytes()).collect(),
        "BYTES" => {
            let texts: Vec<_> = contents.bytes_contents.iter().map(Vec::as_slice).collect();
            crate::v2_tensors::bytes_elements(&texts)
        }
        other => panic!("{other}"),
    }
}
