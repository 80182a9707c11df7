//! The body of an upload as plain bytes: decompressed where needed, and limited in size.

use std::error::Error;
use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio_util::io::{ReaderStream, StreamReader};
use trainyard_http::{Code, Problem};

const CHUNK: usize = 64 << 10;

/// The `Content-Encoding` of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentEncoding {
    Identity,
    Gzip,
}

/// Why reading a body ended early.
#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the body is too large")]
    TooLarge,
    #[error("the gzip stream is broken")]
    BrokenGzip(#[source] io::Error),
}

/// The values of `Content-Encoding` that are decoded. The route refuses all others.
pub(crate) const ENCODINGS: &[&str] = &["gzip", "x-gzip"];

impl ContentEncoding {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        match value.is_some_and(|value| ENCODINGS.contains(&value.trim().to_ascii_lowercase().as_str())) {
            true => Self::Gzip,
            false => Self::Identity,
        }
    }
}

/// The decoded body. More than `max` bytes, before or after decompression, are an error: a small gzip stream can decode to
/// gigabytes, and endless empty gzip members decode to nothing.
pub(crate) fn decode(body: Body, encoding: ContentEncoding, max: u64) -> Body {
    let encoded = limit(body.into_data_stream().map(|chunk| chunk.map_err(io::Error::other)), max);
    match encoding {
        ContentEncoding::Identity => Body::from_stream(encoded),
        ContentEncoding::Gzip => {
            let mut decoder = GzipDecoder::new(StreamReader::new(Box::pin(encoded)));
            // A gzip file may have several members. By default the decoder stops after the first one.
            decoder.multiple_members(true);
            let plain = ReaderStream::with_capacity(decoder, CHUNK).map(|chunk| chunk.map_err(to_body_error));
            Body::from_stream(limit(plain, max))
        }
    }
}

fn limit(
    stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    max: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let mut total = 0_u64;
    stream.map(move |chunk| {
        let chunk = chunk?;
        total += chunk.len() as u64;
        if total > max { Err(io::Error::other(BodyError::TooLarge)) } else { Ok(chunk) }
    })
}

/// Marks errors of the decoder as [`BodyError::BrokenGzip`]. Errors of the body below the decoder stay as they are.
fn to_body_error(error: io::Error) -> io::Error {
    let is_decoder_error =
        matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput);
    if is_decoder_error { io::Error::other(BodyError::BrokenGzip(error)) } else { error }
}

/// The problem document for a body that could not be read completely. `max` is the size limit.
pub(crate) fn problem(error: &(dyn Error + 'static), max: u64) -> Problem {
    let (mut cause, mut broken_form) = (Some(error), false);
    while let Some(link) = cause {
        // `io::Error::source` skips the wrapped error and returns the source of the wrapped error.
        let inner = link.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        match inner.and_then(|inner| inner.downcast_ref()).or_else(|| link.downcast_ref()) {
            Some(BodyError::TooLarge) => return too_large(max),
            Some(BodyError::BrokenGzip(_)) => return broken_gzip(),
            None => {}
        }
        broken_form |= link.downcast_ref::<MultipartError>().is_some_and(|e| e.status() == StatusCode::BAD_REQUEST);
        cause = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => link.source(),
        };
    }
    if broken_form {
        return Problem::new(Code::BadRequest, "the multipart form is malformed");
    }
    Problem::unreadable_body(error)
}

/// 422 for a gzip stream that is cut or damaged.
pub(crate) fn broken_gzip() -> Problem {
    Problem::field("file", "is not a complete gzip stream; compress the file again")
}

/// 413 for a file of more than `max` bytes.
pub(crate) fn too_large(max: u64) -> Problem {
    Problem::new(
        Code::PayloadTooLarge,
        format!("the file must have at most {max} bytes after decompression (api.max_dataset_bytes)"),
    )
}
