//! Cancellation and retry of jobs by users.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, JobStatus, SkipReason};
use uuid::Uuid;

use super::{Admission, JobDemand, JobLimits, Jobs};
use crate::bulk::{BulkStatement, for_ids, write_bulk};
use crate::error::Result;
use crate::parse;

const CANCEL: BulkStatement = for_ids!(
    "UPDATE jobs SET status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END, \
     finished_at = CASE WHEN status = 'queued' THEN $1 ELSE finished_at END, \
     cancel_requested_at = COALESCE(cancel_requested_at, $1), revision = revision + 1 \
     WHERE status IN ('queued', 'running') AND id",
    "$2",
    " RETURNING id, status"
);
const RETRY: BulkStatement = for_ids!(
    "UPDATE jobs SET status = 'queued', attempts = 0, crashes = 0, interruptions = 0, due = TRUE, run_at = $1, \
     cancel_requested_at = NULL, started_at = NULL, finished_at = NULL, worker = NULL, error = NULL, \
     progress = 0, phase = NULL, revision = revision + 1 WHERE status IN ('failed', 'cancelled') AND id",
    "$2",
    " RETURNING id"
);

/// The result of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The job was queued and is cancelled.
    AtOnce,
    /// The job is running. Its worker will stop it.
    Requested,
    /// The job was in a final state.
    AlreadyFinal,
    /// The job does not exist.
    Missing,
}

impl Jobs<'_> {
    /// Cancels a queued job, or requests the cancellation of a running job. Idempotent.
    pub async fn cancel(&mut self, id: JobId, now: DateTime<Utc>) -> Result<Cancelled> {
        Ok(self.cancel_many(&[id], now).await?.pop().unwrap_or(Cancelled::Missing))
    }

    /// As [`Jobs::cancel`], for distinct jobs. Returns the results in order.
    pub async fn cancel_many(&mut self, ids: &[JobId], now: DateTime<Utc>) -> Result<Vec<Cancelled>> {
        let changed: Vec<(Uuid, String)> = write_bulk!(self.0, CANCEL, [now], ids, |id| [id.0])?;
        let changed: HashMap<Uuid, String> = changed.into_iter().collect();
        if changed.len() == ids.len() {
            return ids.iter().map(|id| result(changed.get(&id.0).map(String::as_str), true)).collect();
        }
        let unchanged: Vec<JobId> = ids.iter().copied().filter(|id| !changed.contains_key(&id.0)).collect();
        let stored: HashSet<JobId> =
            self.job_revisions(&unchanged).await?.into_iter().map(|stored| stored.id).collect();
        ids.iter().map(|id| result(changed.get(&id.0).map(String::as_str), stored.contains(id))).collect()
    }

    /// Returns a failed or cancelled job to the queue with a new series of attempts. Returns `false` for other jobs. The
    /// claim keeps increasing, so an old run stays fenced.
    pub async fn retry(&mut self, id: JobId, now: DateTime<Utc>) -> Result<bool> {
        Ok(!self.requeue(&[id], now).await?.is_empty())
    }

    /// As [`Jobs::retry`], for distinct jobs and within the limits: reserves their quota first. Returns for each job, in
    /// order, why it was skipped; `None` for a job that is queued again.
    pub async fn retry_many(
        &mut self,
        jobs: &[Job],
        limits: JobLimits,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<SkipReason>>> {
        let mut datasets: Vec<_> = jobs.iter().map(|job| job.dataset_id).collect();
        datasets.sort();
        datasets.dedup();
        let present = self.0.datasets().present(&datasets).await?;
        let mut skipped: HashMap<JobId, SkipReason> = HashMap::new();
        for job in jobs {
            if !job.status.may_retry() {
                skipped.insert(job.id, SkipReason::NotFailed);
            } else if !present.contains(&job.dataset_id) {
                skipped.insert(job.id, SkipReason::DatasetDeleted);
            }
        }
        let candidates: Vec<&Job> = jobs.iter().filter(|job| !skipped.contains_key(&job.id)).collect();
        let demands: Vec<_> = candidates.iter().map(|job| JobDemand::one(job.created_by, job.dataset_id)).collect();
        let admissions = if demands.is_empty() { vec![] } else { self.admit(&demands, limits).await? };
        let mut admitted = Vec::new();
        for (job, admission) in candidates.into_iter().zip(admissions) {
            let refused = match admission {
                Admission::Admitted => {
                    admitted.push(job.id);
                    continue;
                }
                Admission::UserFull => SkipReason::UserLimit,
                Admission::TotalFull => SkipReason::TotalLimit,
                Admission::DatasetDeleted => SkipReason::DatasetDeleted,
            };
            skipped.insert(job.id, refused);
        }
        let queued: HashSet<Uuid> = self.requeue(&admitted, now).await?.into_iter().collect();
        let result = |job: &Job| match skipped.get(&job.id) {
            Some(reason) => Some(*reason),
            None if queued.contains(&job.id.0) => None,
            None => Some(SkipReason::RetriedMeanwhile),
        };
        Ok(jobs.iter().map(result).collect())
    }

    /// Queues the failed and cancelled jobs among `ids` again; returns them.
    async fn requeue(&mut self, ids: &[JobId], now: DateTime<Utc>) -> Result<Vec<Uuid>> {
        let queued: Vec<(Uuid,)> = write_bulk!(self.0, RETRY, [now], ids, |id| [id.0])?;
        let queued: Vec<Uuid> = queued.into_iter().map(|(id,)| id).collect();
        self.delete_failures(&queued).await?;
        // Their objects may be deleted already: see `Predictions::named` and `Checkpoints::named`.
        self.0.predictions().delete(&queued).await?;
        self.0.checkpoints().delete(&queued).await?;
        Ok(queued)
    }
}

/// The result for a job with this status after the statement; `None` if the statement did not change the job.
fn result(changed: Option<&str>, stored: bool) -> Result<Cancelled> {
    Ok(match changed {
        Some(status) if parse::status(status)? == JobStatus::Cancelled => Cancelled::AtOnce,
        Some(_) => Cancelled::Requested,
        None if stored => Cancelled::AlreadyFinal,
        None => Cancelled::Missing,
    })
}
