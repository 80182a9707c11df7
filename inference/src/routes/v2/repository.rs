//! The model repository extension.

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use bytes::Bytes;
use http::StatusCode;
use trainyard_http::{Json, Path, Problem, body};

use crate::service::Service;
use crate::v2::index::IndexEntry;
use crate::v2::repository::{IndexRequest, LoadRequest, parse};
use crate::v2::schemas::{IndexBody, LoadBody};
use crate::v2::tensor_body::check_content_type;

/// An optional JSON body.
pub(crate) struct OptionalBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(body).await?;
        if !bytes.is_empty() {
            check_content_type(&parts.headers)?;
        }
        Ok(Self(bytes))
    }
}

/// Every published version, and whether this process has loaded it.
#[utoipa::path(post, path = "/v2/repository/index", operation_id = "v2_repository_index", tag = "inference",
    request_body = Option<IndexBody>, responses(
    (status = 200, description = "The versions by name and number", body = Vec<IndexEntry>),
    (status = 503, description = "The database is unavailable; with `ready` the index does not need it"),
))]
pub(crate) async fn index(
    State(service): State<Arc<Service>>,
    OptionalBody(body): OptionalBody,
) -> Result<Json<Vec<IndexEntry>>, Problem> {
    let request: IndexRequest = parse(&body)?;
    service.index(request.ready_only()).await.map(Json)
}

/// Make sure that a version is loaded in this process: the one that serves, or `parameters.version`.
///
/// Aliases and the traffic of the model decide which versions are served, and their versions are loaded without this call. Another
/// version stays loaded until other such versions need its place (`inference.max_pinned_versions`, `inference.memory_budget_mb`) or
/// until it is unloaded.
#[utoipa::path(post, path = "/v2/repository/models/{model}/load", operation_id = "v2_load_model", tag = "inference",
    params(("model" = String, Path, description = "The name of a model", example = "titanic-rf")),
    request_body = Option<LoadBody>, responses(
    (status = 200, description = "The version is loaded"),
    (status = 400, description = "The memory budget has no room for the version, or a parameter is not valid"),
    (status = 404, description = "The model or the version does not exist, or `production` points at no version"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn load(
    State(service): State<Arc<Service>>,
    Path(model): Path<String>,
    OptionalBody(body): OptionalBody,
) -> Result<StatusCode, Problem> {
    service.load(&model, parse::<LoadRequest>(&body)?).await.map(|()| StatusCode::OK)
}

/// Release the versions of a model in this process that neither an alias nor the traffic uses, or only `parameters.version`.
///
/// Versions with an alias or in the traffic stay loaded: change the alias or the traffic to stop serving them. A later request
/// that names a released version loads it again.
#[utoipa::path(post, path = "/v2/repository/models/{model}/unload", operation_id = "v2_unload_model", tag = "inference",
    params(("model" = String, Path, description = "The name of a model", example = "titanic-rf")),
    request_body = Option<LoadBody>, responses(
    (status = 200, description = "The versions are released"),
    (status = 404, description = "The model or the version is not loaded"),
    (status = 409, description = "An alias points at the version, or the traffic of the model or the settings need it"),
))]
pub(crate) async fn unload(
    State(service): State<Arc<Service>>,
    Path(model): Path<String>,
    OptionalBody(body): OptionalBody,
) -> Result<StatusCode, Problem> {
    service.unload(&model, parse::<LoadRequest>(&body)?).await.map(|()| StatusCode::OK)
}
