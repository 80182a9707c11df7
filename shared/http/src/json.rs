//! JSON bodies, read strictly and written.

mod every_error;
mod node;
mod unique;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

pub use unique::{UniqueMap, unique_map};

use crate::explain::{WHOLE, explain};
use crate::problem::{Code, Problem};

/// A JSON body.
///
/// Read: the type must say `#[serde(deny_unknown_fields)]`. Every unknown, missing, repeated or mistyped field is named in
/// one 422, broken JSON is 400 by line, another content type 415, a body over the route's limit 413. Bodies are objects.
/// Written: `application/json`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Bodies up to here are parsed within a millisecond or two, so at once; larger ones are left to a thread for long
/// computations.
const INLINE_BYTES: usize = 256 << 10;

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        if bytes.len() <= INLINE_BYTES {
            return parse(&bytes).map(Self);
        }
        tokio::task::spawn_blocking(move || parse(&bytes).map(Self)).await.map_err(Problem::internal)?
    }
}

/// A JSON body before it is parsed, for handlers that choose where the parsing is done: [`parse`] does the rest.
#[derive(Debug, Clone, Default)]
pub struct JsonBytes(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let declared = check_content_type(&parts.headers)?;
        let bytes = read(body).await?;
        // No body at all deserves to be told so, whatever its type.
        if !declared && !bytes.is_empty() {
            return Err(unsupported());
        }
        Ok(Self(bytes))
    }
}

/// The whole body; the route's limit bounds it.
async fn read(body: Body) -> Result<Bytes, Problem> {
    let collected = body.collect().await.map_err(|error| Problem::unreadable_body(&error))?;
    Ok(collected.to_bytes())
}

/// Whether a content type is declared; 415 when it is not JSON.
fn check_content_type(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let Some(value) = values.next() else { return Ok(false) };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if !is_json || values.next().is_some() {
        return Err(unsupported());
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    match charset.map(|charset| charset.trim_matches('"')) {
        // JSON is UTF-8 (RFC 8259, section 8.1), of which ASCII is a part.
        None | Some("utf-8" | "utf8" | "us-ascii") => Ok(true),
        Some(_) => Err(Problem::new(Code::UnsupportedMediaType, "the charset must be utf-8")),
    }
}

fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "the content type must be application/json")
}

/// Parses a JSON object strictly: what [`Json`] does once it has the bytes.
///
/// # Errors
/// 400 for broken JSON, 422 for every field that is unknown, missing, repeated or mistyped.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Problem::new(Code::MalformedJson, "the body is empty; a JSON object was expected")),
        // serde would read a list as a struct's fields in order.
        Some(b'[') => return Err(syntax_error(bytes).unwrap_or_else(|| Problem::field(WHOLE, "must be an object"))),
        Some(_) => {}
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| refusal::<T>(&error, bytes))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn refusal<T: DeserializeOwned>(error: &serde_path_to_error::Error<serde_json::Error>, bytes: &[u8]) -> Problem {
    let message = error.inner().to_string();
    let of_field = match error.inner().classify() {
        Category::Data => true,
        // serde_json speaks of broken syntax also where an enum is given a number, or a number has no room.
        Category::Syntax => message.starts_with("expected value") || message.starts_with("number out of range"),
        Category::Eof | Category::Io => false,
    };
    if !of_field {
        return malformed(error.inner());
    }
    // A field may be refused before the parser reaches where the text breaks; broken text is the first fault.
    syntax_error(bytes).unwrap_or_else(|| {
        let first = explain(error.path(), &message);
        Problem::validation(every_error::every_error::<T>(bytes, first))
    })
}

fn syntax_error(bytes: &[u8]) -> Option<Problem> {
    serde_json::from_slice::<IgnoredAny>(bytes).err().map(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson, format!("the body is not valid JSON: {error}"))
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response(),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}
