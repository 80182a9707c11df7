//! Receives an uploaded file. The body streams into a temporary file and is decompressed, counted and hashed on the way.
//!
//! Limits bound the bytes received, the bytes after decompression, and the duration of the upload.

pub(crate) mod body;
pub(crate) mod content_type;
mod file_writer;
pub(crate) mod profile;
pub(crate) mod save;

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tempfile::TempPath;
use tokio::sync::mpsc;
use trainyard_http::{Code, Problem};

use crate::state::ApiState;
use body::ContentEncoding;
use content_type::{BodyKind, Declared};
use file_writer::WriteError;

/// Bytes for the boundaries and part headers around a multipart file.
const FORM_OVERHEAD: u64 = 64 << 10;
/// Chunks of a body that wait for the disk.
const WAITING_CHUNKS: usize = 8;

/// An uploaded file in a temporary file, which is removed on drop.
pub(crate) struct ReceivedFile {
    pub(crate) path: TempPath,
    /// Size after decompression.
    pub(crate) bytes: u64,
    /// SHA-256 of the file after decompression, hexadecimal.
    pub(crate) sha256: String,
    /// What the content type of the file says.
    pub(crate) declared: Declared,
}

/// Receives the file of an upload: the body itself, or a field of a multipart form.
pub(crate) async fn receive(state: &ApiState, request: Request) -> Result<ReceivedFile, Problem> {
    let max = state.config.max_dataset_bytes;
    let encoding = ContentEncoding::of(request.headers());
    let kind = BodyKind::of(request.headers())?;
    let mut request = request.map(|body| body::decode(body, encoding, max + FORM_OVERHEAD));
    let receiving = async {
        match kind {
            BodyKind::Form => {
                DefaultBodyLimit::disable().apply(&mut request);
                let form = Multipart::from_request(request, &()).await;
                receive_form(state, form.map_err(|error| body::problem(&error, max))?).await
            }
            BodyKind::File(declared) => write(state, request.into_body().into_data_stream(), declared).await,
        }
    };
    let limit_s = state.config.upload_timeout().as_secs();
    let timed_out = |_| {
        let detail = format!("the upload was not complete within {limit_s} s (api.upload_timeout_s)");
        Problem::new(Code::RequestTimeout, detail)
    };
    tokio::time::timeout(state.config.upload_timeout(), receiving).await.map_err(timed_out)?
}

async fn receive_form(state: &ApiState, mut form: Multipart) -> Result<ReceivedFile, Problem> {
    let max = state.config.max_dataset_bytes;
    let mut received = None;
    while let Some(field) = form.next_field().await.map_err(|error| body::problem(&error, max))? {
        match field.name() {
            Some("file") if received.is_none() => {
                let declared = field.content_type().map(Declared::in_content_type).unwrap_or_default();
                received = Some(write(state, field, declared).await?);
            }
            Some("file") => return Err(Problem::field("file", "must be sent once")),
            other => {
                return Err(Problem::field(
                    other.unwrap_or("file"),
                    "is not a known field; send the file as the field file",
                ));
            }
        }
    }
    received.ok_or_else(|| Problem::field("file", "is required"))
}

async fn write<E>(
    state: &ApiState,
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    declared: Declared,
) -> Result<ReceivedFile, Problem>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let max = state.config.max_dataset_bytes;
    let folder = state.config.upload_dir.clone();
    let (chunks, waiting) = mpsc::channel(WAITING_CHUNKS);
    let writer = tokio::task::spawn_blocking(move || file_writer::write(waiting, &folder, max));
    let mut broken = None;
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                broken = Some(body::problem(&error, max));
                break;
            }
        };
        if chunks.send(chunk).await.is_err() {
            // The writer has ended with an error.
            break;
        }
    }
    drop(chunks);
    // Also after a broken body: the writer removes the file.
    let written = writer.await.map_err(Problem::internal)?;
    if let Some(problem) = broken {
        return Err(problem);
    }
    let file = written.map_err(|error| match error {
        WriteError::TooLarge => body::too_large(max),
        WriteError::BrokenGzip(_) => body::broken_gzip(),
        WriteError::Disk(error) => Problem::unavailable("the work folder", error),
    })?;
    Ok(ReceivedFile { path: file.path, bytes: file.bytes, sha256: file.sha256, declared })
}
