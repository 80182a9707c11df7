//! Server reflection, for clients such as grpcurl that do not have the `.proto` file. It describes only the public interface.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::map_request;
use axum::routing::{MethodRouter, post_service};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic_reflection::server::{Builder, Error};
use trainyard_http::{Route, Routes};

use crate::proto::DESCRIPTORS;

/// Both versions of the protocol, which differ only in their names. The streams end with `shutdown`.
pub(super) fn routes(shutdown: &CancellationToken) -> Result<Routes, Error> {
    let route = |version: &str, server| {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        Route::grpc(&path, until(shutdown.clone(), server))
    };
    let v1 = route("v1", post_service(services().build_v1()?));
    let v1alpha = route("v1alpha", post_service(services().build_v1alpha()?));
    Ok(Routes::new().anon(v1).anon(v1alpha))
}

fn services() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Ends the stream of requests with `shutdown`, and so the stream of responses: a client would keep it open.
fn until(shutdown: CancellationToken, server: MethodRouter) -> MethodRouter {
    server.layer(map_request(move |request: Request| {
        let end = shutdown.clone().cancelled_owned();
        async move { request.map(|body| Body::from_stream(body.into_data_stream().take_until(end))) }
    }))
}
