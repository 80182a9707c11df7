//! `GET /models/{name}/versions/{n}/artifact`: downloads an artifact.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tempfile::TempPath;
use tokio_util::io::ReaderStream;
use trainyard_artifacts::Key;
use trainyard_domain::ModelVersion;
use trainyard_http::{Path, Problem, Query};

use super::find;
use crate::response;
use crate::state::ApiState;

const CHUNK: usize = 64 << 10;

/// No parameters. A request for another format is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// Download an artifact.
///
/// Downloads an artifact. The SHA-256 is verified before the first byte is sent.
#[utoipa::path(
    get, path = "/models/{name}/versions/{version}/artifact", operation_id = "download_artifact", tag = "models",
    params(
        ("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
        ("version" = i64, Path, minimum = 1, description = "The version."),
    ),
    responses(
        (status = 200, description = "The artifact.", body = Vec<u8>, content_type = "application/octet-stream",
            headers(("ETag" = String, description = "The SHA-256 in quotes."),
                    ("x-artifact-sha256" = String, description = "The SHA-256, hexadecimal."))),
        (status = 304, description = "The client has the artifact already."),
        (status = 404, description = "The version does not exist."),
        (status = 422, description = "The request has a query parameter; none is supported."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path((name, version)): Path<(String, i64)>,
    Query(NoParams {}): Query<NoParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let version = find(&mut state.db.read().await?, &name, version).await?;
    let etag = format!("\"{}\"", version.sha256);
    if response::client_has(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let path = fetch(&state, &version).await?;
    let file = tokio::fs::File::open(&path).await.map_err(disk_unavailable)?;
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, version.size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}-v{}.tym\"", version.name, version.version)),
        (header::ETAG, etag),
    ];
    // The path is removed here. The open file keeps its bytes until they are sent.
    Ok((head, [("x-artifact-sha256", version.sha256)], Body::from_stream(ReaderStream::with_capacity(file, CHUNK)))
        .into_response())
}

async fn fetch(state: &ApiState, version: &ModelVersion) -> Result<TempPath, Problem> {
    let key = Key::parse(&version.artifact_key).map_err(Problem::internal)?;
    let path =
        tempfile::Builder::new().tempfile_in(&state.config.upload_dir).map_err(disk_unavailable)?.into_temp_path();
    state.store.get_to_file(&key, &version.sha256, &path, state.config.max_artifact_bytes).await?;
    Ok(path)
}

fn disk_unavailable(error: std::io::Error) -> Problem {
    Problem::unavailable("the work folder", error)
}
