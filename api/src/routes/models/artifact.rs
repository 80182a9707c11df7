//! `GET /models/{name}/versions/{n}/artifact`: downloads an artifact, unchanged or as ONNX.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use trainyard_http::{Path, Problem, Query};

use super::find;
use crate::state::ApiState;
use crate::{artifact_file, onnx_export, response};

const CHUNK: usize = 64 << 10;

/// The format of a download.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The unchanged artifact.
    #[default]
    Tym,
    /// An ONNX file with the preprocessing.
    Onnx,
}

/// The format of the download.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArtifactQuery {
    /// `tym` is the unchanged artifact; `onnx` converts the model to ONNX.
    #[serde(default)]
    #[param(inline, example = "onnx")]
    format: Format,
}

/// Download an artifact.
///
/// Downloads an artifact. The SHA-256 is verified before the first byte is sent. With `format=onnx` the model is converted to
/// an ONNX file that contains the preprocessing.
#[utoipa::path(
    get, path = "/models/{name}/versions/{version}/artifact", operation_id = "download_artifact", tag = "models",
    params(
        ("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model."),
        ("version" = i64, Path, minimum = 1, description = "The version."),
        ArtifactQuery,
    ),
    responses(
        (status = 200, description = "The artifact.", body = Vec<u8>, content_type = "application/octet-stream",
            headers(("ETag" = String, description = "The SHA-256 in quotes; for ONNX with the format and the version of the server."),
                    ("x-artifact-sha256" = String, description = "The SHA-256 of the unchanged artifact, hexadecimal."))),
        (status = 304, description = "The client has the artifact already."),
        (status = 404, description = "The version does not exist."),
        (status = 422, description = "A query parameter is invalid, or the ONNX file would be too large."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    Path((name, version)): Path<(String, i64)>,
    Query(ArtifactQuery { format }): Query<ArtifactQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let version = find(&mut state.db.read().await?, &name, version).await?;
    let etag = match format {
        Format::Tym => format!("\"{}\"", version.sha256),
        // Another version of the server can convert the same artifact to other bytes.
        Format::Onnx => format!("\"{}-onnx-{}\"", version.sha256, env!("CARGO_PKG_VERSION")),
    };
    if response::client_has(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let (path, size, extension) = match format {
        Format::Tym => (artifact_file::fetch(&state, &version).await?, version.size.unsigned_abs(), "tym"),
        Format::Onnx => {
            let (path, size) = onnx_export::export(&state, &version).await?;
            (path, size, "onnx")
        }
    };
    let file = tokio::fs::File::open(&path).await.map_err(artifact_file::disk_unavailable)?;
    let file_name = format!("{}-v{}.{extension}", version.name, version.version);
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file_name}\"")),
        (header::ETAG, etag),
    ];
    // The path is removed here. The open file keeps its bytes until they are sent.
    Ok((head, [("x-artifact-sha256", version.sha256)], Body::from_stream(ReaderStream::with_capacity(file, CHUNK)))
        .into_response())
}
