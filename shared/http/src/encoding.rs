//! `Content-Encoding` of requests: an encoding that the route does not support is refused before the body is read.

use axum::extract::Request;
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};

use trainyard_domain::shown;

use crate::problem::{Code, Problem};

const IDENTITY: &str = "identity";

/// Refuses a body with an encoding that is not in `supported`. The response lists the supported ones in `Accept-Encoding`
/// (RFC 9110, section 12.5.3).
pub(crate) fn check(request: &Request, supported: &'static [&'static str]) -> Result<(), Problem> {
    let mut values = request.headers().get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Ok(()) };
    if http_body::Body::is_end_stream(request.body()) {
        return Ok(());
    }
    let value = String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase();
    let is_supported = value.is_empty() || value == IDENTITY || supported.contains(&value.as_str());
    if is_supported && values.next().is_none() {
        return Ok(());
    }
    let accepted = supported.iter().copied().filter(|encoding| !encoding.starts_with("x-")).chain([IDENTITY]);
    let accepted = accepted.collect::<Vec<_>>().join(", ");
    let detail = format!("Content-Encoding {} is not supported here; supported: {accepted}", shown(&value));
    let header = HeaderValue::from_str(&accepted).unwrap_or(HeaderValue::from_static(IDENTITY));
    Err(Problem::new(Code::UnsupportedMediaType, detail).header(ACCEPT_ENCODING, header))
}
