//! The checks before each handler: access, query parameters, encoding, then the limits on body and time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use tokio::time::{Instant, timeout_at};
use trainyard_domain::Access;

use crate::auth::Authenticator;
use crate::body::{self, Pace};
use crate::deadline::Deadline;
use crate::encoding;
use crate::grpc;
use crate::problem::{Code, Problem};
use crate::query;

/// The access and the limits of one route.
pub(super) struct Guard {
    pub(super) access: Access,
    pub(super) authenticator: Authenticator,
    /// Whether requests with a query parameter are refused.
    pub(super) refuses_queries: bool,
    /// Whether callers with an API key are refused.
    pub(super) refuses_api_keys: bool,
    /// Whether the route is a gRPC method.
    pub(super) is_grpc: bool,
    pub(super) body_bytes: usize,
    pub(super) encodings: &'static [&'static str],
    pub(super) pace: Pace,
    pub(super) timeout: Duration,
}

/// Runs `guard` before the methods of `handler`. Other methods are 405 for every caller.
pub(super) fn around(handler: MethodRouter, guard: Arc<Guard>) -> MethodRouter {
    handler.route_layer(from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Result<Response, Problem> {
    if let Some(principal) = guard.authenticator.authorize(guard.access, request.headers()).await? {
        // All further log lines of the request contain the user id.
        tracing::Span::current().record("user_id", tracing::field::display(principal.user_id));
        if guard.refuses_api_keys && principal.api_key.is_some() {
            let detail = "an API key can't change accounts, passwords or API keys; sign in instead";
            return Err(Problem::new(Code::Forbidden, detail));
        }
        request.extensions_mut().insert(principal);
    }
    if guard.refuses_queries {
        query::refuse_all(request.uri().query())?;
    }
    encoding::check(&request, guard.encodings)?;
    let client_timeout = if guard.is_grpc { grpc::client_timeout(&request)? } else { None };
    let deadline = Instant::now() + client_timeout.map_or(guard.timeout, |timeout| timeout.min(guard.timeout));
    request.extensions_mut().insert(Deadline(deadline));
    let (request, body_wait) = body::limited(request, guard.body_bytes, guard.pace)?;
    let late = || match client_timeout.filter(|timeout| *timeout <= guard.timeout) {
        Some(timeout) => {
            let detail = format!("the deadline of the call has passed: its grpc-timeout is {timeout:?}");
            Problem::new(Code::RequestTimeout, detail)
        }
        // 408 where the server was waiting for the body, 503 otherwise.
        None if body_wait.is_for_client() => Problem::late_body(guard.timeout),
        None => {
            let detail = format!("no response within {} s; try again shortly", guard.timeout.as_secs());
            Problem::new(Code::Unavailable, detail)
        }
    };
    // `timeout_at` would still run a handler that is ready at once.
    if Instant::now() >= deadline {
        return Err(late());
    }
    timeout_at(deadline, next.run(request)).await.map_err(|_| late())
}
