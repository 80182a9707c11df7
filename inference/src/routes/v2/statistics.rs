//! The statistics extension.

use std::sync::Arc;

use axum::extract::State;
use trainyard_http::{Json, Path, Problem};

use super::parse_version;
use crate::service::Service;
use crate::v2::statistics::StatisticsAnswer;

/// The statistics of all loaded versions of this process. A model named `stats` has its metadata under its versions only.
#[utoipa::path(get, path = "/v2/models/stats", operation_id = "v2_statistics", tag = "inference", responses(
    (status = 200, description = "The statistics", body = StatisticsAnswer),
))]
pub(crate) async fn all(State(service): State<Arc<Service>>) -> Result<Json<StatisticsAnswer>, Problem> {
    service.statistics(None, None).map(Json)
}

/// The statistics of the loaded versions of a model.
#[utoipa::path(get, path = "/v2/models/{model}/stats", operation_id = "v2_model_statistics", tag = "inference",
    params(("model" = String, Path, description = "The name of a model", example = "titanic-rf")), responses(
    (status = 200, description = "The statistics", body = StatisticsAnswer),
    (status = 404, description = "No version of the model is loaded"),
))]
pub(crate) async fn model(
    State(service): State<Arc<Service>>,
    Path(model): Path<String>,
) -> Result<Json<StatisticsAnswer>, Problem> {
    service.statistics(Some(&model), None).map(Json)
}

/// The statistics of a version.
#[utoipa::path(get, path = "/v2/models/{model}/versions/{version}/stats", operation_id = "v2_version_statistics",
    tag = "inference", params(
    ("model" = String, Path, description = "The name of a model", example = "titanic-rf"),
    ("version" = String, Path, description = "The number of a version", example = "1"),
), responses(
    (status = 200, description = "The statistics", body = StatisticsAnswer),
    (status = 404, description = "The version is not loaded"),
))]
pub(crate) async fn version(
    State(service): State<Arc<Service>>,
    Path((model, version)): Path<(String, String)>,
) -> Result<Json<StatisticsAnswer>, Problem> {
    let version = parse_version(&model, &version)?;
    service.statistics(Some(&model), Some(version)).map(Json)
}
