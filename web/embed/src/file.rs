//! One embedded file and its response: encoding, entity tag, caching.

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

/// The folder of the files whose names contain a hash of their content.
pub(crate) const HASHED: &str = "assets/";

/// A file of the built console.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// The path below `web/dist`.
    pub name: &'static str,
    /// The entity tag, with its quotes.
    pub etag: &'static str,
    /// The content.
    pub plain: &'static [u8],
    /// The content, compressed with Brotli, if that is smaller.
    pub brotli: Option<&'static [u8]>,
    /// The content, compressed with gzip, if that is smaller.
    pub gzip: Option<&'static [u8]>,
}

impl File {
    /// The response to a GET request with these headers.
    pub(crate) fn response(&self, request: &HeaderMap) -> Response {
        let (encoding, content) = self.encoded(request);
        let etag = encoding.map_or_else(|| self.etag.to_owned(), |name| self.etag_of(name));
        let unchanged = values(request, &IF_NONE_MATCH).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag);
        let mut response = Response::new(if unchanged { Body::empty() } else { Body::from(content) });
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        // A hashed file never changes. Every other file is checked by its entity tag.
        let caching = if self.name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        if let Ok(etag) = HeaderValue::try_from(etag) {
            headers.insert(ETAG, etag);
        }
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    /// The smallest content that the client accepts, with its encoding.
    fn encoded(&self, request: &HeaderMap) -> (Option<&'static str>, Bytes) {
        let accepts = |name: &str| {
            values(request, &ACCEPT_ENCODING).any(|part| {
                let mut parameters = part.split(';').map(str::trim);
                parameters.next() == Some(name) && !parameters.any(|parameter| matches!(parameter, "q=0" | "q=0.0"))
            })
        };
        let (encoding, content) = match (self.brotli, self.gzip) {
            (Some(brotli), _) if accepts("br") => (Some("br"), brotli),
            (_, Some(gzip)) if accepts("gzip") => (Some("gzip"), gzip),
            _ => (None, self.plain),
        };
        (encoding, Bytes::from_static(content))
    }

    /// Each encoding has a strong entity tag of its own (RFC 9110, section 8.8.3.3).
    fn etag_of(&self, encoding: &str) -> String {
        format!("{}-{encoding}\"", self.etag.trim_end_matches('"'))
    }

    fn content_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("json" | "webmanifest") => "application/json",
            Some("png") => "image/png",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

/// The comma-separated values of all headers with this name.
fn values<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}
