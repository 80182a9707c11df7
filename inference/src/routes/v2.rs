//! The routes of the Open Inference Protocol under `/v2`. Their errors have the form of the protocol
//! ([`trainyard_http::problem::V2Error`]).

mod health;
mod infer;
mod metadata;
mod ready;
mod repository;
mod statistics;

use std::sync::Arc;

use trainyard_domain::shown;
use trainyard_http::{Problem, Route, Routes};
use utoipa_axum::routes;

use crate::service::Service;

/// The routes of the protocol that predict.
pub(super) fn predictions(max_body_bytes: usize) -> Routes<Arc<Service>> {
    Routes::new()
        .user(Route::new(routes!(infer::model)).body_limit(max_body_bytes))
        .user(Route::new(routes!(infer::version)).body_limit(max_body_bytes))
}

/// All other routes of the protocol.
pub(super) fn others() -> Routes<Arc<Service>> {
    Routes::new()
        .anon(routes!(health::live))
        .anon(routes!(health::ready))
        .user(routes!(metadata::server))
        .user(routes!(metadata::model))
        .user(routes!(metadata::version))
        .user(routes!(ready::model))
        .user(routes!(ready::version))
        .user(routes!(statistics::all))
        .user(routes!(statistics::model))
        .user(routes!(statistics::version))
        .user(routes!(repository::index))
        .admin(routes!(repository::load))
        .admin(routes!(repository::unload))
}

/// The version number in a path.
pub(super) fn parse_version(model: &str, version: &str) -> Result<i64, Problem> {
    let number = version.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        let (model, version) = (shown(model), shown(version));
        Problem::not_found(format!("there is no version '{version}' of a model '{model}': versions are numbers from 1"))
    })
}
