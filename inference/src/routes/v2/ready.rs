//! Readiness of models.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;
use trainyard_http::{Json, Path, Problem};
use utoipa::ToSchema;

use super::parse_version;
use crate::service::Service;

/// Whether a model is loaded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2ModelReady)]
pub(crate) struct ModelReady {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    name: String,
    /// Whether the version is loaded.
    ready: bool,
}

/// Whether the version that serves is loaded: the one that `production` points at, or the one with the largest weight.
#[utoipa::path(get, path = "/v2/models/{model}/ready", operation_id = "v2_model_ready", tag = "inference",
    params(("model" = String, Path, description = "The name of a model", example = "titanic-rf")), responses(
    (status = 200, description = "Loaded", body = ModelReady),
    (status = 404, description = "The model does not exist, or `production` points at no version"),
    (status = 503, description = "Not loaded yet", body = ModelReady),
))]
pub(crate) async fn model(State(service): State<Arc<Service>>, Path(model): Path<String>) -> Result<Response, Problem> {
    readiness(&service, model, None)
}

/// Whether a version is loaded. The request does not load it.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/ready", operation_id = "v2_version_ready",
    tag = "inference", params(
    ("model" = String, Path, description = "The name of a model", example = "titanic-rf"),
    ("version" = String, Path, description = "The number of a version", example = "1"),
), responses(
    (status = 200, description = "Loaded", body = ModelReady),
    (status = 404, description = "The version does not exist or is not loaded"),
    (status = 503, description = "Not loaded yet", body = ModelReady),
))]
pub(crate) async fn version(
    State(service): State<Arc<Service>>,
    Path((model, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let version = Some(parse_version(&model, &version)?);
    readiness(&service, model, version)
}

fn readiness(service: &Service, name: String, version: Option<i64>) -> Result<Response, Problem> {
    let ready = service.is_model_ready(&name, version)?;
    let body = Json(ModelReady { name, ready });
    Ok(match ready {
        true => body.into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], body).into_response(),
    })
}
