//! The steps before each handler: the limit on requests in flight, the middleware, then the checks of access, query parameters
//! and encoding, and the limits on body and time.
//!
//! All steps are one tower service, because axum allocates several times for each layer of a route, and an outer layer clones
//! its inner layers for each request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, Route};
use futures::future::BoxFuture;
use http::Method;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};
use trainyard_domain::Access;

use crate::auth::Authenticator;
use crate::body::{self, Pace};
use crate::deadline::Deadline;
use crate::encoding;
use crate::grpc;
use crate::in_flight::LimitedRoute;
use crate::middleware;
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
    /// The limit on POST requests in flight.
    pub(super) in_flight: Option<LimitedRoute>,
}

/// Puts `guard` around the methods of `handler`. Other methods are 405 for every caller.
pub(super) fn around(handler: MethodRouter, guard: Arc<Guard>) -> MethodRouter {
    handler.route_layer(GuardLayer(guard))
}

#[derive(Clone)]
struct GuardLayer(Arc<Guard>);

impl Layer<Route> for GuardLayer {
    type Service = Guarded;

    fn layer(&self, handler: Route) -> Guarded {
        Guarded { guard: self.0.clone(), handler: Arc::new(handler) }
    }
}

/// A handler with its guard. axum clones the service for each request, so a clone must only copy two pointers.
#[derive(Clone)]
struct Guarded {
    guard: Arc<Guard>,
    handler: Arc<Route>,
}

impl Service<Request> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { guard, handler } = self.clone();
        Box::pin(async move { Ok(guard.answer(request, &handler).await) })
    }
}

impl Guard {
    async fn answer(&self, request: Request, handler: &Route) -> Response {
        let checked = move |request| async move {
            self.check(request, handler).await.unwrap_or_else(IntoResponse::into_response)
        };
        let observed = move |request| middleware::observe(request, checked);
        match self.in_flight.as_ref().filter(|_| request.method() == Method::POST) {
            Some(limit) => limit.admit(request, observed).await,
            None => observed(request).await,
        }
    }

    async fn check(&self, mut request: Request, handler: &Route) -> Result<Response, Problem> {
        if let Some(principal) = self.authenticator.authorize(self.access, request.headers()).await? {
            // All further log lines of the request contain the user id.
            tracing::Span::current().record("user_id", tracing::field::display(principal.user_id));
            if self.refuses_api_keys && principal.api_key.is_some() {
                let detail = "an API key can't change accounts, passwords or API keys; sign in instead";
                return Err(Problem::new(Code::Forbidden, detail));
            }
            request.extensions_mut().insert(principal);
        }
        if self.refuses_queries {
            query::refuse_all(request.uri().query())?;
        }
        encoding::check(&request, self.encodings)?;
        let client_timeout = if self.is_grpc { grpc::client_timeout(&request)? } else { None };
        let deadline = Instant::now() + client_timeout.map_or(self.timeout, |timeout| timeout.min(self.timeout));
        request.extensions_mut().insert(Deadline(deadline));
        let (request, body_wait) = body::limited(request, self.body_bytes, self.pace)?;
        let late = || match client_timeout.filter(|timeout| *timeout <= self.timeout) {
            Some(timeout) => {
                let detail = format!("the deadline of the call has passed: its grpc-timeout is {timeout:?}");
                Problem::new(Code::RequestTimeout, detail)
            }
            // 408 where the server was waiting for the body, 503 otherwise.
            None if body_wait.is_for_client() => Problem::late_body(self.timeout),
            None => {
                let detail = format!("no response within {} s; try again shortly", self.timeout.as_secs());
                Problem::new(Code::Unavailable, detail)
            }
        };
        // `timeout_at` would still run a handler that is ready at once.
        if Instant::now() >= deadline {
            return Err(late());
        }
        let Ok(answered) = timeout_at(deadline, handler.clone().call(request)).await.map_err(|_| late())?;
        Ok(answered)
    }
}
