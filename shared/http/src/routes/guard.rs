//! What stands before each handler: its access check first, then the limits on body and time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use trainyard_domain::Access;

use crate::auth::Authenticator;
use crate::body::{self, Pace};
use crate::encoding;
use crate::problem::{Code, Problem};
use crate::query;

/// What a route asks of its callers and allows them.
pub(super) struct Guard {
    pub(super) access: Access,
    pub(super) authenticator: Authenticator,
    /// Whether a request with any query parameter is refused.
    pub(super) refuses_queries: bool,
    pub(super) body_bytes: usize,
    pub(super) encodings: &'static [&'static str],
    pub(super) pace: Pace,
    pub(super) timeout: Duration,
}

/// Puts `guard` before the methods of `handler`; other methods stay 405 for everybody.
pub(super) fn around(handler: MethodRouter, guard: Arc<Guard>) -> MethodRouter {
    handler.route_layer(from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Result<Response, Problem> {
    if let Some(principal) = guard.authenticator.admit(guard.access, request.headers()).await? {
        // From here on every log line of the request says whose it is.
        tracing::Span::current().record("user_id", tracing::field::display(principal.user_id));
        request.extensions_mut().insert(principal);
    }
    if guard.refuses_queries {
        query::refuse_all(request.uri().query())?;
    }
    encoding::check(&request, guard.encodings)?;
    let (request, waiting) = body::limited(request, guard.body_bytes, guard.pace)?;
    // The handler leaves a body unread when its time is over; whose fault that is shows in what was waited for.
    tokio::time::timeout(guard.timeout, next.run(request)).await.map_err(|_| match waiting.for_client() {
        true => Problem::late_body(guard.timeout),
        false => {
            let detail = format!("no answer within {} s; try again shortly", guard.timeout.as_secs());
            Problem::new(Code::Unavailable, detail)
        }
    })
}
