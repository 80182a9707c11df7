//! `POST /predictions`. 202 means that the job is stored; it is enqueued afterwards.

use axum::extract::State;
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Deadline, Json, Principal, Problem};

use super::request::PredictionRequest;
use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::response::Accepted;
use crate::routes::training::submit::store_one;
use crate::schemas::job::AcceptedView;
use crate::state::ApiState;
use crate::submission::JobSubmission;

/// Submit a prediction job.
///
/// Predicts every row of a dataset with a model version. The job is watched, cancelled and retried like a training job;
/// `GET /predictions/{job_id}/result` downloads the result. A feature without a column is imputed, as by `POST /inference`.
#[utoipa::path(
    post, path = "/predictions", operation_id = "submit_prediction", tag = "predictions",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]([ -~]{0,253}[!-~])?$", max_length = 255,
            description = "1 to 255 printable ASCII characters, kept for a day.")),
    request_body = PredictionRequest,
    responses(
        (status = 202, description = "The job is stored and queued.", body = AcceptedView,
            headers(("Location" = String, description = "The URL of the job."),
                    ("Retry-After" = u64, description = "Seconds until the first poll."))),
        (status = 409, description = "The `Idempotency-Key` was used with another body."),
        (status = 422, description = "Some fields are not valid; `errors` lists them."),
        (status = 429, description = "A limit on queued and running jobs is reached."),
    )
)]
pub async fn submit(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    trace: TraceContext,
    key: IdempotencyKey,
    deadline: Deadline,
    Json(body): Json<PredictionRequest>,
) -> Result<Accepted, Problem> {
    let request = body.complete().map_err(|error| Problem::validation(vec![error]))?;
    let submission = JobSubmission::prediction(request, key, principal, actor, deadline);
    store_one(&state, submission, &trace, "api.prediction.submit").await
}
