//! Records how a run ended without a model, by the rules of `domain::outcome`, if its claim still stands.

use std::time::Duration;

use trainyard_domain::outcome::{Ending, Next, after};
use trainyard_domain::{Job, JobStatus};
use trainyard_storage::{Db, Result};

use crate::measure;
use crate::patience::Patience;
use crate::worker::Worker;

/// A transaction that takes longer than this counts as lost.
const LIMIT: Duration = Duration::from_secs(30);

/// Records the end of a run. A database that stays away leaves it to the sweep, which finds the lease run out.
pub(crate) async fn record(worker: &Worker, job: &Job, ending: Ending) {
    let mut patience = Patience::new(worker.config.storage_patience());
    loop {
        match tokio::time::timeout(LIMIT, end(&worker.deps.db, job, ending.clone(), Holder::Us, rand::random())).await {
            Ok(Ok(Some(next))) => return tell(&next),
            Ok(Ok(None)) => {
                measure::fenced();
                return tracing::warn!("the job has moved on; the end of this run was not recorded");
            }
            Ok(Err(error)) if !error.is_retryable() => {
                return tracing::error!(error = &error as &dyn std::error::Error, "the end of a run can't be recorded");
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the end of a run is not recorded yet: the database is away"),
        }
        if !patience.wait().await {
            return tracing::error!("the end of a run was not recorded; its lease will run out");
        }
    }
}

/// Who ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Its worker, or whoever knows that there is none.
    Us,
    /// The sweep, because the lease ran out: a worker that renewed it at the last moment keeps its run.
    LostWorker,
}

/// Ends the run of `job`'s claim; `None` when the claim no longer stands. `jitter` is a uniform draw from 0..1.
///
/// # Errors
/// As every query.
pub(crate) async fn end(db: &Db, job: &Job, ending: Ending, holder: Holder, jitter: f64) -> Result<Option<Next>> {
    let reason = reason(&ending);
    let mut tx = db.begin().await?;
    let now = tx.now().await?;
    let Some(current) = tx.jobs().get(job.id).await? else { return Ok(None) };
    let cancelled = current.cancel_requested_at.is_some();
    let next = after(ending, current.counts, current.spec.max_attempts, cancelled, now, jitter);
    let ended = match holder {
        Holder::Us => tx.jobs().end_run(job.id, job.claim, &next, now).await?,
        Holder::LostWorker => tx.jobs().end_lost_run(job.id, job.claim, &next, now).await?,
    };
    if !ended {
        return Ok(None);
    }
    if job.spec.webhook_url.is_some() {
        tx.webhooks().tell(job.id, now).await?;
    }
    tx.commit().await?;
    if next.status == JobStatus::Queued {
        measure::retried(reason);
    } else {
        measure::finished(job, next.status, now);
        if let Some(error) = next.error.as_ref().filter(|_| next.status == JobStatus::Failed) {
            measure::failed(error.code);
        }
    }
    Ok(Some(next))
}

/// Why a run ended without a model, in a word.
pub(crate) fn reason(ending: &Ending) -> &'static str {
    match ending {
        Ending::Failed(error) | Ending::Crashed(error) => error.code.as_str(),
        Ending::Interrupted => "interrupted",
        Ending::Cancelled => "cancelled",
    }
}

fn tell(next: &Next) {
    let status = next.status.as_str();
    match &next.error {
        Some(error) => tracing::warn!(status, code = error.code.as_str(), message = error.message, "the run ended"),
        None => tracing::info!(status, "the run ended"),
    }
}
