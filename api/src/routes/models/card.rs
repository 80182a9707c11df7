//! `GET /models/{name}/versions/{version}/card`: the model card.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use trainyard_http::{Path, Problem};

use super::find;
use crate::model_card;
use crate::state::ApiState;

/// Get a model card.
///
/// Returns the model card of a version: its data, parameters, features, metrics and warnings as Markdown, made from the figures
/// of the training.
#[utoipa::path(
    get, path = "/models/{name}/versions/{version}/card", operation_id = "get_model_card", tag = "models",
    params(
        ("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
        ("version" = i64, Path, minimum = 1, description = "The version."),
    ),
    responses(
        (status = 200, description = "The card: Markdown in UTF-8.", body = String, content_type = "text/markdown"),
        (status = 404, description = "The version does not exist."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path((name, version)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let mut tx = state.db.read().await?;
    let version = find(&mut tx, &name, version).await?;
    let dataset = tx.datasets().get(version.dataset_id).await?;
    let job = tx.jobs().get(version.job_id).await?;
    let head = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{}-v{}.md\"", version.name, version.version)),
    ];
    Ok((head, model_card::write(version, job.as_ref().map(|job| &job.spec), dataset.as_ref())).into_response())
}
