//! Finishes a run without a model, by the rules of `domain::outcome`, if its claim is still current.

use std::time::Duration;

use trainyard_domain::outcome::{NextState, RunOutcome, next_state};
use trainyard_domain::{Job, JobStatus};
use trainyard_storage::{Db, Result};

use crate::job_metrics;
use crate::retry::Retry;
use crate::worker::Worker;

/// Time limit of the transaction.
const LIMIT: Duration = Duration::from_secs(30);

/// Finishes a run, and retries while the database is away. After `worker.storage_patience_s` the sweep finishes the run,
/// once its lease has expired.
pub(crate) async fn finish_run(worker: &Worker, job: &Job, ending: RunOutcome) {
    let mut retry = Retry::for_at_most(worker.config.storage_timeout());
    loop {
        match tokio::time::timeout(
            LIMIT,
            try_finish(&worker.deps.db, job, ending.clone(), FinishedBy::Worker, rand::random()),
        )
        .await
        {
            Ok(Ok(Some(next))) => return log_finish(&next),
            Ok(Ok(None)) => {
                job_metrics::record_fenced_write();
                return tracing::warn!("the claim is no longer current; the run was not finished");
            }
            Ok(Err(error)) if !error.is_retryable() => {
                return tracing::error!(error = &error as &dyn std::error::Error, "the run can't be finished");
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the run is not finished yet: the database is away"),
        }
        if !retry.wait().await {
            return tracing::error!("the run was not finished; its lease will expire");
        }
    }
}

/// The process that finishes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FinishedBy {
    /// Its worker, or a process that knows that the worker is gone.
    Worker,
    /// The sweep, after the lease expired. A worker that has renewed the lease keeps its run.
    Sweep,
}

/// Finishes the run of `job`'s claim; `None` if the claim is no longer current. `jitter` is uniform in 0..1.
pub(crate) async fn try_finish(
    db: &Db,
    job: &Job,
    ending: RunOutcome,
    by: FinishedBy,
    jitter: f64,
) -> Result<Option<NextState>> {
    let reason = reason(&ending);
    let mut tx = db.begin().await?;
    let now = tx.now().await?;
    let Some(current) = tx.jobs().get(job.id).await? else { return Ok(None) };
    let cancelled = current.cancel_requested_at.is_some();
    let next = next_state(ending, current.counts, current.spec.max_attempts, cancelled, now, jitter);
    let finished = match by {
        FinishedBy::Worker => tx.jobs().finish_run(job.id, job.claim, &next, now).await?,
        FinishedBy::Sweep => tx.jobs().finish_lost_run(job.id, job.claim, &next, now).await?,
    };
    if !finished {
        return Ok(None);
    }
    if job.spec.webhook_url.is_some() {
        tx.webhooks().enqueue(job.id, now).await?;
    }
    tx.commit().await?;
    if next.status == JobStatus::Queued {
        job_metrics::record_retry(reason);
    } else {
        job_metrics::record_finish(job, next.status, now);
        if let Some(error) = next.error.as_ref().filter(|_| next.status == JobStatus::Failed) {
            job_metrics::record_failure(error.code);
        }
    }
    Ok(Some(next))
}

/// The reason as a metric label.
pub(crate) fn reason(ending: &RunOutcome) -> &'static str {
    match ending {
        RunOutcome::Failed(error) | RunOutcome::Crashed(error) => error.code.as_str(),
        RunOutcome::Interrupted => "interrupted",
        RunOutcome::Cancelled => "cancelled",
    }
}

fn log_finish(next: &NextState) {
    let status = next.status.as_str();
    match &next.error {
        Some(error) => {
            tracing::warn!(status, code = error.code.as_str(), message = error.message, "the run is finished")
        }
        None => tracing::info!(status, "the run is finished"),
    }
}
