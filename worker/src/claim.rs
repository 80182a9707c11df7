//! Takes a job: one compare-and-set in the database, tried for as long as the database is away.

use std::sync::atomic::Ordering;

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::Result;

use crate::measure;
use crate::patience::Patience;
use crate::worker::Worker;

/// What became of a delivered id.
pub(crate) enum Claimed {
    /// This worker runs it.
    Ours(Box<Job>),
    /// There is nothing to claim: somebody else has it, it ended, it waits, or the queue is paused.
    Refused,
    /// This worker takes no job any more, and the id is still somebody's to take.
    Closing,
}

/// Claims `id` for this worker.
pub(crate) async fn claim(worker: &Worker, id: JobId) -> Claimed {
    if !take_turn(worker) {
        return Claimed::Closing;
    }
    let claimed = claim_patiently(worker, id).await;
    match &claimed {
        Claimed::Ours(_) if worker.config.last_job() == worker.taken.load(Ordering::SeqCst) => {
            tracing::info!("this was the last job of this process");
            worker.closing.cancel();
        }
        Claimed::Ours(_) => {}
        Claimed::Refused | Claimed::Closing => {
            worker.taken.fetch_sub(1, Ordering::SeqCst);
        }
    }
    claimed
}

/// Counts this job against `max_jobs`; `false` when there is no room for it.
fn take_turn(worker: &Worker) -> bool {
    let max = worker.config.last_job();
    let more = |taken| (taken < max).then_some(taken + 1);
    worker.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
}

async fn claim_patiently(worker: &Worker, id: JobId) -> Claimed {
    let mut patience = Patience::endless();
    loop {
        match try_claim(worker, id).await {
            Ok(Some(job)) => return Claimed::Ours(Box::new(job)),
            Ok(None) => return Claimed::Refused,
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, job_id = %id, "can't claim; trying until the database answers");
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, job_id = %id, "the job can't be claimed");
                return Claimed::Refused;
            }
        }
        tokio::select! {
            _ = patience.wait() => {}
            () = worker.closing.cancelled() => return Claimed::Closing,
        }
    }
}

async fn try_claim(worker: &Worker, id: JobId) -> Result<Option<Job>> {
    let mut tx = worker.deps.db.begin().await?;
    let now = tx.now().await?;
    if let Some(job) = tx.jobs().claim(id, &worker.id, now, now + worker.config.lease()).await? {
        tx.commit().await?;
        measure::claimed(&job, now);
        return Ok(Some(job));
    }
    // An earlier try may have committed though its answer was lost: then the job is ours and nobody runs it.
    let job = tx.jobs().get(id).await?;
    let ours = |job: &Job| job.status == JobStatus::Running && job.worker.as_deref() == Some(worker.id.as_str());
    Ok(job.filter(|job| ours(job) && worker.runs.claim_of(id).is_none()))
}
