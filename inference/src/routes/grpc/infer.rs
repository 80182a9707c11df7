//! Inference requests.

use std::sync::Arc;

use axum::extract::State;
use trainyard_http::Problem;
use trainyard_http::grpc::Call;
use trainyard_http::middleware::{RequestId, TraceContext};

use super::request;
use crate::lookup_problem;
use crate::registry::{Assignment, VersionSelector};
use crate::request_key::RequestKey;
use crate::service::{RequestContext, Service};
use crate::v2::answer::InferAnswer;
use crate::v2::message;
use crate::v2::tensor_body::TensorBody;

pub(super) async fn infer(
    State(service): State<Arc<Service>>,
    id: RequestId,
    trace: TraceContext,
    key: RequestKey,
    Call(message): Call,
) -> Result<InferAnswer, Problem> {
    let named = message::model(&message).and_then(|(model, version)| {
        let version = request::version("model_name", model, version)?;
        Ok((model, version))
    });
    let (model, version) = named.inspect_err(lookup_problem::count)?;
    let assignment = Assignment::of(key.bytes());
    let selector = VersionSelector { model: Some(model), version, alias: None, assignment };
    let body = TensorBody::of_message(message.clone());
    service.infer(selector, body, RequestContext { id, trace: trace.server_span() }).await
}
