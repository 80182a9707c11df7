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
    let limited = predictions(service.config.max_body_bytes).limited_by(&service.in_flight);
    limited.merge(others()).with_state(service)
}

/// The routes without state, for the OpenAPI document.
pub(crate) fn table(max_body_bytes: usize) -> Routes<Arc<Service>> {
    predictions(max_body_bytes).merge(others())
}

/// The routes that predict, which share the limit on requests in flight.
fn predictions(max_body_bytes: usize) -> Routes<Arc<Service>> {
    let inference = Route::new(routes!(inference::infer)).body_limit(max_body_bytes);
    Routes::new().user(inference).merge(v2::predictions(max_body_bytes))
}

fn others() -> Routes<Arc<Service>> {
    Routes::new().user(routes!(drift::drift)).merge(v2::others())
}
