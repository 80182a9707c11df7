//! The gRPC methods: those of the Open Inference Protocol, `grpc.health.v1` and server reflection. The table has an entry with
//! an access per method, as that of REST; the work is that of [`crate::v2`].

mod answers;
mod health;
mod infer;
mod methods;
mod reflection;
mod request;

use std::sync::Arc;

use axum::routing::{MethodRouter, post};
use tokio_util::sync::CancellationToken;
use trainyard_domain::Access;
use trainyard_http::{Route, Routes};

use crate::service::Service;

/// The name of the service of the Open Inference Protocol.
const SERVICE: &str = "inference.GRPCInferenceService";

/// All methods. Streams end with `shutdown`.
///
/// # Errors
/// If the descriptors for the reflection are invalid.
pub(crate) fn routes(
    service: Arc<Service>,
    shutdown: &CancellationToken,
) -> Result<Routes, tonic_reflection::server::Error> {
    let max_bytes = service.config.max_body_bytes;
    let infer = Route::grpc(&path("ModelInfer"), post(infer::infer)).body_limit(max_bytes);
    let limited = Routes::new().route(Access::User, infer).limited_by(&service.in_flight);
    let routes = Routes::new()
        .route(Access::Anon, method("ServerLive", post(methods::server_live)))
        .route(Access::Anon, method("ServerReady", post(methods::server_ready)))
        .route(Access::User, method("ServerMetadata", post(methods::server_metadata)))
        .route(Access::User, method("ModelReady", post(methods::model_ready)))
        .route(Access::User, method("ModelMetadata", post(methods::model_metadata)))
        .route(Access::User, method("ModelStatistics", post(methods::model_statistics)))
        .route(Access::User, method("RepositoryIndex", post(methods::repository_index)))
        .route(Access::Admin, method("RepositoryModelLoad", post(methods::repository_model_load)))
        .route(Access::Admin, method("RepositoryModelUnload", post(methods::repository_model_unload)))
        .merge(limited)
        .with_state(service.clone());
    Ok(routes.merge(health::routes(service, shutdown)).merge(reflection::routes(shutdown)?))
}

fn path(method: &str) -> String {
    format!("/{SERVICE}/{method}")
}

fn method(name: &str, handler: MethodRouter<Arc<Service>>) -> Route<Arc<Service>> {
    Route::grpc(&path(name), handler)
}
