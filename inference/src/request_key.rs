//! The request key: requests with the same key are answered by the same version of a model with weights.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use trainyard_http::Problem;

const REQUEST_KEY: HeaderName = HeaderName::from_static("x-trainyard-request-key");

/// The value of the header `X-Trainyard-Request-Key`; an empty one counts as absent. The value is not copied.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestKey(Option<HeaderValue>);

impl RequestKey {
    /// The bytes of the key.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.0.as_ref().map(HeaderValue::as_bytes).filter(|key| !key.is_empty())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(parts.headers.get(REQUEST_KEY).cloned()))
    }
}
