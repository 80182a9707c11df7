//! What people ask of a job: stop, try again.

use chrono::{DateTime, Utc};
use trainyard_domain::{JobId, JobStatus};

use super::Jobs;
use crate::error::Result;
use crate::read_back;
use crate::sql::{execute, optional, write_optional};

/// What a request to cancel came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The job was waiting and is cancelled.
    AtOnce,
    /// The job runs and is marked; its worker will stop it.
    Requested,
    /// The job had ended.
    AlreadyFinal,
    /// There is no such job.
    Missing,
}

impl Jobs<'_> {
    /// Cancels a waiting job, marks a running one. Asking again changes nothing.
    ///
    /// # Errors
    /// As every query.
    pub async fn cancel(&mut self, id: JobId, now: DateTime<Utc>) -> Result<Cancelled> {
        let changed: Option<(String,)> = write_optional!(
            self.0,
            "UPDATE jobs SET status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END, \
             finished_at = CASE WHEN status = 'queued' THEN $2 ELSE finished_at END, \
             cancel_requested_at = COALESCE(cancel_requested_at, $2), revision = revision + 1 \
             WHERE id = $1 AND status IN ('queued', 'running') RETURNING status",
            id.0,
            now,
        )?;
        if let Some((status,)) = changed {
            let at_once = read_back::status(&status)? == JobStatus::Cancelled;
            return Ok(if at_once { Cancelled::AtOnce } else { Cancelled::Requested });
        }
        let there: Option<(i64,)> = optional!(self.0, "SELECT revision FROM jobs WHERE id = $1", id.0)?;
        Ok(if there.is_some() { Cancelled::AlreadyFinal } else { Cancelled::Missing })
    }

    /// Puts a failed or cancelled job back into the queue as a new attempt series, its counts at zero. `false` when
    /// it is neither. The claim goes on counting, so what is left of an old run stays fenced off.
    ///
    /// # Errors
    /// As every query.
    pub async fn retry(&mut self, id: JobId, now: DateTime<Utc>) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE jobs SET status = 'queued', attempts = 0, crashes = 0, interruptions = 0, due = TRUE, run_at = $2, \
             cancel_requested_at = NULL, started_at = NULL, finished_at = NULL, worker = NULL, error = NULL, \
             progress = 0, phase = NULL, revision = revision + 1 \
             WHERE id = $1 AND status IN ('failed', 'cancelled')",
            id.0,
            now,
        )?;
        Ok(changed == 1)
    }
}
