//! Routes that cancel and retry a job.

use axum::extract::State;
use serde_json::json;
use trainyard_domain::{JobId, JobStatus};
use trainyard_http::{Path, Problem};
use trainyard_storage::Cancelled;

use super::missing;
use crate::audit::Actor;
use crate::response::Accepted;
use crate::schemas::job::AcceptedView;
use crate::state::ApiState;
use crate::submission;

/// Cancel a job.
///
/// Cancels a job: a queued job at once, a running job within two seconds.
#[utoipa::path(
    post, path = "/training/{job_id}/cancel", operation_id = "cancel_job", tag = "training",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 202, description = "The job is cancelled, or its cancellation was requested.", body = AcceptedView,
            headers(("Location" = String, description = "The URL of the job."),
                    ("Retry-After" = u64, description = "Seconds until the first poll."))),
        (status = 404, description = "The job does not exist."),
        (status = 409, description = "The job has finished already."),
    )
)]
pub async fn cancel(State(state): State<ApiState>, actor: Actor, Path(id): Path<JobId>) -> Result<Accepted, Problem> {
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let status = match tx.jobs().cancel(id, now).await? {
        Cancelled::AtOnce => JobStatus::Cancelled,
        Cancelled::Requested => JobStatus::Running,
        Cancelled::AlreadyFinal => return Err(Problem::conflict("the job has finished already")),
        Cancelled::Missing => return Err(missing()),
    };
    tx.webhooks().enqueue(id, now).await?;
    actor.record(&mut tx, "training.cancel", format!("job:{id}"), json!({})).await?;
    tx.commit().await?;
    // The request is stored, and the worker reads it when it renews its lease. The message only saves time.
    if status == JobStatus::Running
        && let Err(error) = state.queue.request_cancel(id).await
    {
        tracing::warn!(job_id = %id, error = &error as &dyn std::error::Error, "the worker was not notified of a cancellation; it reads the request when it renews its lease");
    }
    Ok(Accepted::new(id, status))
}

/// Retry a job.
///
/// Queues a failed or cancelled job again, with all of its attempts, on the same dataset version.
#[utoipa::path(
    post, path = "/training/{job_id}/retry", operation_id = "retry_job", tag = "training",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 202, description = "The job is queued again.", body = AcceptedView,
            headers(("Location" = String, description = "The URL of the job."),
                    ("Retry-After" = u64, description = "Seconds until the first poll."))),
        (status = 404, description = "The job does not exist."),
        (status = 409, description = "The job is neither failed nor cancelled, or its dataset has been deleted."),
        (status = 429, description = "A limit on queued and running jobs is reached."),
    )
)]
pub async fn retry(State(state): State<ApiState>, actor: Actor, Path(id): Path<JobId>) -> Result<Accepted, Problem> {
    let refuse = |detail: &str| Err(Problem::conflict(detail));
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let job = tx.jobs().get(id).await?.ok_or_else(missing)?;
    if !job.status.may_retry() {
        return refuse("only a failed or cancelled job can be retried");
    }
    let deleted = || Problem::conflict("the dataset of the job has been deleted");
    if tx.datasets().version(&job.spec.dataset, job.spec.dataset_version).await?.is_none() {
        return Err(deleted());
    }
    state.quota().admit_one(&mut tx, job.created_by, job.dataset_id, deleted).await?;
    if !tx.jobs().retry(id, now).await? {
        return refuse("another request has retried the job concurrently");
    }
    actor.record(&mut tx, "training.retry", format!("job:{id}"), json!({})).await?;
    let job = tx.jobs().get(id).await?.ok_or_else(missing)?;
    let paused = tx.jobs().paused().await?;
    tx.commit().await?;
    if !paused {
        submission::enqueue(&state, &[submission::queue_entry(&job)], vec![submission::trace_parent(&job)]).await;
    }
    Ok(Accepted::new(id, JobStatus::Queued))
}
