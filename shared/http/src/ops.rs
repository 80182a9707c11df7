//! What every role answers to those who run it: `/health`, `/health/ready`, `/metrics`.

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

/// The operations routes under construction.
#[derive(Debug)]
pub struct Ops {
    exposition: Exposition,
    alive: Vec<Check>,
    ready: Vec<Check>,
    stopping: CancellationToken,
}

impl Ops {
    /// Shows `metrics`, and no checks yet.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            exposition: Exposition::new(metrics),
            alive: Vec::new(),
            ready: Vec::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Adds a check of this very process to `/health`: when it fails, the process should be started anew. Never for
    /// services outside; restarting does not bring them back.
    #[must_use]
    pub fn alive(mut self, check: Check) -> Self {
        self.alive.push(check);
        self
    }

    /// Adds checks to `/health/ready`.
    #[must_use]
    pub fn ready(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.ready.extend(checks);
        self
    }

    /// Once `stopping` is cancelled `/health/ready` says no, whatever the checks say: what still comes is answered, and
    /// what can go elsewhere should.
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

/// Whether the process lives.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "It lives", body = Health),
    (status = 503, description = "It hangs and should be started anew", body = Health),
))]
async fn health(State(ops): State<Arc<Ops>>) -> Response {
    let status = Ready::of(check::run_all(&ops.alive).await).status;
    answer(status, Health { status })
}

/// Whether the process can do its work now: each dependency is asked, all at the same time.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses(
    (status = 200, description = "It can, if perhaps without something optional", body = Ready),
    (status = 503, description = "Something critical is away, or the process is about to stop", body = Ready),
))]
async fn ready(State(ops): State<Arc<Ops>>) -> Response {
    let report =
        if ops.stopping.is_cancelled() { Ready::stopping() } else { Ready::of(check::run_all(&ops.ready).await) };
    answer(report.status, report)
}

fn answer(status: Status, body: impl serde::Serialize) -> Response {
    let code = if status == Status::Unavailable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Everything counted so far, in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "The metrics", body = String, content_type = "text/plain; version=0.0.4"),
))]
async fn metrics(State(ops): State<Arc<Ops>>) -> Result<Response, Problem> {
    let text = ops.exposition.text()?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
