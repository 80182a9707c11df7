//! Adding many jobs at once, and how many of them may go to the queue at once.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::{Job, JobId, PriorityClass, UserId};

use super::Jobs;
use super::dispatch::priorities;
use crate::error::Result;
use crate::rows::{Lazy, Sized, execute_rows, parameters, tuples};
use crate::sql::one;

static INSERT: Lazy = Lazy::new(|| {
    Sized::new(|rows| {
        format!(
            "INSERT INTO jobs (id, spec, model_name, algorithm, priority, created_by, dataset_id, run_at, created_at, \
             request_id, dispatched_at, status, attempts, crashes, interruptions, claim, progress, revision) VALUES {}",
            tuples(1, rows, 11, ", 'queued', 0, 0, 0, 0, 0, 1")
        )
    })
});

static DELETE: Lazy = Lazy::new(|| {
    Sized::new(|rows| {
        format!("DELETE FROM jobs WHERE status = 'queued' AND claim = 0 AND id IN ({})", parameters(1, rows))
    })
});

impl Jobs<'_> {
    /// Adds jobs as [`Job::submitted`] makes them; of each only what a submission can set is looked at.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the data set or the user of any of them is not there.
    pub async fn submit(&mut self, jobs: &[Job]) -> Result<()> {
        for (sql, piece) in INSERT.filling(jobs) {
            execute_rows!(self.0, sql, [], piece, |job| [
                job.id.0,
                Json(&job.spec),
                job.spec.name.as_str(),
                job.spec.algorithm.as_str(),
                job.spec.priority,
                job.created_by.0,
                job.dataset_id.0,
                job.run_at,
                job.created_at,
                job.request_id.as_deref(),
                job.dispatched_at,
            ])?;
        }
        Ok(())
    }

    /// Takes back jobs that this very transaction submitted.
    ///
    /// # Errors
    /// As every query.
    pub async fn take_back(&mut self, ids: &[JobId]) -> Result<()> {
        for (sql, piece) in DELETE.padded(ids) {
            execute_rows!(self.0, sql, [], piece, |id| [id.0])?;
        }
        Ok(())
    }

    /// How many new jobs of `user` in `class` may go to the queue at once: what is free of `window`, and none while older
    /// ones still wait for their turn.
    ///
    /// # Errors
    /// As every query.
    pub async fn free_window(
        &mut self,
        user: UserId,
        class: PriorityClass,
        window: i64,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let (lowest, highest) = priorities(class);
        let (sent, older): (i64, bool) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE status = 'queued' AND dispatched_at IS NOT NULL \
             AND created_by = $1 AND priority BETWEEN $2 AND $3 LIMIT $4) AS sent), \
             EXISTS (SELECT 1 FROM jobs WHERE status = 'queued' AND dispatched_at IS NULL AND created_by = $1 \
             AND priority BETWEEN $2 AND $3 AND run_at <= $5)",
            user.0,
            lowest,
            highest,
            window,
            now,
        )?;
        Ok(if older { 0 } else { (window - sent).max(0) })
    }
}
