//! Readiness of models.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;
use trainyard_domain::shown;
use trainyard_http::{Json, Path, Problem};
use utoipa::ToSchema;

use super::parse_version;
use crate::lookup_problem;
use crate::registry::{LookupError, VersionSelector};
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
    let selector = VersionSelector { model: Some(&model), ..VersionSelector::default() };
    readiness(&service, selector, &model)
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
    readiness(&service, VersionSelector { model: Some(&model), version, ..VersionSelector::default() }, &model)
}

fn readiness(service: &Service, selector: VersionSelector<'_>, model: &str) -> Result<Response, Problem> {
    let body = |ready| Json(ModelReady { name: model.to_owned(), ready });
    match service.registry.load().find(selector, None, || 0) {
        Ok(_) => Ok(body(true).into_response()),
        Err(LookupError::Loading(..)) => {
            Ok((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], body(false)).into_response())
        }
        // The snapshot contains loaded versions only; the database is not asked.
        Err(LookupError::NotLoaded(model, version)) => Err(Problem::not_found(format!(
            "version {version} of a model '{}' is not loaded; if it is published, the first request for it loads it",
            shown(&model)
        ))),
        Err(error) => Err(lookup_problem::problem(error)),
    }
}
