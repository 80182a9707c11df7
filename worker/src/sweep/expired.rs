//! Takes jobs from workers that stopped renewing their leases. A dead worker counts as a crash of the job, which may
//! have taken it down; a worker that still beats lost the lease through no fault of the job's.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use trainyard_domain::outcome::Ending;
use trainyard_domain::{FailureCode, Job, JobError};

use super::{Sweep, SweepError, seconds};
use crate::ending::{self, Holder};
use crate::{measure, trace};

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
        let lost = || Ending::Crashed(JobError::new(FailureCode::Crashed, "worker lost"));
        let end = if holder_lives(job, &alive) { Ending::Interrupted } else { lost() };
        if let Some(next) = ending::end(&sweep.db, job, end, Holder::LostWorker, rand::random()).await? {
            measure::lease_lost();
            let (worker, status) = (job.worker.as_deref().unwrap_or("nobody"), next.status.as_str());
            let trace_id = trace::place(job).map(|place| tracing::field::display(place.trace_id()));
            let (job_id, claim) = (tracing::field::display(job.id), job.claim);
            tracing::warn!(job_id, trace_id, claim, worker, status, "took a job whose lease ran out");
            trace::lost(job);
        }
    }
    Ok(())
}

fn holder_lives(job: &Job, alive: &HashSet<String>) -> bool {
    job.worker.as_ref().is_some_and(|worker| alive.contains(worker))
}
