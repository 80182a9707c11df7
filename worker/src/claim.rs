//! Takes a job: one compare-and-set in the database, tried for as long as the database is away.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use trainyard_domain::{Job, JobId, JobStatus};
use trainyard_storage::{Coalesce, Db, Result};

use crate::held::{Claiming, Entered};
use crate::measure;
use crate::patience::Patience;
use crate::worker::Worker;

/// What became of a delivered id.
pub(crate) enum Claimed {
    /// This worker runs it, and the run is on its list.
    Ours(Box<Job>, Entered),
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
    let claimed = match worker.runs.begin_claim(id) {
        Some(claiming) => claim_patiently(worker, id, claiming).await,
        // Whoever came first claims it, or gives it back.
        None => Claimed::Refused,
    };
    match &claimed {
        Claimed::Ours(..) if worker.config.last_job() == worker.taken.load(Ordering::SeqCst) => {
            tracing::info!("this was the last job of this process");
            worker.closing.cancel();
        }
        Claimed::Ours(..) => {}
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

async fn claim_patiently(worker: &Worker, id: JobId, claiming: Claiming) -> Claimed {
    let mut patience = Patience::endless();
    loop {
        match try_claim(worker, id).await {
            Ok(Some(job)) => {
                let entered = claiming.enter(job.claim);
                return Claimed::Ours(job, entered);
            }
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

async fn try_claim(worker: &Worker, id: JobId) -> Result<Option<Box<Job>>> {
    if let Some(job) = worker.claims.call(id).await? {
        return Ok(Some(job));
    }
    // On the heap, because it is large and hardly ever needed.
    Ok(Box::pin(claimed_before(worker, id)).await?.map(Box::new))
}

/// An earlier try may have committed though its answer was lost: then the job is ours and nobody runs it.
async fn claimed_before(worker: &Worker, id: JobId) -> Result<Option<Job>> {
    // Before the row is read: a run that ends in between is not taken for one that nobody has.
    let runs_here = worker.runs.claim_of(id);
    let mut tx = worker.deps.db.glance().await?;
    let job = tx.jobs().get(id).await?;
    tx.commit().await?;
    let ours = |job: &Job| job.status == JobStatus::Running && job.worker.as_deref() == Some(worker.id.as_str());
    Ok(job.filter(|job| ours(job) && runs_here != Some(job.claim)))
}

/// Claims of one worker: those that come at the same time share a statement.
pub(crate) type Claims = Coalesce<JobId, Option<Box<Job>>>;

/// Most claims that share a statement.
const MAX_CLAIMS: usize = 1024;

/// Starts to claim for the worker called `id`.
pub(crate) fn together(db: &Db, id: &str, lease: chrono::Duration) -> Claims {
    let (db, worker) = (db.clone(), id.to_owned());
    Coalesce::start(MAX_CLAIMS, move |ids: Vec<JobId>| {
        let (db, worker) = (db.clone(), worker.clone());
        async move {
            let mut tx = db.act().await?;
            let jobs = tx.jobs().claim_many(&ids, &worker, None, lease).await?;
            tx.commit().await?;
            jobs.iter().for_each(measure::claimed);
            let mut jobs: HashMap<_, _> = jobs.into_iter().map(|job| (job.id, Box::new(job))).collect();
            // An id that was delivered twice is claimed for the first of the two.
            Ok(ids.into_iter().map(|id| jobs.remove(&id)).collect())
        }
    })
}
