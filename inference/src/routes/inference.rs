//! `POST /inference`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use trainyard_http::Problem;
use trainyard_http::json::JsonBytes;
use trainyard_http::middleware::{RequestId, TraceContext};

use crate::request_key::RequestKey;
use crate::service::{RequestContext, Service};
use crate::views::schemas::InferenceAnswer;
use crate::views::schemas::RequestBody;

/// Predict with a published model: one row (`features`) or many rows (`instances`).
///
/// The field of the prediction has the name of the target. The value is a boolean if the target is 0/1, true/false or
/// yes/no, a number for a regression, and otherwise a label with `probabilities` per class. If the target is named
/// `prob`, `probabilities`, `model`, `version`, `explanation`, `warnings` or `predictions`, the field is named `prediction`.
/// A missing or `null` feature is imputed as in training and reported in `warnings`; so is a category that did not occur in
/// training. With `explain` the response contains the contribution of each feature to the prediction.
///
/// A request with neither `version` nor `alias` is answered by the version that `production` points at. If the model's traffic
/// has weights, they distribute such requests over several versions (`PUT /models/{name}/traffic`).
#[utoipa::path(post, path = "/inference", operation_id = "predict", tag = "inference",
    params(("X-Trainyard-Request-Key" = Option<String>, Header,
            description = "Requests with the same key are answered by the same version, while the weights stay")),
    request_body = RequestBody, responses(
    (status = 200, description = "The prediction, and the version that made it", body = InferenceAnswer,
     examples(
        ("one row" = (value = json!({"prob": 0.97, "survived": true, "model": "titanic-rf", "version": 3}))),
        ("many rows" = (value = json!({
            "predictions": [{"prob": 0.97, "survived": true}, {"prob": 0.11, "survived": false}],
            "model": "titanic-rf", "version": 3}))),
     )),
    (status = 404, description = "The model, version or alias does not exist; `errors` names the field"),
    (status = 503, description = "The version is not loaded yet; retry after the time in `Retry-After`"),
))]
pub(crate) async fn infer(
    State(service): State<Arc<Service>>,
    id: RequestId,
    trace: TraceContext,
    key: RequestKey,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let context = RequestContext { id, trace: trace.server_span() };
    let answer = service.answer(body, key.bytes(), context).await?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], answer).into_response())
}
