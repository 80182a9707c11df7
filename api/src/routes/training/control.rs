//! Stopping a job, and running it again.

use axum::extract::State;
use serde_json::json;
use trainyard_domain::{JobId, JobStatus};
use trainyard_http::{Path, Problem};
use trainyard_storage::Cancelled;

use super::missing;
use crate::answer::Accepted;
use crate::audit::Actor;
use crate::state::ApiState;
use crate::submission;
use crate::views::job::AcceptedView;

/// Cancel a job.
///
/// Cancels a job: one that waits at once, one that runs within two seconds.
#[utoipa::path(
    post, path = "/training/{job_id}/cancel", operation_id = "cancel_job", tag = "training",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 202, description = "It is cancelled, or will be in a moment.", body = AcceptedView,
            headers(("Location" = String, description = "Where to watch the job."),
                    ("Retry-After" = u64, description = "Seconds after which to look."))),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It has ended already."),
    )
)]
pub async fn cancel(State(state): State<ApiState>, actor: Actor, Path(id): Path<JobId>) -> Result<Accepted, Problem> {
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let status = match tx.jobs().cancel(id, now).await? {
        Cancelled::AtOnce => JobStatus::Cancelled,
        Cancelled::Requested => JobStatus::Running,
        Cancelled::AlreadyFinal => return Err(Problem::conflict("the job has ended already")),
        Cancelled::Missing => return Err(missing()),
    };
    tx.webhooks().tell(id, now).await?;
    actor.did(&mut tx, "training.cancel", format!("job:{id}"), json!({})).await?;
    tx.commit().await?;
    // The mark is durable and the worker reads it at its next renewal; the message only makes it quick.
    if status == JobStatus::Running
        && let Err(error) = state.queue.request_cancel(id).await
    {
        tracing::warn!(job_id = %id, error = &error as &dyn std::error::Error, "the worker will see the cancel mark later");
    }
    Ok(Accepted::new(id, status))
}

/// Retry a job.
///
/// Runs a failed or cancelled job again, with all of its attempts, on the same rows.
#[utoipa::path(
    post, path = "/training/{job_id}/retry", operation_id = "retry_job", tag = "training",
    params(("job_id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 202, description = "It is queued again.", body = AcceptedView,
            headers(("Location" = String, description = "Where to watch the job."),
                    ("Retry-After" = u64, description = "Seconds after which to look."))),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It has not failed or been cancelled, or its data set has been deleted."),
        (status = 429, description = "Too many jobs are queued or running."),
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
    let deleted = || Problem::conflict("the data set that the job was submitted for has been deleted");
    if tx.datasets().version(&job.spec.dataset, job.spec.dataset_version).await?.is_none() {
        return Err(deleted());
    }
    state.quota().admit_one(&mut tx, job.created_by, job.dataset_id, deleted).await?;
    if !tx.jobs().retry(id, now).await? {
        return refuse("somebody else has retried the job at the same moment");
    }
    actor.did(&mut tx, "training.retry", format!("job:{id}"), json!({})).await?;
    let job = tx.jobs().get(id).await?.ok_or_else(missing)?;
    let paused = tx.jobs().paused().await?;
    tx.commit().await?;
    if !paused {
        submission::send(&state, &[submission::ready(&job)], vec![submission::traced(&job)]).await;
    }
    Ok(Accepted::new(id, JobStatus::Queued))
}
