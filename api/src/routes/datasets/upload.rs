//! `POST /datasets`: a CSV becomes the next version of a data set.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use trainyard_domain::DatasetName;
use trainyard_http::{Code, Json, Principal, Problem, Query};

use crate::audit::Actor;
use crate::intake::{self, profile, save};
use crate::seed::is_built_in;
use crate::state::ApiState;
use crate::views::dataset::DatasetView;

/// What to call it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The data set's name; a name that exists gets a new version.
    #[param(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", example = "passengers")]
    name: String,
}

/// Upload a data set.
///
/// Uploads a CSV with a header line, as the body (`text/csv`, also with `Content-Encoding: gzip`) or as the field
/// `file` of a multipart form. It is refused as a whole when any row is malformed.
#[utoipa::path(
    post, path = "/datasets", operation_id = "upload_dataset", tag = "datasets",
    params(UploadQuery),
    request_body(content((String = "text/csv"), (UploadForm = "multipart/form-data"))),
    responses(
        (status = 201, description = "The new version with its profile.", body = DatasetView),
        (status = 409, description = "The name belongs to a built-in data set."),
        (status = 413, description = "The CSV is too large, packed or unpacked."),
        (status = 415, description = "Neither text/csv nor multipart/form-data, or packed in another way than gzip."),
        (status = 422, description = "A bad name, or a malformed CSV: the message says in which row and column."),
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
        return Err(Problem::conflict("this name belongs to a built-in data set"));
    }
    let busy = |_| Problem::new(Code::Unavailable, "too many uploads at once; try again shortly").retry_after(5);
    let _permit = state.uploads().try_acquire().map_err(busy)?;

    let file = intake::receive(&state, request).await?;
    let profile = profile::profile(&state, &file).await?;
    let dataset = save::save(&state, Some(principal.user_id), name, &file, profile, &actor).await?;
    Ok((StatusCode::CREATED, Json(DatasetView::from(dataset))))
}

/// A multipart form with the CSV.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only described, never read: the form is streamed")]
pub struct UploadForm {
    /// The CSV.
    #[schema(value_type = String, format = Binary, content_media_type = "text/csv")]
    file: Vec<u8>,
}
