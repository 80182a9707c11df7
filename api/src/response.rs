//! Responses with more than a body: 202 with its headers, and entity tags.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trainyard_domain::{JobId, JobStatus};
use trainyard_http::Json;

use crate::schemas::job::AcceptedView;

/// 202 with the URL of the accepted job.
pub struct Accepted(AcceptedView);

impl Accepted {
    /// A response about job `id`. The access log line of the request names the job too.
    pub(crate) fn new(id: JobId, status: JobStatus) -> Self {
        tracing::Span::current().record("job_id", tracing::field::display(id));
        Self(AcceptedView::new(id, status))
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let headers = [(header::LOCATION, self.0.status_url.clone()), (header::RETRY_AFTER, "1".to_owned())];
        (StatusCode::ACCEPTED, headers, Json(self.0)).into_response()
    }
}

/// Whether `If-None-Match` lists `etag`. The comparison is weak (RFC 9110 §13.1.2).
pub(crate) fn client_has(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())])
    }

    #[test]
    fn entity_tags_compare_weakly() {
        for known in ["W/\"7\"", "\"7\"", "\"1\", W/\"7\"", "*"] {
            assert!(client_has(&sent(known), "W/\"7\""), "{known}");
        }
        for other in ["\"70\"", "7", "", "W/\"8\""] {
            assert!(!client_has(&sent(other), "W/\"7\""), "{other}");
        }
        assert!(!client_has(&HeaderMap::new(), "W/\"7\""));
    }
}
