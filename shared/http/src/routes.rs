//! The one route table.
//!
//! A handler is reachable only through an entry of [`Routes`], and an entry names its access: there is no way to
//! add one without. The same entries make the router, the table that tests walk, and the OpenAPI document.

mod entry;
mod guard;
mod openapi;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use http::Method;
use serde::{Deserialize, Serialize};
use trainyard_domain::Access;
use utoipa::openapi::OpenApi;

use entry::Entry;
pub use entry::Route;
use guard::Guard;

use crate::auth::Authenticator;
use crate::body::Pace;
use crate::middleware;
use crate::problem::{Code, Problem};

/// Largest body, in bytes, that anybody may send without signing in: credentials need no more.
const ANON_BODY_BYTES: usize = 64 * 1024;

/// Routes under construction: `S` is the state their handlers need, `()` once it is given.
#[derive(Debug)]
pub struct Routes<S = ()> {
    entries: Vec<Entry<S>>,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: Method,
    /// The path's template, such as `/training/{job_id}`.
    pub path: String,
    /// Who may call it.
    pub access: Access,
}

/// What a route allows a request unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Longest time to an answer's head, in seconds.
    pub timeout_s: u64,
    /// How slowly a body may come.
    pub pace: Pace,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 1024 * 1024, timeout_s: 30, pace: Pace::default() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// An empty table.
    pub fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a route that only callers with `access` reach.
    #[must_use]
    pub fn route(mut self, access: Access, route: impl Into<Route<S>>) -> Self {
        self.entries.extend(route.into().into_entries(access));
        self
    }

    /// Adds a route for anybody: `.anon(routes!(login))`.
    #[must_use]
    pub fn anon(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::Anon, route)
    }

    /// Adds a route for signed-in callers.
    #[must_use]
    pub fn user(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::User, route)
    }

    /// Adds a route for administrators and whoever owns what it is about; its handler checks which.
    #[must_use]
    pub fn owner(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::Owner, route)
    }

    /// Adds a route for administrators.
    #[must_use]
    pub fn admin(self, route: impl Into<Route<S>>) -> Self {
        self.route(Access::Admin, route)
    }

    /// Adds all of `other`'s routes.
    ///
    /// # Panics
    /// [`Routes::into_router`] panics when two routes have the same method and path.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Has these routes' callers checked by `authenticator`, whatever the router as a whole is given: where two roles
    /// share a process, each keeps its own.
    #[must_use]
    pub fn authenticated_by(mut self, authenticator: &Authenticator) -> Self {
        for entry in &mut self.entries {
            entry.authenticator.get_or_insert_with(|| authenticator.clone());
        }
        self
    }

    /// Gives the handlers their state.
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
    /// The router, with [`Limits::default`].
    pub fn into_router(self, authenticator: Authenticator) -> Router {
        self.into_router_with(authenticator, Limits::default())
    }

    /// The router: every route behind its access check and limits, everything else a 404 or 405, and the middleware
    /// around them all.
    pub fn into_router_with(self, authenticator: Authenticator, limits: Limits) -> Router {
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
                body_bytes: entry.body_bytes.unwrap_or(default_bytes),
                encodings: entry.encodings,
                pace: limits.pace,
                timeout: entry.timeout.unwrap_or(Duration::from_secs(limits.timeout_s)),
            });
            router = router.route(&entry.path, guard::around(entry.handler, guard));
        }
        router
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method)
            // The guard limits every body, also those that axum's own extractors don't.
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn(middleware::observe))
    }
}

async fn no_such_path() -> Problem {
    Problem::not_found("there is nothing at this path")
}

async fn no_such_method(request: Request) -> Response {
    let detail = format!("this path does not take {}; see Allow", request.method());
    Problem::new(Code::MethodNotAllowed, detail).into_response()
}
