//! The methods besides inference.

use std::sync::Arc;

use axum::extract::State;
use trainyard_http::grpc::Reply;
use trainyard_http::{Code, Problem};

use super::request::{Decoded, version};
use crate::proto::{
    ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest, ModelReadyResponse, ModelStatisticsRequest,
    ModelStatisticsResponse, RepositoryIndexRequest, RepositoryIndexResponse, RepositoryModelLoadRequest,
    RepositoryModelLoadResponse, RepositoryModelUnloadRequest, RepositoryModelUnloadResponse, ServerLiveRequest,
    ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse, ServerReadyRequest, ServerReadyResponse,
};
use crate::service::Service;
use crate::v2::message_answer::reply;
use crate::v2::metadata::ServerMetadata;
use crate::v2::refusal;

pub(super) async fn server_live(Decoded(ServerLiveRequest {}): Decoded<ServerLiveRequest>) -> Result<Reply, Problem> {
    reply(&ServerLiveResponse { live: true })
}

pub(super) async fn server_ready(
    State(service): State<Arc<Service>>,
    Decoded(ServerReadyRequest {}): Decoded<ServerReadyRequest>,
) -> Result<Reply, Problem> {
    reply(&ServerReadyResponse { ready: service.is_ready() })
}

pub(super) async fn server_metadata(
    Decoded(ServerMetadataRequest {}): Decoded<ServerMetadataRequest>,
) -> Result<Reply, Problem> {
    reply(&ServerMetadataResponse::from(ServerMetadata::THIS))
}

/// A model that does not exist is not ready, as in Triton: programs wait for it with this method.
pub(super) async fn model_ready(
    State(service): State<Arc<Service>>,
    Decoded(request): Decoded<ModelReadyRequest>,
) -> Result<Reply, Problem> {
    let version = version("name", &request.name, &request.version);
    let ready = match version.and_then(|version| service.is_model_ready(&request.name, version)) {
        Err(problem) if problem.code() == Code::NotFound => false,
        ready => ready?,
    };
    reply(&ModelReadyResponse { ready })
}

pub(super) async fn model_metadata(
    State(service): State<Arc<Service>>,
    Decoded(request): Decoded<ModelMetadataRequest>,
) -> Result<Reply, Problem> {
    let version = version("name", &request.name, &request.version)?;
    let metadata = service.metadata(&request.name, version).await?;
    reply(&ModelMetadataResponse::from(metadata))
}

pub(super) async fn model_statistics(
    State(service): State<Arc<Service>>,
    Decoded(request): Decoded<ModelStatisticsRequest>,
) -> Result<Reply, Problem> {
    let statistics = match (request.name.as_str(), request.version.as_str()) {
        ("", "") => service.statistics(None, None)?,
        ("", _) => return Err(refusal("name is required, because the request names a version")),
        (name, text) => service.statistics(Some(name), version("name", name, text)?)?,
    };
    reply(&ModelStatisticsResponse::from(statistics))
}

pub(super) async fn repository_index(
    State(service): State<Arc<Service>>,
    Decoded(request): Decoded<RepositoryIndexRequest>,
) -> Result<Reply, Problem> {
    let index = service.index(request.ready).await?;
    reply(&RepositoryIndexResponse { models: index.into_iter().map(Into::into).collect() })
}

pub(super) async fn repository_model_load(
    State(service): State<Arc<Service>>,
    Decoded(request): Decoded<RepositoryModelLoadRequest>,
) -> Result<Reply, Problem> {
    version("model_name", &request.model_name, "")?;
    service.load(&request.model_name, request.parameters.into()).await?;
    reply(&RepositoryModelLoadResponse {})
}

pub(super) async fn repository_model_unload(
    State(service): State<Arc<Service>>,
    Decoded(request): Decoded<RepositoryModelUnloadRequest>,
) -> Result<Reply, Problem> {
    version("model_name", &request.model_name, "")?;
    service.unload(&request.model_name, request.parameters.into()).await?;
    reply(&RepositoryModelUnloadResponse {})
}
