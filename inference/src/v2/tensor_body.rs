//! The body of an inference request: JSON with binary data, or the message of a gRPC call.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use trainyard_http::{Code, Problem, body};

use super::refusal;

/// The header with the length of the JSON, if binary data follows it.
pub(crate) const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// A body that has not been read yet.
#[derive(Debug, Clone)]
pub(crate) struct TensorBody {
    bytes: Bytes,
    /// Where the JSON ends; `None` in a gRPC call.
    json_bytes: Option<usize>,
}

/// The parts of a body.
pub(crate) enum Parts<'a> {
    /// The JSON, and the binary data after it.
    Json(&'a [u8], &'a [u8]),
    /// The message of a gRPC call.
    Message(&'a [u8]),
}

impl TensorBody {
    /// The message of a gRPC call.
    pub(crate) fn of_message(bytes: Bytes) -> Self {
        Self { bytes, json_bytes: None }
    }

    /// The length of the body, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The parts.
    pub(crate) fn parts(&self) -> Parts<'_> {
        match self.json_bytes {
            Some(json_bytes) => {
                let (json, binary) = self.bytes.split_at(json_bytes);
                Parts::Json(json, binary)
            }
            None => Parts::Message(&self.bytes),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for TensorBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers)?;
        let json_bytes = json_length(&parts.headers)?;
        let bytes = body::read(body).await?;
        let json_bytes = json_bytes.unwrap_or(bytes.len());
        if json_bytes > bytes.len() {
            let length = bytes.len();
            return Err(refusal(format!(
                "the header Inference-Header-Content-Length is {json_bytes}, but the body has only {length} bytes"
            )));
        }
        Ok(Self { bytes, json_bytes: Some(json_bytes) })
    }
}

/// Refuses content types that are neither JSON nor binary data, such as forms. Clients send JSON with either type, or with
/// none.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json || essence == "application/octet-stream" {
        return Ok(());
    }
    let detail = "the content type must be application/json, or application/octet-stream with binary data";
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn json_length(headers: &HeaderMap) -> Result<Option<usize>, Problem> {
    let mut values = headers.get_all(JSON_LENGTH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    // `parse` alone would accept a sign.
    let text = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match text.and_then(|text| text.parse().ok()) {
        Some(length) if values.next().is_none() => Ok(Some(length)),
        _ => Err(refusal(
            "the header Inference-Header-Content-Length must be one number: the length of the JSON in bytes",
        )),
    }
}
