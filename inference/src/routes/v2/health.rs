//! Liveness and readiness of the server.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;
use trainyard_http::Json;
use utoipa::ToSchema;

use crate::service::Service;

/// Whether the server works.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2Live)]
pub(crate) struct Live {
    /// Always true.
    live: bool,
}

/// Whether the server can predict.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = V2Ready)]
pub(crate) struct Ready {
    /// Whether the models are loaded and the process does not stop.
    ready: bool,
}

/// Whether the server receives requests.
#[utoipa::path(get, path = "/v2/health/live", operation_id = "v2_server_live", tag = "inference", responses(
    (status = 200, description = "The server works", body = Live),
))]
pub(crate) async fn live() -> Json<Live> {
    Json(Live { live: true })
}

/// Whether the models that were published at the start are loaded, or have failed to load, and all required ones are loaded.
#[utoipa::path(get, path = "/v2/health/ready", operation_id = "v2_server_ready", tag = "inference", responses(
    (status = 200, description = "Ready", body = Ready),
    (status = 503, description = "The models are not loaded yet, or the process is stopping", body = Ready),
))]
pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.is_ready() {
        true => Json(Ready { ready: true }).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], Json(Ready { ready: false })).into_response(),
    }
}
