//! Receives an uploaded CSV: unpacked, measured and hashed on its way into a temporary file, never held in memory.
//!
//! Everything is bounded: the bytes on the wire, the bytes that a gzip stream unpacks to, the time it all takes.

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
use body::Packing;

/// Room for the boundaries and part headers around a multipart file.
const FORM_OVERHEAD: u64 = 64 << 10;

/// A CSV on the local disk; it goes when this does.
pub(crate) struct Received {
    /// Where it lies.
    pub(crate) path: TempPath,
    /// Its size.
    pub(crate) bytes: u64,
    /// SHA-256 of it, hexadecimal.
    pub(crate) sha256: String,
}

/// Receives the CSV of an upload, whichever way it was sent.
pub(crate) async fn receive(state: &ApiState, request: Request) -> Result<Received, Problem> {
    let max = state.config.max_dataset_bytes;
    let packing = Packing::of(request.headers());
    let form = is_form(request.headers())?;
    let mut request = request.map(|body| body::unpack(body, packing, max + FORM_OVERHEAD));
    let receiving = async {
        if form {
            DefaultBodyLimit::disable().apply(&mut request);
            let form = Multipart::from_request(request, &()).await;
            receive_form(state, form.map_err(|error| body::refuse(&error, max))?).await
        } else {
            write(state, request.into_body().into_data_stream()).await
        }
    };
    let limit_s = state.config.upload_timeout().as_secs();
    let late = |_| {
        let detail = format!("the upload was not complete within {limit_s} s (api.upload_timeout_s)");
        Problem::new(Code::RequestTimeout, detail)
    };
    tokio::time::timeout(state.config.upload_timeout(), receiving).await.map_err(late)?
}

/// Whether the body is a form; otherwise it is the CSV itself.
fn is_form(headers: &HeaderMap) -> Result<bool, Problem> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(false),
        "multipart/form-data" => Ok(true),
        _ => Err(Problem::new(Code::UnsupportedMediaType, "the content type must be text/csv or multipart/form-data")),
    }
}

async fn receive_form(state: &ApiState, mut form: Multipart) -> Result<Received, Problem> {
    let max = state.config.max_dataset_bytes;
    let mut received = None;
    while let Some(field) = form.next_field().await.map_err(|error| body::refuse(&error, max))? {
        match field.name() {
            Some("file") if received.is_none() => received = Some(write(state, field).await?),
            Some("file") => return Err(Problem::field("file", "must be sent once")),
            other => {
                return Err(Problem::field(other.unwrap_or("file"), "is not a known field; the one known is file"));
            }
        }
    }
    received.ok_or_else(|| Problem::field("file", "is required"))
}

async fn write<E>(
    state: &ApiState,
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Received, Problem>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let max = state.config.max_dataset_bytes;
    let file = NamedTempFile::new_in(&state.work_dir).map_err(disk)?;
    let (file, path) = file.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| body::refuse(&error, max))?;
        bytes += chunk.len() as u64;
        if bytes > max {
            return Err(body::too_large(max));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    Ok(Received { path, bytes, sha256: hex::encode(hash.finalize()) })
}

fn disk(error: std::io::Error) -> Problem {
    Problem::unavailable("the work folder", error)
}
