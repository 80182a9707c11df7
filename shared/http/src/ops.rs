//! The operations routes of every role: `/health`, `/health/ready`, `/metrics`.

mod check;
mod exposition;
mod report;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio_util::sync::CancellationToken;
use trainyard_telemetry::Metrics;
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

pub use check::{Check, CheckError};
pub use report::{CheckReport, CheckStatus, Health, Ready, Status};

use crate::json::Json;
use crate::problem::Problem;
use crate::routes::Routes;
use exposition::Exposition;

/// Builds the operations routes.
#[derive(Debug)]
pub struct Ops {
    exposition: Exposition,
    liveness: Vec<Check>,
    readiness: Vec<Check>,
    stopping: CancellationToken,
}

impl Ops {
    /// Routes that export `metrics`, without checks.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            exposition: Exposition::new(metrics),
            liveness: Vec::new(),
            readiness: Vec::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Adds a liveness check to `/health`: a failure means that the process must be restarted. Checks of external services
    /// do not belong here, since a restart does not repair them.
    #[must_use]
    pub fn alive(mut self, check: Check) -> Self {
        self.liveness.push(check);
        self
    }

    /// Adds readiness checks to `/health/ready`.
    #[must_use]
    pub fn ready(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.readiness.extend(checks);
        self
    }

    /// `/health/ready` is 503 once `stopping` is cancelled, so that load balancers send requests elsewhere. Requests that
    /// still arrive are answered.
    #[must_use]
    pub fn until(mut self, stopping: CancellationToken) -> Self {
        self.stopping = stopping;
        self
    }

    /// The three routes.
    pub fn routes(self) -> Routes {
        table().with_state(Arc::new(self))
    }
}

fn table() -> Routes<Arc<Ops>> {
    Routes::new().anon(routes!(health)).anon(routes!(ready)).anon(routes!(metrics))
}

/// The OpenAPI document of the three routes.
pub fn openapi() -> OpenApi {
    table().openapi()
}

/// Liveness: whether the process works.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "The process works", body = Health),
    (status = 503, description = "The process hangs and must be restarted", body = Health),
))]
async fn health(State(ops): State<Arc<Ops>>) -> Response {
    let status = Ready::of(check::run_all(&ops.liveness).await).status;
    answer(status, Health { status })
}

/// Readiness: whether the process can serve requests. All dependencies are checked concurrently.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses(
    (status = 200, description = "Ready, or degraded: only optional dependencies fail", body = Ready),
    (status = 503, description = "A critical dependency fails, or the process is stopping", body = Ready),
))]
async fn ready(State(ops): State<Arc<Ops>>) -> Response {
    let report =
        if ops.stopping.is_cancelled() { Ready::stopping() } else { Ready::of(check::run_all(&ops.readiness).await) };
    answer(report.status, report)
}

fn answer(status: Status, body: impl serde::Serialize) -> Response {
    let code = if status == Status::Unavailable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// All metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "The metrics", body = String, content_type = "text/plain; version=0.0.4"),
))]
async fn metrics(State(ops): State<Arc<Ops>>) -> Result<Response, Problem> {
    let text = ops.exposition.text()?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
