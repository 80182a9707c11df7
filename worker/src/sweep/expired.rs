//! Ends runs whose lease has expired. If the worker is dead, the run counts as a crash, because the job may have caused the
//! death. If the worker still sends heartbeats, the run counts as an interruption.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::{FailureCode, Job, JobError};

use super::{Sweep, SweepError, seconds};
use crate::finish::{self, FinishedBy};
use crate::{job_metrics, trace};

const BATCH: i64 = 100;

pub(super) async fn run(sweep: &mut Sweep, now: DateTime<Utc>) -> Result<(), SweepError> {
    let (expired, alive) = {
        let mut tx = sweep.db.read().await?;
        let expired = tx.jobs().expired(now, BATCH).await?;
        if expired.is_empty() {
            return Ok(());
        }
        let since = now - seconds(sweep.config.worker_dead_after_s);
        let alive: HashSet<String> = tx.workers().list(since).await?.into_iter().map(|worker| worker.id).collect();
        (expired, alive)
    };
    for job in &expired {
        let crashed = || RunOutcome::Crashed(JobError::new(FailureCode::Crashed, "worker lost"));
        let end = if is_worker_alive(job, &alive) { RunOutcome::Interrupted } else { crashed() };
        if let Some(next) = finish::try_finish(&sweep.db, job, end, FinishedBy::Sweep, rand::random()).await? {
            job_metrics::record_lost_lease();
            let (worker, status) = (job.worker.as_deref().unwrap_or("nobody"), next.status.as_str());
            let trace_id = trace::trace_parent(job).map(|parent| tracing::field::display(parent.trace_id()));
            let (job_id, claim) = (tracing::field::display(job.id), job.claim);
            tracing::warn!(job_id, trace_id, claim, worker, status, "ended a run whose lease had expired");
            trace::record_lost_run(job);
        }
    }
    Ok(())
}

fn is_worker_alive(job: &Job, alive: &HashSet<String>) -> bool {
    job.worker.as_ref().is_some_and(|worker| alive.contains(worker))
}
