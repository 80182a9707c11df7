//! Claims a job by one compare-and-set in the database, and retries while the database is away.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Batcher, Db, Result};

use crate::active_runs::{ClaimGuard, RunGuard};
use crate::job_metrics;
use crate::retry::Retry;
use crate::worker::Worker;

/// The result of claiming a delivered id.
pub(crate) enum ClaimResult {
    /// This worker claimed the job, and the run is in its active runs.
    Claimed(Box<Job>, RunGuard),
    /// The job can't be claimed: another worker has it, it ended, it waits, or the queue is paused.
    Refused,
    /// This worker claims no further job. Another worker may claim this one.
    Closing,
}

/// Claims `id` for this worker.
pub(crate) async fn claim(worker: &Worker, id: JobId) -> ClaimResult {
    if !count_job(worker) {
        return ClaimResult::Closing;
    }
    let claimed = match worker.runs.begin_claim(id) {
        Some(guard) => claim_with_retries(worker, id, guard).await,
        // The first delivery claims the job or returns its id.
        None => ClaimResult::Refused,
    };
    match &claimed {
        ClaimResult::Claimed(..) if worker.config.last_job() == worker.taken.load(Ordering::SeqCst) => {
            tracing::info!("this was the last job of this process");
            worker.closing.cancel();
        }
        ClaimResult::Claimed(..) => {}
        ClaimResult::Refused | ClaimResult::Closing => {
            worker.taken.fetch_sub(1, Ordering::SeqCst);
        }
    }
    claimed
}

/// Counts a job towards `max_jobs`; `false` once that many jobs are counted.
fn count_job(worker: &Worker) -> bool {
    let max = worker.config.last_job();
    let more = |taken| (taken < max).then_some(taken + 1);
    worker.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
}

async fn claim_with_retries(worker: &Worker, id: JobId, guard: ClaimGuard) -> ClaimResult {
    let mut retry = Retry::without_limit();
    loop {
        match try_claim(worker, id).await {
            Ok(Some(job)) => {
                let run = guard.add_run(job.claim);
                return ClaimResult::Claimed(job, run);
            }
            Ok(None) => return ClaimResult::Refused,
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, job_id = %id, "the job is not claimed yet; retrying");
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, job_id = %id, "the job can't be claimed");
                return ClaimResult::Refused;
            }
        }
        tokio::select! {
            _ = retry.wait() => {}
            () = worker.closing.cancelled() => return ClaimResult::Closing,
        }
    }
}

async fn try_claim(worker: &Worker, id: JobId) -> Result<Option<Box<Job>>> {
    if let Some(job) = worker.claims.call(id).await? {
        return Ok(Some(job));
    }
    // On the heap: the future is large and rarely needed.
    Ok(Box::pin(find_committed_claim(worker, id)).await?.map(Box::new))
}

/// Finds a claim of this worker that nobody runs: an earlier attempt may have committed although its answer was lost.
async fn find_committed_claim(worker: &Worker, id: JobId) -> Result<Option<Job>> {
    // Read before the row, so that a run that ends in between is not taken for a lost claim.
    let active_claim = worker.runs.claim_of(id);
    let mut tx = worker.deps.db.read_autocommit().await?;
    let job = tx.jobs().get(id).await?;
    tx.commit().await?;
    let ours = |job: &Job| job.status == JobStatus::Running && job.worker.as_deref() == Some(worker.id.as_str());
    Ok(job.filter(|job| ours(job) && active_claim != Some(job.claim)))
}

/// Batches simultaneous claims of one worker into one statement.
pub(crate) type Claims = Batcher<JobId, Option<Box<Job>>>;

/// Most claims per statement.
const MAX_CLAIMS: usize = 1024;

/// Starts the batching of claims for the worker `id`.
pub(crate) fn start_claims(db: &Db, id: &str, lease: chrono::Duration) -> Claims {
    let (db, worker) = (db.clone(), id.to_owned());
    Batcher::start(MAX_CLAIMS, move |ids: Vec<JobId>| {
        let (db, worker) = (db.clone(), worker.clone());
        async move {
            let mut tx = db.write_autocommit().await?;
            let jobs = tx.jobs().claim_many(&ids, &worker, None, lease).await?;
            tx.commit().await?;
            jobs.iter().for_each(job_metrics::record_claim);
            let mut jobs: HashMap<_, _> = jobs.into_iter().map(|job| (job.id, Box::new(job))).collect();
            // Of two deliveries of one id, the first gets the claim.
            Ok(ids.into_iter().map(|id| jobs.remove(&id)).collect())
        }
    })
}
