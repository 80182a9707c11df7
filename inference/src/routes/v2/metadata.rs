//! The metadata of the server and of models.

use std::sync::Arc;

use axum::extract::State;
use trainyard_http::{Json, Path, Problem};

use super::parse_version;
use crate::service::Service;
use crate::v2::metadata::{ModelMetadata, ServerMetadata};

/// The name, version and extensions of the server.
#[utoipa::path(get, path = "/v2", operation_id = "v2_server_metadata", tag = "inference", responses(
    (status = 200, description = "The server", body = ServerMetadata),
))]
pub(crate) async fn server() -> Json<ServerMetadata> {
    Json(ServerMetadata::THIS)
}

/// The inputs and outputs of the version that serves: the one that `production` points at, or the one with the largest weight.
#[utoipa::path(get, path = "/v2/models/{model}", operation_id = "v2_model_metadata", tag = "inference",
    params(("model" = String, Path, description = "The name of a model", example = "titanic-rf")), responses(
    (status = 200, description = "The model", body = ModelMetadata),
    (status = 404, description = "The model does not exist, or `production` points at no version"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn model(
    State(service): State<Arc<Service>>,
    Path(model): Path<String>,
) -> Result<Json<ModelMetadata>, Problem> {
    service.metadata(&model, None).await.map(Json)
}

/// The inputs and outputs of a version. Loads the version if it is not loaded.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}", operation_id = "v2_version_metadata",
    tag = "inference", params(
    ("model" = String, Path, description = "The name of a model", example = "titanic-rf"),
    ("version" = String, Path, description = "The number of a version", example = "1"),
), responses(
    (status = 200, description = "The model", body = ModelMetadata),
    (status = 404, description = "The version does not exist"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn version(
    State(service): State<Arc<Service>>,
    Path((model, version)): Path<(String, String)>,
) -> Result<Json<ModelMetadata>, Problem> {
    let version = Some(parse_version(&model, &version)?);
    service.metadata(&model, version).await.map(Json)
}
