//! `POST /training` and `POST /training/bulk`. 202 means that the jobs are stored; they are enqueued afterwards.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use trainyard_domain::{JobId, JobStatus};
use trainyard_http::middleware::TraceContext;
use trainyard_http::{Deadline, Json, Principal, Problem};
use trainyard_telemetry::Span;
use utoipa::ToSchema;

use super::request::TrainingRequest;
use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::response::Accepted;
use crate::schemas::job::{AcceptedView, BulkAcceptedView};
use crate::state::ApiState;
use crate::submission::{self, JobSubmission};

/// Most jobs in a bulk submission.
const MAX_BULK: usize = 1_000;

/// Submit a training job.
///
/// Submits a training job. With an `Idempotency-Key`, a repeated request gets the same response and submits no second job.
#[utoipa::path(
    post, path = "/training", operation_id = "submit_job", tag = "training",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]([ -~]{0,253}[!-~])?$", max_length = 255,
            description = "1 to 255 printable ASCII characters, kept for a day.")),
    request_body = TrainingRequest,
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
    Json(body): Json<TrainingRequest>,
) -> Result<Accepted, Problem> {
    let submission = JobSubmission::one(body, key, principal, actor, deadline).await?;
    store_one(&state, submission, &trace, "api.training.submit").await
}

/// Many training jobs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// 1 to 1,000 jobs.
    #[schema(min_items = 1, max_items = 1_000)]
    jobs: Vec<TrainingRequest>,
}

/// Submit many training jobs.
///
/// Submits up to 1,000 jobs, all or none. The jobs are queued in the order of the request. An `Idempotency-Key` stands for
/// the whole request.
#[utoipa::path(
    post, path = "/training/bulk", operation_id = "submit_jobs", tag = "training",
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]([ -~]{0,253}[!-~])?$", max_length = 255,
            description = "1 to 255 printable ASCII characters, kept for a day.")),
    request_body = BulkRequest,
    responses(
        (status = 202, description = "The jobs are stored and queued.", body = BulkAcceptedView,
            headers(("Retry-After" = u64, description = "Seconds until the first poll."))),
        (status = 409, description = "The `Idempotency-Key` was used with another body."),
        (status = 422, description = "Some fields are not valid; `errors` lists them as `jobs[3].features[0]`. No job was stored."),
        (status = 429, description = "The jobs would exceed a limit on queued and running jobs."),
    )
)]
pub async fn bulk(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    trace: TraceContext,
    key: IdempotencyKey,
    deadline: Deadline,
    Json(body): Json<BulkRequest>,
) -> Result<Response, Problem> {
    if !(1..=MAX_BULK).contains(&body.jobs.len()) {
        return Err(Problem::field("jobs", format!("must hold 1 to {MAX_BULK} jobs")));
    }
    let submission = JobSubmission::bulk(body.jobs, key, principal, actor, deadline).await?;
    let jobs = store(&state, submission, &trace, "api.training.submit").await?;
    let jobs = jobs.into_iter().map(|id| AcceptedView::new(id, JobStatus::Queued)).collect();
    Ok((StatusCode::ACCEPTED, [(header::RETRY_AFTER, "1")], Json(BulkAcceptedView { jobs })).into_response())
}

/// Stores a submission of one job, with a span of this name.
pub(crate) async fn store_one(
    state: &ApiState,
    submission: JobSubmission,
    trace: &TraceContext,
    span: &'static str,
) -> Result<Accepted, Problem> {
    let jobs = store(state, submission, trace, span).await?;
    let id = jobs.first().ok_or_else(|| Problem::internal("a submission returned no job"))?;
    Ok(Accepted::new(*id, JobStatus::Queued))
}

async fn store(
    state: &ApiState,
    submission: JobSubmission,
    trace: &TraceContext,
    span: &'static str,
) -> Result<Vec<JobId>, Problem> {
    let mut span = Span::child_of(Some(trace.server_span()), span);
    let jobs = submission::submit(state.submissions(), submission.traced(&span, trace)).await;
    match &jobs {
        Ok(jobs) => span.describe(|span| {
            span.number("jobs", i64::try_from(jobs.len()).unwrap_or(i64::MAX));
            jobs.first().into_iter().for_each(|id| span.text("job.id", id));
        }),
        Err(problem) => span.fail(problem.code().as_str()),
    }
    jobs
}
