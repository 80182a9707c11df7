//! `POST /datasets`: stores a table as the next version of a dataset.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use trainyard_domain::DatasetName;
use trainyard_http::{Code, Json, Principal, Problem, Query};

use super::upload_query::UploadQuery;
use crate::audit::Actor;
use crate::dataset_upload::{self, save};
use crate::schemas::dataset::{DatasetView, TableView};
use crate::seed::is_built_in;
use crate::state::ApiState;

/// Upload a dataset.
///
/// Uploads a table with delimiters, as the body or as the field `file` of a multipart form; gzip is recognized by its first
/// bytes. Delimiter, decimal mark, encoding, header and column types are detected from the file and reported in the answer. Each
/// can be set by a parameter, which wins. With `dry_run=true` the answer shows what would be stored, and nothing is stored.
#[utoipa::path(
    post, path = "/datasets", operation_id = "upload_dataset", tag = "datasets",
    params(UploadQuery),
    request_body(content(
        (String = "text/csv"), (String = "text/tab-separated-values"), (String = "text/plain"),
        (String = "application/vnd.ms-excel"), (String = "application/octet-stream"), (String = "application/gzip"),
        (UploadForm = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "With `dry_run=true`: what would be stored.", body = TableView),
        (status = 201, description = "The new version with its profile.", body = DatasetView),
        (status = 409, description = "A built-in dataset has this name."),
        (status = 413, description = "The file is too large, before or after decompression."),
        (status = 415, description = "The content type or the content encoding is not supported. The message lists the supported ones."),
        (status = 422, description = "A parameter is invalid, or the file is not a table: the message names row, column and value."),
    )
)]
pub async fn upload(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let name = DatasetName::parse(&query.name).map_err(|message| Problem::field("name", message))?;
    if is_built_in(&name) {
        return Err(Problem::conflict("a built-in dataset has this name; choose another name"));
    }
    let dry_run = query.dry_run;
    let options = query.read_options(state.config.max_missing_markers)?;
    let busy = |_| {
        Problem::new(Code::Unavailable, "too many concurrent uploads (api.max_concurrent_uploads); try again later")
            .retry_after(5)
    };
    let permit = Arc::new(state.uploads().clone().try_acquire_owned().map_err(busy)?);

    let (file, profile) = dataset_upload::receive(&state, request, options, &permit).await?;
    if dry_run {
        return Ok(Json(TableView::planned(&name, &file, profile)).into_response());
    }
    let dataset = save::save(&state, Some(principal.user_id), name, &file, profile, &actor).await?;
    Ok((StatusCode::CREATED, Json(DatasetView::from(dataset))).into_response())
}

/// A multipart form with the file.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "describes the form; the handler streams it")]
pub struct UploadForm {
    /// The file. A charset in its content type counts.
    #[schema(value_type = String, format = Binary, content_media_type = "text/csv")]
    file: Vec<u8>,
}
