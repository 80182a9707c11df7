//! The routes of the inference role: REST, and gRPC on its own listener.

mod drift;
pub(crate) mod grpc;
mod inference;
mod v2;

use std::sync::Arc;

use trainyard_http::{Route, Routes};
use utoipa_axum::routes;

use crate::service::Service;

/// All routes with their access rules.
pub(crate) fn routes(service: Arc<Service>) -> Routes {
    table(service.config.max_body_bytes).with_state(service)
}

/// The routes without state, for the OpenAPI document.
pub(crate) fn table(max_body_bytes: usize) -> Routes<Arc<Service>> {
    let inference = Routes::new().user(Route::new(routes!(inference::infer)).body_limit(max_body_bytes));
    inference.user(routes!(drift::drift)).merge(v2::table(max_body_bytes))
}
