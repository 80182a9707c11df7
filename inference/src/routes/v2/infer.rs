//! Inference requests.

use std::sync::Arc;

use axum::extract::State;
use trainyard_http::middleware::{RequestId, TraceContext};
use trainyard_http::{Path, Problem};

use super::parse_version;
use crate::registry::{Assignment, VersionSelector};
use crate::request_key::RequestKey;
use crate::service::{RequestContext, Service};
use crate::v2::answer::InferAnswer;
use crate::v2::schemas::{InferAnswerBody, InferRequestBody};
use crate::v2::tensor_body::TensorBody;

/// Predict with the version that serves: by the weights of the model's traffic, else the one that `production` points at.
///
/// The same predictions as `POST /inference`. Inputs: one tensor per feature by its name, of the shape `[n]` or `[n, 1]`;
/// a model whose features are all numbers also takes one tensor of the shape `[n, features]`. A `null`, a NaN and an empty
/// text are missing values; an input that is absent is refused. Outputs: `predict`, and `predict_proba` for classes.
/// Tensors can be binary data after the JSON, whose length the header `Inference-Header-Content-Length` then contains.
#[utoipa::path(post, path = "/v2/models/{model}/infer", operation_id = "v2_infer", tag = "inference",
    params(
        ("model" = String, Path, description = "The name of a model", example = "titanic-rf"),
        ("X-Trainyard-Request-Key" = Option<String>, Header,
         description = "Requests with the same key are answered by the same version, while the weights stay"),
    ),
    request_body = InferRequestBody, responses(
    (status = 200, description = "The outputs", body = InferAnswerBody),
    (status = 400, description = "The request does not fit the protocol or the model; `error` names the input"),
    (status = 404, description = "The model does not exist, or `production` points at no version"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn model(
    State(service): State<Arc<Service>>,
    id: RequestId,
    trace: TraceContext,
    key: RequestKey,
    Path(model): Path<String>,
    body: TensorBody,
) -> Result<InferAnswer, Problem> {
    let assignment = Assignment::of(key.bytes());
    let selector = VersionSelector { model: Some(&model), assignment, ..VersionSelector::default() };
    service.infer(selector, body, RequestContext { id, trace: trace.server_span() }).await
}

/// Predict with a version, as without one. Loads the version if it is not loaded.
#[utoipa::path(post, path = "/v2/models/{model}/versions/{version}/infer", operation_id = "v2_infer_version",
    tag = "inference", params(
    ("model" = String, Path, description = "The name of a model", example = "titanic-rf"),
    ("version" = String, Path, description = "The number of a version", example = "1"),
), request_body = InferRequestBody, responses(
    (status = 200, description = "The outputs", body = InferAnswerBody),
    (status = 400, description = "The request does not fit the protocol or the model; `error` names the input"),
    (status = 404, description = "The version does not exist"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn version(
    State(service): State<Arc<Service>>,
    id: RequestId,
    trace: TraceContext,
    Path((model, version)): Path<(String, String)>,
    body: TensorBody,
) -> Result<InferAnswer, Problem> {
    let version = Some(parse_version(&model, &version)?);
    let selector = VersionSelector { model: Some(&model), version, ..VersionSelector::default() };
    service.infer(selector, body, RequestContext { id, trace: trace.server_span() }).await
}
