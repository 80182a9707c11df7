//! The route table.
//!
//! A handler is reachable only through an entry of [`Routes`], and each entry has an access. The router, the table for
//! tests and the OpenAPI document are built from the same entries.

mod entry;
mod guard;
mod openapi;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Method;
use trainyard_domain::{Access, shown};
use utoipa::openapi::OpenApi;

use entry::Entry;
pub use entry::Route;
use guard::Guard;

use crate::auth::Authenticator;
use crate::body::Pace;
use crate::grpc;
use crate::in_flight::{InFlightLimit, LimitedRoute};
use crate::middleware;
use crate::problem::{Code, Problem};

/// Largest body in bytes of a route without authentication.
const ANON_BODY_BYTES: usize = 64 * 1024;

/// Builds a route table. `S` is the state of the handlers; [`Routes::with_state`] makes it `()`.
#[derive(Debug)]
pub struct Routes<S = ()> {
    entries: Vec<Entry<S>>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The HTTP method.
    pub method: Method,
    /// The path template, such as `/training/{job_id}`.
    pub path: String,
    /// The access that a caller needs.
    pub access: Access,
}

/// Limits of all routes without limits of their own. [`crate::ServerConfig::requests`] reads them from the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Longest time until the head of the response, in seconds.
    pub timeout_s: u64,
    /// How slowly a client may send a body.
    pub pace: Pace,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// An empty table.
    pub fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a route for callers with `access`.
    #[must_use]
    pub fn route(mut self, access: Access, route: impl Into<Route<S>>) -> Self {
        self.entries.extend(route.into().into_entries(access));
        self
    }

    /// Adds a route without authentication: `.anon(routes!(login))`.
    #[must_use]
    pub fn anon(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::Anon, route)
    }

    /// Adds a route for signed-in callers.
    #[must_use]
    pub fn user(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::User, route)
    }

    /// Adds a route for administrators and for the owner of the resource; the handler checks the ownership.
    #[must_use]
    pub fn owner(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::Owner, route)
    }

    /// Adds a route for administrators.
    #[must_use]
    pub fn admin(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::Admin, route)
    }

    /// Adds all routes of `other`.
    ///
    /// # Panics
    /// [`Routes::into_router`] panics when two routes have the same method and path.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Sets the authenticator of these routes, which the router's authenticator does not replace. Two roles in one process
    /// use it.
    #[must_use]
    pub fn authenticated_by(mut self, authenticator: &Authenticator) -> Self {
        for entry in &mut self.entries {
            entry.authenticator.get_or_insert_with(|| authenticator.clone());
        }
        self
    }

    /// Sets the limit on the POST requests in flight of these routes, which they share. Other methods have no limit.
    #[must_use]
    pub fn limited_by(mut self, limit: &InFlightLimit) -> Self {
        for entry in &mut self.entries {
            entry.in_flight = Some(limit.clone());
        }
        self
    }

    /// Passes `state` to the handlers.
    pub fn with_state(self, state: S) -> Routes {
        let entries = self.entries.into_iter().map(|entry| entry.with_state(state.clone())).collect();
        Routes { entries }
    }

    /// Every method and path with its access, sorted by path.
    pub fn table(&self) -> Vec<RouteInfo> {
        let mut table: Vec<_> = self.entries.iter().flat_map(Entry::infos).collect();
        table.sort_by(|a, b| (&a.path, a.method.as_str()).cmp(&(&b.path, b.method.as_str())));
        table
    }

    /// The OpenAPI 3.1 document of these routes.
    pub fn openapi(&self) -> OpenApi {
        openapi::document(&self.entries)
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl Routes {
    /// The router: each route with its access check and limits, 404 and 405 otherwise, and the middleware around all.
    pub fn into_router(self, authenticator: Authenticator, limits: Limits) -> Router {
        let mut router = Router::new();
        for entry in self.entries {
            let refuses_queries = entry.refuses_queries();
            let default_bytes = match entry.access {
                Access::Anon => limits.body_bytes.min(ANON_BODY_BYTES),
                _ => limits.body_bytes,
            };
            let guard = Arc::new(Guard {
                access: entry.access,
                authenticator: entry.authenticator.unwrap_or_else(|| authenticator.clone()),
                refuses_queries,
                refuses_api_keys: entry.refuses_api_keys,
                is_grpc: entry.is_grpc,
                body_bytes: entry.body_bytes.unwrap_or(default_bytes),
                encodings: entry.encodings,
                pace: limits.pace,
                timeout: entry.timeout.unwrap_or(Duration::from_secs(limits.timeout_s)),
                in_flight: entry.in_flight.map(|limit| LimitedRoute::new(limit, &entry.path)),
            });
            router = router.route(&entry.path, guard::around(entry.handler, guard));
        }
        router.fallback(no_such_path).method_not_allowed_fallback(no_such_method)
    }
}

async fn no_such_path(request: Request) -> Response {
    middleware::observe(request, |request| async move { unknown_path(&request).into_response() }).await
}

async fn no_such_method(request: Request) -> Response {
    middleware::observe(request, |request| async move { unknown_method(&request).into_response() }).await
}

fn unknown_path(request: &Request) -> Problem {
    if grpc::is_grpc(request.headers()) {
        let method = shown(request.uri().path().trim_start_matches('/'));
        return Problem::new(Code::MethodNotAllowed, format!("this server has no gRPC method '{method}'"));
    }
    Problem::not_found("no route has this path")
}

fn unknown_method(request: &Request) -> Problem {
    let detail = format!("this path does not support {}; the Allow header lists its methods", request.method());
    Problem::new(Code::MethodNotAllowed, detail)
}
