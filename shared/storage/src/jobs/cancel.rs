//! Cancellation and retry of jobs by users.

use chrono::{DateTime, Utc};
use trainyard_domain::{JobId, JobStatus};

use super::Jobs;
use crate::error::Result;
use crate::parse;
use crate::sql::{execute, optional, write_optional};

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
            let at_once = parse::status(&status)? == JobStatus::Cancelled;
            return Ok(if at_once { Cancelled::AtOnce } else { Cancelled::Requested });
        }
        let there: Option<(i64,)> = optional!(self.0, "SELECT revision FROM jobs WHERE id = $1", id.0)?;
        Ok(if there.is_some() { Cancelled::AlreadyFinal } else { Cancelled::Missing })
    }

    /// Returns a failed or cancelled job to the queue with a new series of attempts. Returns `false` for other jobs. The
    /// claim keeps increasing, so an old run stays fenced.
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
