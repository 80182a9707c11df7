//! Receives an uploaded file. The body streams into a temporary file and is decompressed, counted and hashed on the way; a
//! second thread profiles what has arrived.
//!
//! Limits bound the bytes received, the bytes after decompression, and the duration of the upload.

pub(crate) mod body;
pub(crate) mod content_type;
mod file_writer;
mod growing_file;
mod profile;
pub(crate) mod save;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use trainyard_csv::{Profile, ReadOptions};
use trainyard_http::{Code, Problem};

use crate::state::ApiState;
use body::ContentEncoding;
use content_type::{BodyKind, Declared};
use file_writer::WriteError;
use growing_file::{AbortOnDrop, GrowingFile, Written};
use profile::Profiling;

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
}

/// Receives and profiles the file of an upload: the body itself, or a field of a multipart form.
pub(crate) async fn receive(
    state: &ApiState,
    request: Request,
    options: ReadOptions,
    permit: &Arc<OwnedSemaphorePermit>,
) -> Result<(ReceivedFile, Profile), Problem> {
    let max = state.config.max_dataset_bytes;
    let encoding = ContentEncoding::of(request.headers());
    let kind = BodyKind::of(request.headers())?;
    let mut request = request.map(|body| body::decode(body, encoding, max + FORM_OVERHEAD));
    let receiving = async {
        let reading = Reading { state, options, permit };
        match kind {
            BodyKind::Form => {
                DefaultBodyLimit::disable().apply(&mut request);
                let form = Multipart::from_request(request, &()).await;
                receive_form(reading, form.map_err(|error| body::problem(&error, max))?).await
            }
            BodyKind::File(declared) => reading.receive(request.into_body().into_data_stream(), &declared).await,
        }
    };
    let limit_s = state.config.upload_timeout().as_secs();
    let timed_out = |_| {
        let detail = format!("the upload was not complete within {limit_s} s (api.upload_timeout_s)");
        Problem::new(Code::RequestTimeout, detail)
    };
    let (file, profiling) =
        tokio::time::timeout(state.config.upload_timeout(), receiving).await.map_err(timed_out)??;
    Ok((file, profiling.finish().await?))
}

async fn receive_form(reading: Reading<'_>, mut form: Multipart) -> Result<(ReceivedFile, Profiling), Problem> {
    let max = reading.state.config.max_dataset_bytes;
    let mut reading = Some(reading);
    let mut received = None;
    while let Some(field) = form.next_field().await.map_err(|error| body::problem(&error, max))? {
        match (field.name(), reading.take()) {
            (Some("file"), Some(reading)) => {
                let declared = field.content_type().map(Declared::in_content_type).unwrap_or_default();
                received = Some(reading.receive(field, &declared).await?);
            }
            (Some("file"), None) => return Err(Problem::field("file", "must be sent once")),
            (other, _) => {
                return Err(Problem::field(
                    other.unwrap_or("file"),
                    "is not a known field; send the file as the field file",
                ));
            }
        }
    }
    received.ok_or_else(|| Problem::field("file", "is required"))
}

/// How the file is read.
struct Reading<'a> {
    state: &'a ApiState,
    options: ReadOptions,
    /// Held until the file is profiled, also if the client disconnects before.
    permit: &'a Arc<OwnedSemaphorePermit>,
}

impl Reading<'_> {
    /// Receives a file. Its profile is complete soon after.
    async fn receive<E>(
        self,
        stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
        declared: &Declared,
    ) -> Result<(ReceivedFile, Profiling), Problem>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let Self { state, options, permit } = self;
        let disk = |error| Problem::unavailable("the work folder", error);
        // Readable like the files of the object store, which can be this file under another name.
        let mode = Permissions::from_mode(0o666);
        let file = tempfile::Builder::new().permissions(mode).tempfile_in(&state.config.upload_dir).map_err(disk)?;
        let written = Written::default();
        let growing = GrowingFile::new(file.reopen().map_err(disk)?, written.clone());
        let profiling = Profiling::start(growing, declared, options, &state.config, permit.clone())?;
        let received = write(stream, file, state.config.max_dataset_bytes, written).await?;
        Ok((received, profiling))
    }
}

async fn write<E>(
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    file: NamedTempFile,
    max: u64,
    written: Written,
) -> Result<ReceivedFile, Problem>
where
    E: std::error::Error + Send + Sync + 'static,
{
    // Also when the client disconnects.
    let _abort = AbortOnDrop(written.clone());
    let (chunks, waiting) = mpsc::channel(WAITING_CHUNKS);
    let progress = written.clone();
    let writer = tokio::task::spawn_blocking(move || file_writer::write(waiting, file, max, progress));
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
    let result = writer.await.map_err(Problem::internal)?;
    if let Some(problem) = broken {
        return Err(problem);
    }
    let file = result.map_err(|error| match error {
        WriteError::TooLarge => body::too_large(max),
        WriteError::BrokenGzip(_) => body::broken_gzip(),
        WriteError::Disk(error) => Problem::unavailable("the work folder", error),
    })?;
    written.complete();
    Ok(ReceivedFile { path: file.path, bytes: file.bytes, sha256: file.sha256 })
}
