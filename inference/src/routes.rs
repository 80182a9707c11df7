//! The routes of the serving role.

mod inference;

use std::sync::Arc;

use trainyard_http::{Route, Routes};
use utoipa_axum::routes;

use crate::service::Service;

/// Every route, with who may call it.
pub(crate) fn routes(service: Arc<Service>) -> Routes {
    let max_body_bytes = service.config.max_body_bytes;
    Routes::new().user(Route::new(routes!(inference::infer)).body_limit(max_body_bytes)).with_state(service)
}
