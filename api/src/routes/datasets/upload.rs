//! `POST /datasets`: stores a CSV as the next version of a dataset.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use trainyard_domain::DatasetName;
use trainyard_http::{Code, Json, Principal, Problem, Query};

use crate::audit::Actor;
use crate::dataset_upload::{self, profile, save};
use crate::schemas::dataset::DatasetView;
use crate::seed::is_built_in;
use crate::state::ApiState;

/// The name of the dataset.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The name of the dataset. An existing dataset gets a new version.
    #[param(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", example = "passengers")]
    name: String,
}

/// Upload a dataset.
///
/// Uploads a CSV with a header line, as the body (`text/csv`, optionally with `Content-Encoding: gzip`) or as the field
/// `file` of a multipart form. A CSV with a malformed row is refused.
#[utoipa::path(
    post, path = "/datasets", operation_id = "upload_dataset", tag = "datasets",
    params(UploadQuery),
    request_body(content((String = "text/csv"), (UploadForm = "multipart/form-data"))),
    responses(
        (status = 201, description = "The new version with its profile.", body = DatasetView),
        (status = 409, description = "A built-in dataset has this name."),
        (status = 413, description = "The CSV is too large, before or after decompression."),
        (status = 415, description = "The content type is neither text/csv nor multipart/form-data, or the content encoding is not gzip."),
        (status = 422, description = "The name is invalid, or the CSV is malformed: the message names the row and column."),
    )
)]
pub async fn upload(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<(StatusCode, Json<DatasetView>), Problem> {
    let name = DatasetName::parse(&query.name).map_err(|message| Problem::field("name", message))?;
    if is_built_in(&name) {
        return Err(Problem::conflict("a built-in dataset has this name; choose another name"));
    }
    let busy = |_| {
        Problem::new(Code::Unavailable, "too many concurrent uploads (api.max_concurrent_uploads); try again later")
            .retry_after(5)
    };
    let _permit = state.uploads().try_acquire().map_err(busy)?;

    let file = dataset_upload::receive(&state, request).await?;
    let profile = profile::profile(&state, &file).await?;
    let dataset = save::save(&state, Some(principal.user_id), name, &file, profile, &actor).await?;
    Ok((StatusCode::CREATED, Json(DatasetView::from(dataset))))
}

/// A multipart form with the CSV.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "describes the form; the handler streams it")]
pub struct UploadForm {
    /// The CSV.
    #[schema(value_type = String, format = Binary, content_media_type = "text/csv")]
    file: Vec<u8>,
}
