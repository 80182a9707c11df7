//! The `jobs` table: every transition of a job's life cycle as one compare-and-set.
//!
//! `submit` adds many at once; `claim` starts a run and hands out its fencing token; `finish` holds the writes that name
//! it; `cancel` is what people ask for; `list` reads; `watch` tells many watched jobs' news at once; `sweep` finds what the
//! leader has to do; `expiry` removes what has served; `gauges` counts. A job's `revision` moves with every change that a
//! client can see: renewing a lease and marking a dispatch leave it alone, so that an `ETag` stays good while nothing
//! happens.

mod cancel;
mod claim;
mod dispatch;
mod expiry;
mod finish;
mod gauges;
mod list;
mod rows;
mod submit;
mod sweep;
mod watch;

pub use cancel::Cancelled;
pub use claim::Renewal;
pub use expiry::ExpiryMark;
pub use list::JobFilter;
use sqlx::types::Json;
use trainyard_domain::{Job, JobId};
pub use watch::JobHead;

use crate::error::Result;
use crate::sql::{execute, optional};
use crate::tx::Tx;
use rows::JobRow;

/// Training jobs and the queue's switch.
#[derive(Debug)]
pub struct Jobs<'t>(pub(crate) &'t mut Tx);

impl Jobs<'_> {
    /// Adds a job, as it stands.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when there is a job with its id.
    pub async fn insert(&mut self, job: &Job) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO jobs (id, spec, model_name, algorithm, priority, created_by, dataset_id, status, attempts, \
             crashes, interruptions, claim, worker, lease_expires_at, cancel_requested_at, dispatched_at, run_at, \
             progress, phase, created_at, started_at, finished_at, metrics, model_version, error, request_id, revision) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
             $22, $23, $24, $25, $26, $27)",
            job.id.0,
            Json(&job.spec),
            job.spec.name.as_str(),
            job.spec.algorithm.as_str(),
            job.spec.priority,
            job.created_by.0,
            job.dataset_id.0,
            job.status.as_str(),
            job.counts.attempts,
            job.counts.crashes,
            job.counts.interruptions,
            job.claim,
            job.worker.as_deref(),
            job.lease_expires_at,
            job.cancel_requested_at,
            job.dispatched_at,
            job.run_at,
            job.progress,
            job.phase.as_deref(),
            job.created_at,
            job.started_at,
            job.finished_at,
            job.metrics.as_ref().map(Json),
            job.model_version,
            job.error.as_ref().map(Json),
            job.request_id.as_deref(),
            job.revision,
        )?;
        Ok(())
    }

    /// The job with this id.
    ///
    /// # Errors
    /// As every query.
    pub async fn get(&mut self, id: JobId) -> Result<Option<Job>> {
        let row: Option<JobRow> = optional!(self.0, "SELECT * FROM jobs WHERE id = $1", id.0)?;
        row.map(JobRow::read).transpose()
    }
}
