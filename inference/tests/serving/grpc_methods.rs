//! The gRPC methods besides inference: metadata, readiness, statistics, the model repository, health and reflection.

use std::collections::BTreeMap;

use futures::stream;
use http::uri::PathAndQuery;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use trainyard_inference::proto::infer_parameter::ParameterChoice;
use trainyard_inference::proto::model_metadata_response::TensorMetadata;
use trainyard_inference::proto::model_repository_parameter::ParameterChoice as RepositoryChoice;
use trainyard_inference::proto::{
    DESCRIPTORS, InferStatistics, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest,
    ModelReadyResponse, ModelRepositoryParameter, ModelStatisticsRequest, ModelStatisticsResponse,
    RepositoryIndexRequest, RepositoryIndexResponse, RepositoryModelLoadRequest, RepositoryModelLoadResponse,
    RepositoryModelUnloadRequest, RepositoryModelUnloadResponse, ServerLiveRequest, ServerLiveResponse,
    ServerMetadataRequest, ServerMetadataResponse, ServerReadyRequest, ServerReadyResponse,
};

use crate::environment::{Environment, RunningRole};
use crate::grpc_client::{call, call_with, connect, message};
use crate::models;
use crate::v2_tensors::passengers;

async fn is_model_ready(role: &RunningRole, name: &str, version: &str) -> bool {
    let request = ModelReadyRequest { name: name.into(), version: version.into() };
    call::<_, ModelReadyResponse>(role, "ModelReady", request).await.unwrap().ready
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_and_readiness_are_those_of_rest() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("progression", models::progression()).await;
    let stopping = CancellationToken::new();
    let role = environment.serve_until(stopping.clone()).await;
    let live: ServerLiveResponse = call_with(&role, "ServerLive", ServerLiveRequest {}, &[]).await.unwrap();
    assert!(live.live);
    let ready = async || {
        call_with::<_, ServerReadyResponse>(&role, "ServerReady", ServerReadyRequest {}, &[]).await.unwrap().ready
    };
    assert!(ready().await);
    let server: ServerMetadataResponse = call(&role, "ServerMetadata", ServerMetadataRequest {}).await.unwrap();
    let (_, rest) = role.get("/v2").await;
    assert_eq!(json!({"name": server.name, "version": server.version, "extensions": server.extensions}), rest);

    for (model, version) in [("m", ""), ("m", "1"), ("progression", "")] {
        let request = ModelMetadataRequest { name: model.into(), version: version.into() };
        let found: ModelMetadataResponse = call(&role, "ModelMetadata", request).await.unwrap();
        let (_, rest) = role.get(&format!("/v2/models/{model}")).await;
        let tensors = |tensors: &[TensorMetadata]| {
            let tensor = |tensor: &TensorMetadata| json!({"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape});
            tensors.iter().map(tensor).collect::<Vec<_>>()
        };
        assert_eq!(
            json!({"name": found.name, "versions": found.versions, "platform": found.platform,
                "inputs": tensors(&found.inputs), "outputs": tensors(&found.outputs), "parameters": rest["parameters"]}),
            rest
        );
        let parameter = |name: &str| match found.parameters.get(name)?.parameter_choice.clone()? {
            ParameterChoice::StringParam(text) => Some(text),
            other => panic!("{other:?}"),
        };
        let classes = parameter("classes").map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(classes.unwrap_or_default(), rest["parameters"].get("classes").cloned().unwrap_or_default());
        assert_eq!(
            json!(parameter("matrix_input")),
            rest["parameters"].get("matrix_input").cloned().unwrap_or_default()
        );
    }
    assert!(is_model_ready(&role, "m", "").await && is_model_ready(&role, "m", "1").await);
    for (name, version) in [("m", "2"), ("m", "first"), ("nope", ""), ("nope", "1")] {
        assert!(!is_model_ready(&role, name, version).await, "{name} {version}");
    }
    stopping.cancel();
    assert!(!ready().await, "the process stops");
    assert!(is_model_ready(&role, "m", "").await, "and still answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_loaded_and_released() {
    let environment = Environment::new().await;
    for seed in 0..3 {
        environment.publish_as("m", models::survival(seed), models::survival(seed), seed == 1).await;
    }
    let role = environment.serve().await;
    let authorization = format!("Bearer {}", environment.admin_token());
    let admin = [("authorization", authorization.as_str())];
    let index = async |ready: bool| {
        let request = RepositoryIndexRequest { ready, ..Default::default() };
        let index: RepositoryIndexResponse = call(&role, "RepositoryIndex", request).await.unwrap();
        index.models.into_iter().map(|entry| (entry.name, entry.version, entry.state)).collect::<Vec<_>>()
    };
    let entry = |version: &str, state: &str| ("m".to_owned(), version.to_owned(), state.to_owned());
    assert_eq!(index(false).await, [entry("1", "UNAVAILABLE"), entry("2", "READY"), entry("3", "UNAVAILABLE")]);
    assert_eq!(index(true).await, [entry("2", "READY")]);

    let parameters = |choice: Option<RepositoryChoice>| {
        let parameter = |choice| ("version".to_owned(), ModelRepositoryParameter { parameter_choice: Some(choice) });
        choice.map(parameter).into_iter().collect::<BTreeMap<_, _>>()
    };
    let load = async |model: &str, choice: Option<RepositoryChoice>| {
        let request = RepositoryModelLoadRequest {
            model_name: model.into(),
            parameters: parameters(choice),
            ..Default::default()
        };
        let loaded = call_with::<_, RepositoryModelLoadResponse>(&role, "RepositoryModelLoad", request, &admin).await;
        loaded.map(|_| ()).map_err(|status| (status.code(), status.message().to_owned()))
    };
    let unload = async |model: &str, choice: Option<RepositoryChoice>| {
        let request = RepositoryModelUnloadRequest {
            model_name: model.into(),
            parameters: parameters(choice),
            ..Default::default()
        };
        let released =
            call_with::<_, RepositoryModelUnloadResponse>(&role, "RepositoryModelUnload", request, &admin).await;
        released.map(|_| ()).map_err(|status| (status.code(), status.message().to_owned()))
    };
    assert_eq!(load("m", None).await, Ok(()), "the version that production points at");
    assert_eq!(load("m", Some(RepositoryChoice::Int64Param(1))).await, Ok(()));
    assert_eq!(load("m", Some(RepositoryChoice::StringParam("3".into()))).await, Ok(()));
    assert_eq!(index(true).await, [entry("1", "READY"), entry("2", "READY"), entry("3", "READY")]);
    assert_eq!(unload("m", Some(RepositoryChoice::Int64Param(3))).await, Ok(()));
    assert_eq!(unload("m", None).await, Ok(()));
    assert_eq!(index(true).await, [entry("2", "READY")]);
    for (refused, code, part) in [
        (unload("m", Some(RepositoryChoice::Int64Param(2))).await, Code::FailedPrecondition, "alias production"),
        (unload("m", Some(RepositoryChoice::Int64Param(3))).await, Code::NotFound, "version 3"),
        (unload("nope", None).await, Code::NotFound, "'nope'"),
        (load("nope", None).await, Code::NotFound, "'nope'"),
        (load("m", Some(RepositoryChoice::Int64Param(9))).await, Code::NotFound, "version 9"),
        (load("m", Some(RepositoryChoice::BoolParam(true))).await, Code::InvalidArgument, "parameters.version"),
        (load("m", Some(RepositoryChoice::BytesParam(vec![1]))).await, Code::InvalidArgument, "parameters.version"),
        (load("", None).await, Code::InvalidArgument, "model_name is required"),
    ] {
        let (found, message) = refused.unwrap_err();
        assert!(found == code && message.contains(part), "{found:?} {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_the_requests_of_all_protocols() {
    let environment = Environment::new().await;
    environment.publish("m", models::survival(0)).await;
    environment.publish("n", models::survival(0)).await;
    let role = environment.serve().await;
    for _ in 0..2 {
        let request = message("m", &json!({"inputs": passengers()}));
        call::<_, ModelInferResponse>(&role, "ModelInfer", request).await.unwrap();
    }
    assert_eq!(role.predict(json!({"model": "m", "features": {}})).await.status, 200);
    let refused = call::<_, ModelInferResponse>(&role, "ModelInfer", message("m", &json!({"inputs": []}))).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let statistics = async |name: &str, version: &str| {
        let request = ModelStatisticsRequest { name: name.into(), version: version.into() };
        call::<_, ModelStatisticsResponse>(&role, "ModelStatistics", request).await
    };
    let of_version = statistics("m", "1").await.unwrap().model_stats;
    assert_eq!(statistics("m", "").await.unwrap().model_stats, of_version);
    assert_eq!(statistics("", "").await.unwrap().model_stats.len(), 2, "all models");
    let [version] = of_version.try_into().unwrap();
    assert_eq!((version.name.as_str(), version.version.as_str()), ("m", "1"));
    assert_eq!((version.inference_count, version.execution_count), (7, 3));
    let (_, rest) = role.get("/v2/models/m/stats").await;
    let rest = &rest["model_stats"][0];
    assert_eq!(json!(version.last_inference), rest["last_inference"]);
    let InferStatistics { success, fail, queue, compute_input, compute_infer, compute_output, cache_hit, cache_miss } =
        version.inference_stats.unwrap();
    for (name, found) in [
        ("success", success),
        ("fail", fail),
        ("queue", queue),
        ("compute_input", compute_input),
        ("compute_infer", compute_infer),
        ("compute_output", compute_output),
        ("cache_hit", cache_hit),
        ("cache_miss", cache_miss),
    ] {
        let found = found.unwrap();
        assert_eq!(json!({"count": found.count, "ns": found.ns}), rest["inference_stats"][name], "{name}");
    }
    let batches: Vec<_> =
        version.batch_stats.iter().map(|batch| (batch.batch_size, batch.compute_infer.unwrap().count)).collect();
    assert_eq!(batches, [(1, 1), (3, 2)]);
    for (name, version, code, part) in [
        ("nope", "", Code::NotFound, "'nope'"),
        ("m", "7", Code::NotFound, "version 7"),
        ("m", "first", Code::NotFound, "'first'"),
        ("", "1", Code::InvalidArgument, "name is required"),
    ] {
        let status = statistics(name, version).await.unwrap_err();
        assert!(status.code() == code && status.message().contains(part), "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_follows_the_readiness_and_its_streams_end_with_the_listener() {
    let environment = Environment::new().await;
    let stopping = CancellationToken::new();
    let role = environment.serve_until(stopping.clone()).await;
    let request = |service: &str| Request::new(HealthCheckRequest { service: service.into() });
    let codec = ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default;
    let check = async |service: &str| {
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
        let answer = connect(&role).await.unary(request(service), path, codec()).await;
        answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
    };
    for service in ["", "inference.GRPCInferenceService"] {
        assert_eq!(check(service).await, Ok(ServingStatus::Serving), "{service}");
    }
    assert_eq!(check("other.Service").await, Err(Code::NotFound));

    let path = PathAndQuery::from_static("/grpc.health.v1.Health/Watch");
    let mut client = connect(&role).await;
    let mut states = client.server_streaming(request(""), path.clone(), codec()).await.unwrap().into_inner();
    client.ready().await.unwrap();
    let mut unknown = client.server_streaming(request("other.Service"), path, codec()).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    stopping.cancel();
    assert_eq!(check("").await, Ok(ServingStatus::NotServing));
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    role.close();
    assert_eq!(states.message().await.unwrap(), None, "the stream ends without an error");
    assert_eq!(unknown.message().await.unwrap(), None);
}

/// The answers of the reflection, one per request.
async fn reflected(role: &RunningRole, requests: Vec<MessageRequest>) -> Vec<MessageResponse> {
    let requests = requests
        .into_iter()
        .map(|request| ServerReflectionRequest { host: String::new(), message_request: Some(request) });
    let path = PathAndQuery::from_static("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    let codec = ProstCodec::<ServerReflectionRequest, ServerReflectionResponse>::default();
    let requests = Request::new(stream::iter(requests.collect::<Vec<_>>()));
    let mut client = connect(role).await;
    let mut answers = client.streaming(requests, path, codec).await.unwrap().into_inner();
    let mut found = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        found.push(answer.message_response.unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_describes_every_service() {
    let environment = Environment::new().await;
    let role = environment.serve().await;
    let symbol = |name: &str| MessageRequest::FileContainingSymbol(name.into());
    let answers = reflected(
        &role,
        vec![
            MessageRequest::ListServices(String::new()),
            symbol("inference.GRPCInferenceService"),
            symbol("inference.ModelInferRequest.InferInputTensor"),
            MessageRequest::FileByFilename("inference.proto".into()),
        ],
    )
    .await;
    let MessageResponse::ListServicesResponse(services) = &answers[0] else { panic!("{:?}", answers[0]) };
    let mut names: Vec<_> = services.service.iter().map(|service| service.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "inference.GRPCInferenceService"]
    );
    assert_eq!(answers.len(), 4);
    for answer in &answers[1..] {
        let MessageResponse::FileDescriptorResponse(files) = answer else { panic!("{answer:?}") };
        let [file] = files.file_descriptor_proto.as_slice() else { panic!("{files:?}") };
        // The only file of the set: its encoding is the rest after the key and the length.
        assert!(DESCRIPTORS.ends_with(file), "the descriptor is that of the committed file");
    }
}
