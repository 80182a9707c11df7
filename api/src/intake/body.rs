//! A request's body as plain bytes: unpacked where it came packed, and cut off where it is too large.

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

/// How a body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
}

/// Why a body was cut off.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the body is too large")]
    TooLarge,
    #[error("the gzip stream is broken")]
    BrokenGzip(#[source] io::Error),
}

/// The values of `Content-Encoding` that are decoded here; the route refuses all others.
pub(crate) const ENCODINGS: &[&str] = &["gzip", "x-gzip"];

impl Packing {
    /// What `Content-Encoding` says.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        match value.is_some_and(|value| ENCODINGS.contains(&value.trim().to_ascii_lowercase().as_str())) {
            true => Self::Gzip,
            false => Self::Plain,
        }
    }
}

/// The body, unpacked. Past `max` bytes, packed or unpacked, it ends in an error: a few bytes of gzip can stand for
/// gigabytes, and endless gzip members for nothing at all.
pub(crate) fn unpack(body: Body, packing: Packing, max: u64) -> Body {
    let packed = limit(body.into_data_stream().map(|chunk| chunk.map_err(io::Error::other)), max);
    match packing {
        Packing::Plain => Body::from_stream(packed),
        Packing::Gzip => {
            let mut decoder = GzipDecoder::new(StreamReader::new(Box::pin(packed)));
            // A .gz may be several put together; without this all but the first would be dropped silently.
            decoder.multiple_members(true);
            let plain = ReaderStream::with_capacity(decoder, CHUNK).map(|chunk| chunk.map_err(explain));
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
        if total > max { Err(io::Error::other(Cut::TooLarge)) } else { Ok(chunk) }
    })
}

/// The decoder's own complaints are about the packed bytes; errors that passed through it stay what they are.
fn explain(error: io::Error) -> io::Error {
    let own =
        matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput);
    if own { io::Error::other(Cut::BrokenGzip(error)) } else { error }
}

/// The answer to a body that could not be read to its end, of which at most `max` bytes are taken.
pub(crate) fn refuse(error: &(dyn Error + 'static), max: u64) -> Problem {
    let (mut cause, mut broken_form) = (Some(error), false);
    while let Some(link) = cause {
        // An `io::Error` hides what it wraps from `source`, which skips to the wrapped error's own source.
        let inner = link.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        match inner.and_then(|inner| inner.downcast_ref()).or_else(|| link.downcast_ref()) {
            Some(Cut::TooLarge) => return too_large(max),
            Some(Cut::BrokenGzip(_)) => return Problem::field("file", "is not a complete gzip stream"),
            None => {}
        }
        broken_form |= link.downcast_ref::<MultipartError>().is_some_and(|e| e.status() == StatusCode::BAD_REQUEST);
        cause = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => link.source(),
        };
    }
    if broken_form {
        return Problem::new(Code::BadRequest, "the multipart form is broken");
    }
    Problem::unreadable_body(error)
}

/// 413 for a CSV of more than `max` bytes.
pub(crate) fn too_large(max: u64) -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("the CSV must have at most {max} bytes, unpacked"))
}
