//! Receives an uploaded CSV. The body streams into a temporary file and is decompressed, counted and hashed on the way.
//!
//! Limits bound the bytes received, the bytes after decompression, and the duration of the upload.

pub(crate) mod body;
pub(crate) mod profile;
pub(crate) mod save;

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;
use trainyard_http::{Code, Problem};

use crate::state::ApiState;
use body::ContentEncoding;

/// Bytes for the boundaries and part headers around a multipart file.
const FORM_OVERHEAD: u64 = 64 << 10;

/// A CSV in a temporary file, which is removed on drop.
pub(crate) struct ReceivedCsv {
    pub(crate) path: TempPath,
    pub(crate) bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub(crate) sha256: String,
}

/// Receives the CSV of an upload: the body itself, or a field of a multipart form.
pub(crate) async fn receive(state: &ApiState, request: Request) -> Result<ReceivedCsv, Problem> {
    let max = state.config.max_dataset_bytes;
    let encoding = ContentEncoding::of(request.headers());
    let form = is_form(request.headers())?;
    let mut request = request.map(|body| body::decode(body, encoding, max + FORM_OVERHEAD));
    let receiving = async {
        if form {
            DefaultBodyLimit::disable().apply(&mut request);
            let form = Multipart::from_request(request, &()).await;
            receive_form(state, form.map_err(|error| body::problem(&error, max))?).await
        } else {
            write(state, request.into_body().into_data_stream()).await
        }
    };
    let limit_s = state.config.upload_timeout().as_secs();
    let timed_out = |_| {
        let detail = format!("the upload was not complete within {limit_s} s (api.upload_timeout_s)");
        Problem::new(Code::RequestTimeout, detail)
    };
    tokio::time::timeout(state.config.upload_timeout(), receiving).await.map_err(timed_out)?
}

/// Whether the body is a multipart form; otherwise the body is the CSV.
fn is_form(headers: &HeaderMap) -> Result<bool, Problem> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(false),
        "multipart/form-data" => Ok(true),
        _ => Err(Problem::new(Code::UnsupportedMediaType, "the content type must be text/csv or multipart/form-data")),
    }
}

async fn receive_form(state: &ApiState, mut form: Multipart) -> Result<ReceivedCsv, Problem> {
    let max = state.config.max_dataset_bytes;
    let mut received = None;
    while let Some(field) = form.next_field().await.map_err(|error| body::problem(&error, max))? {
        match field.name() {
            Some("file") if received.is_none() => received = Some(write(state, field).await?),
            Some("file") => return Err(Problem::field("file", "must be sent once")),
            other => {
                return Err(Problem::field(
                    other.unwrap_or("file"),
                    "is not a known field; send the CSV as the field file",
                ));
            }
        }
    }
    received.ok_or_else(|| Problem::field("file", "is required"))
}

async fn write<E>(
    state: &ApiState,
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<ReceivedCsv, Problem>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let max = state.config.max_dataset_bytes;
    let file = NamedTempFile::new_in(&state.config.upload_dir).map_err(disk_unavailable)?;
    let (file, path) = file.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| body::problem(&error, max))?;
        bytes += chunk.len() as u64;
        if bytes > max {
            return Err(body::too_large(max));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(disk_unavailable)?;
    }
    file.flush().await.map_err(disk_unavailable)?;
    Ok(ReceivedCsv { path, bytes, sha256: hex::encode(hash.finalize()) })
}

fn disk_unavailable(error: std::io::Error) -> Problem {
    Problem::unavailable("the work folder", error)
}
