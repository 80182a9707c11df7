//! `Content-Encoding` of requests: a body in an encoding that the route does not take is refused before it is read.

use axum::extract::Request;
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};

use trainyard_domain::shown;

use crate::problem::{Code, Problem};

const IDENTITY: &str = "identity";

/// Refuses a body that is encoded, unless in one of `taken`. `Accept-Encoding` then lists what is taken (RFC 9110, section 12.5.3).
pub(crate) fn check(request: &Request, taken: &'static [&'static str]) -> Result<(), Problem> {
    let mut values = request.headers().get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Ok(()) };
    if http_body::Body::is_end_stream(request.body()) {
        return Ok(());
    }
    let value = String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase();
    let is_taken = value.is_empty() || value == IDENTITY || taken.contains(&value.as_str());
    if is_taken && values.next().is_none() {
        return Ok(());
    }
    let accepted = taken.iter().copied().filter(|encoding| !encoding.starts_with("x-")).chain([IDENTITY]);
    let accepted = accepted.collect::<Vec<_>>().join(", ");
    let detail = format!("Content-Encoding {} is not supported here; supported: {accepted}", shown(&value));
    let header = HeaderValue::from_str(&accepted).unwrap_or(HeaderValue::from_static(IDENTITY));
    Err(Problem::new(Code::UnsupportedMediaType, detail).header(ACCEPT_ENCODING, header))
}
