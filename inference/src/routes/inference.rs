//! `POST /inference`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use trainyard_http::Problem;
use trainyard_http::json::JsonBytes;
use trainyard_http::middleware::TraceContext;

use crate::service::Service;
use crate::views::schemas::InferenceAnswer;
use crate::views::schemas::RequestBody;

/// Predict with a published model: one row (`features`) or many (`instances`).
///
/// The prediction stands under the target's own name, as a boolean where the target is 0/1, true/false or yes/no, else as
/// its label with `probabilities` per class, or as a number. A target called `prob`, `probabilities`, `model`,
/// `version`, `warnings` or `predictions` is answered under `prediction` instead. A feature that is left out or `null` is imputed as in training
/// and named in `warnings`, as is a category that training never saw.
#[utoipa::path(post, path = "/inference", operation_id = "predict", tag = "inference", request_body = RequestBody, responses(
    (status = 200, description = "The prediction, and the version that made it", body = InferenceAnswer,
     examples(
        ("one row" = (value = json!({"prob": 0.97, "survived": true, "model": "titanic-rf", "version": 3}))),
        ("many rows" = (value = json!({
            "predictions": [{"prob": 0.97, "survived": true}, {"prob": 0.11, "survived": false}],
            "model": "titanic-rf", "version": 3}))),
     )),
    (status = 404, description = "No such model, version or alias: `errors` names the field"),
    (status = 503, description = "Not loaded yet; `Retry-After` says when to come back"),
))]
pub(crate) async fn infer(
    State(service): State<Arc<Service>>,
    trace: TraceContext,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let answer = service.answer(body, trace.server_span()).await?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], answer).into_response())
}
