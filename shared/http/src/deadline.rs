//! Until when a request must be answered.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::time::Instant;

use crate::problem::Problem;

/// The moment at which the route's guard answers 503 in the handler's place. A handler that changes something must not let
/// the change happen later.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

impl<S: Send + Sync> FromRequestParts<S> for Deadline {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| Problem::internal("a route without a deadline"))
    }
}
