//! JSON bodies, read strictly and written.

mod every_error;
mod node;
mod unique;

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use trainyard_domain::FieldError;

pub use unique::{UniqueMap, unique_map};

use crate::body;
use crate::problem::{Code, Problem};
use crate::serde_message::{BODY, field_error};

/// A JSON body: an object.
///
/// As an extractor it needs a type with `#[serde(deny_unknown_fields)]`. One 422 names every unknown, missing, repeated or
/// mistyped field. Invalid JSON is 400 with the line, another content type 415, a body over the route's limit 413.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Largest body that is parsed on the async thread, which takes at most two milliseconds.
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

/// A JSON body before parsing, for handlers that choose the thread on which they call [`parse`].
#[derive(Debug, Clone, Default)]
pub struct JsonBytes(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let declared = check_content_type(&parts.headers)?;
        let bytes = body::read(body).await?;
        // An empty body gets an error of its own from `parse`, whatever its content type.
        if !declared && !bytes.is_empty() {
            return Err(unsupported());
        }
        Ok(Self(bytes))
    }
}

/// Whether a content type is declared; 415 when it is not JSON.
fn check_content_type(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let Some(value) = values.next() else { return Ok(false) };
    let is_repeated = values.next().is_some();
    // What nearly every client sends.
    if value == "application/json" && !is_repeated {
        return Ok(true);
    }
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if !is_json || is_repeated {
        return Err(unsupported());
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    match charset.map(|charset| charset.trim_matches('"')) {
        // JSON is UTF-8 (RFC 8259, section 8.1); ASCII is a subset.
        None | Some("utf-8" | "utf8" | "us-ascii") => Ok(true),
        Some(_) => Err(Problem::new(Code::UnsupportedMediaType, "the charset of a JSON body must be utf-8")),
    }
}

fn unsupported() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "the content type must be application/json")
}

/// Parses a JSON object strictly, as [`Json`] does.
///
/// # Errors
/// 400 for broken JSON, 422 for every field that is unknown, missing, repeated or mistyped.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Problem::new(Code::MalformedJson, "the body is empty; send a JSON object")),
        // serde reads a list as the fields of a struct in their order.
        Some(b'[') => return Err(syntax_error(bytes).unwrap_or_else(|| Problem::field(BODY, "must be an object"))),
        Some(_) => {}
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        refusal(&error, bytes, |first| Problem::validation(every_error::every_error::<T>(bytes, first)))
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Parses a JSON object into a type that borrows from `bytes`. Unlike [`parse`], it reports only the first error.
///
/// # Errors
/// 400 for broken JSON, 422 for a field that is missing, repeated or mistyped.
pub fn parse_borrowed<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Problem> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Problem::new(Code::MalformedJson, "the body is empty; send a JSON object")),
        Some(b'{') => {}
        Some(_) => return Err(syntax_error(bytes).unwrap_or_else(|| Problem::field(BODY, "must be an object"))),
    }
    // Tracking the path costs time, so only a request that fails is parsed again.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| refusal(&error, bytes, |first| Problem::validation(vec![first])))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// The problem for an error of the parser. `of_fields` makes the problem for an error of a field.
fn refusal(
    error: &serde_path_to_error::Error<serde_json::Error>,
    bytes: &[u8],
    of_fields: impl FnOnce(FieldError) -> Problem,
) -> Problem {
    let message = error.inner().to_string();
    let of_field = match error.inner().classify() {
        Category::Data => true,
        // serde_json also reports a number in place of an enum, and a number out of range, as syntax errors.
        Category::Syntax => message.starts_with("expected value") || message.starts_with("number out of range"),
        Category::Eof | Category::Io => false,
    };
    if !of_field {
        return malformed(error.inner());
    }
    // serde may refuse a field before the parser reaches a syntax error. The syntax error is reported then.
    syntax_error(bytes).unwrap_or_else(|| of_fields(field_error(error.path(), &message)))
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
