//! The tables `jobs` and `job_orders`. Every state transition of a job is one compare-and-set.
//!
//! A job's `revision` increases with every change that a client can see. It is the `ETag`, so lease renewals and the due
//! flag do not change it.

mod cancel;
mod claim;
mod expiry;
mod failures;
mod fair_scheduling;
mod filter;
mod finish;
mod gauges;
mod lease;
mod list;
#[cfg(feature = "noop")]
mod noop;
mod queue_state;
mod quota;
mod quota_credit;
mod rows;
mod submit;
mod sweep;
mod watch;

pub use cancel::Cancelled;
pub use expiry::{Expired, ExpiryCursor};
pub use failures::FailureCursor;
pub(crate) use filter::{tables, where_all_by_scans};
pub use lease::Renewal;
pub use list::{JobCount, JobPage};
pub(crate) use quota::close as close_quotas;
pub use quota::{Admission, JobDemand, JobLimits};
pub use quota_credit::{QuotaCredit, Reservation};
use sqlx::types::Json;
pub use submit::Submission;
use trainyard_domain::{Job, JobId, JobStatus};
pub use watch::{JobBatch, JobRevision};

use crate::error::Result;
use crate::parse;
use crate::sql::{execute, optional};
use crate::stored::Stored;
use crate::tx::Tx;
use rows::{JobRow, all_columns, job_tables};

/// Jobs and the state of the queue.
#[derive(Debug)]
pub struct Jobs<'t>(pub(crate) &'t mut Tx);

impl Jobs<'_> {
    /// Inserts a job in any state. Requires a transaction, because a job has two rows.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the id exists.
    pub async fn insert(&mut self, job: &Job) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO job_orders (id, spec, model_name, algorithm, created_by, dataset_id, created_at, request_id, \
             traceparent, kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            job.id.0,
            parse::spec_json(&job.spec)?,
            job.spec.name.as_str(),
            job.spec.algorithm().as_str(),
            job.created_by.0,
            job.dataset_id.0,
            job.created_at,
            job.request_id.as_deref(),
            job.traceparent.as_deref(),
            job.spec.kind().as_str(),
        )?;
        execute!(
            self.0,
            "INSERT INTO jobs (id, status, created_by, priority, created_at, due, run_at, attempts, crashes, \
             interruptions, claim, worker, lease_expires_at, cancel_requested_at, progress, phase, started_at, \
             finished_at, metrics, model_version, error, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
             $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
            job.id.0,
            job.status.as_str(),
            job.created_by.0,
            job.spec.priority,
            job.created_at,
            job.run_at <= job.created_at,
            job.run_at,
            job.counts.attempts,
            job.counts.crashes,
            job.counts.interruptions,
            job.claim,
            job.worker.as_deref(),
            job.lease_expires_at,
            job.cancel_requested_at,
            job.progress,
            job.phase.as_deref(),
            job.started_at,
            job.finished_at,
            job.metrics.as_ref().map(Json),
            job.model_version,
            job.error.as_ref().map(Json),
            job.revision,
        )?;
        match &job.error {
            Some(error) if job.status == JobStatus::Failed => self.record_failures(&[(job.id, error)]).await,
            _ => Ok(()),
        }
    }

    /// The job with this id.
    pub async fn get(&mut self, id: JobId) -> Result<Option<Job>> {
        let sql = concat!("SELECT ", all_columns!(), " FROM ", job_tables!(), " WHERE jobs.id = $1");
        let row: Option<Stored<JobRow>> = optional!(self.0, sql, id.0)?;
        row.map(Stored::value).transpose()
    }
}
