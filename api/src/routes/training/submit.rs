//! `POST /training` and `POST /training/bulk`: 202 means that the jobs are durable; the queue may hear of them later.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use trainyard_domain::{JobId, JobStatus};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Json, Principal, Problem};
use trainyard_telemetry::Span;
use utoipa::ToSchema;

use super::request::TrainingRequest;
use crate::answer::Accepted;
use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::state::ApiState;
use crate::submission::{self, Order};
use crate::views::job::{AcceptedView, BulkAcceptedView};

/// Most jobs of one bulk submission.
const MAX_BULK: usize = 1_000;

/// Submit a training job.
///
/// Accepts a training job. With an `Idempotency-Key`, sending the same body again gives the same answer and makes no
/// second job.
#[utoipa::path(
    post, path = "/training", operation_id = "submit_job", tag = "training",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]([ -~]{0,253}[!-~])?$", max_length = 255,
            description = "1 to 255 printable ASCII characters, kept for a day.")),
    request_body = TrainingRequest,
    responses(
        (status = 202, description = "The job is stored and will run.", body = AcceptedView,
            headers(("Location" = String, description = "Where to watch the job."),
                    ("Retry-After" = u64, description = "Seconds after which to look."))),
        (status = 409, description = "The `Idempotency-Key` was used with another body."),
        (status = 422, description = "What can't be trained, field by field."),
        (status = 429, description = "Too many jobs are queued or running."),
    )
)]
pub async fn submit(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    trace: TraceContext,
    key: IdempotencyKey,
    Json(body): Json<TrainingRequest>,
) -> Result<Accepted, Problem> {
    let jobs = submit_order(&state, Order::one(body, key, principal, actor).await?, &trace).await?;
    let id = jobs.first().ok_or_else(|| Problem::internal("a submission without a job"))?;
    Ok(Accepted::new(*id, JobStatus::Queued))
}

/// Many jobs to train.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// 1 to 1,000 of them.
    #[schema(min_items = 1, max_items = 1_000)]
    jobs: Vec<TrainingRequest>,
}

/// Submit many training jobs.
///
/// Accepts up to 1,000 jobs at once, all or none. They are queued in the order given. An `Idempotency-Key` is for all of
/// them together.
#[utoipa::path(
    post, path = "/training/bulk", operation_id = "submit_jobs", tag = "training",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]([ -~]{0,253}[!-~])?$", max_length = 255,
            description = "1 to 255 printable ASCII characters, kept for a day.")),
    request_body = BulkRequest,
    responses(
        (status = 202, description = "The jobs are stored and will run.", body = BulkAcceptedView,
            headers(("Retry-After" = u64, description = "Seconds after which to look."))),
        (status = 409, description = "The `Idempotency-Key` was used with another body."),
        (status = 422, description = "What can't be trained, as `jobs[3].features[0]`; nothing was stored."),
        (status = 429, description = "With these, too many jobs would be queued or running."),
    )
)]
pub async fn bulk(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    trace: TraceContext,
    key: IdempotencyKey,
    Json(body): Json<BulkRequest>,
) -> Result<Response, Problem> {
    if !(1..=MAX_BULK).contains(&body.jobs.len()) {
        return Err(Problem::field("jobs", format!("must hold 1 to {MAX_BULK} jobs")));
    }
    let jobs = submit_order(&state, Order::bulk(body.jobs, key, principal, actor).await?, &trace).await?;
    let jobs = jobs.into_iter().map(|id| AcceptedView::new(id, JobStatus::Queued)).collect();
    Ok((StatusCode::ACCEPTED, [(header::RETRY_AFTER, "1")], Json(BulkAcceptedView { jobs })).into_response())
}

async fn submit_order(state: &ApiState, order: Order, trace: &TraceContext) -> Result<Vec<JobId>, Problem> {
    let mut span = Span::child_of(Some(trace.place()), "api.training.submit");
    let jobs = submission::submit(state.submissions(), order.traced(&span, trace)).await;
    match &jobs {
        Ok(jobs) => span.describe(|span| {
            span.number("jobs", i64::try_from(jobs.len()).unwrap_or(i64::MAX));
            jobs.first().into_iter().for_each(|id| span.text("job.id", id));
        }),
        Err(problem) => span.fail(problem.code().as_str()),
    }
    jobs
}
