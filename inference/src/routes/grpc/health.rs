//! `grpc.health.v1`, for load balancers and probes: the readiness of the process.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::post_service;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use trainyard_http::{Route, Routes};

use super::SERVICE;
use crate::service::Service;

/// How often a stream of `Watch` checks the readiness.
const WATCH_PERIOD: Duration = Duration::from_millis(500);

struct Readiness {
    service: Arc<Service>,
    shutdown: CancellationToken,
}

/// Both methods. The streams end with `shutdown`.
pub(super) fn routes(service: Arc<Service>, shutdown: &CancellationToken) -> Routes {
    let server = HealthServer::new(Readiness { service, shutdown: shutdown.clone() });
    let method = |name| Route::grpc(&format!("/grpc.health.v1.Health/{name}"), post_service(server.clone()));
    Routes::new().anon(method("Check")).anon(method("Watch"))
}

/// The state of a service, whose empty name means the whole server.
fn status(service: &Service, name: &str) -> ServingStatus {
    match name {
        "" | SERVICE if service.is_ready() => ServingStatus::Serving,
        "" | SERVICE => ServingStatus::NotServing,
        _ => ServingStatus::ServiceUnknown,
    }
}

#[tonic::async_trait]
impl Health for Readiness {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let name = request.into_inner().service;
        match status(&self.service, &name) {
            ServingStatus::ServiceUnknown => {
                Err(Status::not_found(format!("this server has no service '{}'", trainyard_domain::shown(&name))))
            }
            status => Ok(Response::new(HealthCheckResponse { status: status.into() })),
        }
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// Sends the state, and again when it changes.
    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (service, name) = (self.service.clone(), request.into_inner().service);
        let mut ticks = interval(WATCH_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let next = move |(mut ticks, last): (Interval, Option<ServingStatus>)| {
            let (service, name) = (service.clone(), name.clone());
            async move {
                loop {
                    ticks.tick().await;
                    let status = status(&service, &name);
                    if last != Some(status) {
                        let response = HealthCheckResponse { status: status.into() };
                        return Some((Ok(response), (ticks, Some(status))));
                    }
                }
            }
        };
        let states = stream::unfold((ticks, None), next);
        Ok(Response::new(states.take_until(self.shutdown.clone().cancelled_owned()).boxed()))
    }
}
