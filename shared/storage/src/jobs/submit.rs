//! Adding many jobs at once, and how many of them may go to the queue at once.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::{Job, JobId, PriorityClass, UserId};

use super::Jobs;
use super::dispatch::priorities;
use crate::error::Result;
use crate::rows::{Each, execute_each, for_ids};
use crate::sql::one;

const INSERT: Each = Each {
    postgres: "INSERT INTO jobs (id, spec, model_name, algorithm, priority, created_by, dataset_id, run_at, created_at, \
               request_id, dispatched_at, status, attempts, crashes, interruptions, claim, progress, revision) \
               SELECT new.*, 'queued', 0, 0, 0, 0, 0, 1 FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::text[], \
               $5::bigint[], $6::uuid[], $7::uuid[], $8::timestamptz[], $9::timestamptz[], $10::text[], \
               $11::timestamptz[]) AS new",
    sqlite: "INSERT INTO jobs (id, spec, model_name, algorithm, priority, created_by, dataset_id, run_at, created_at, \
             request_id, dispatched_at, status, attempts, crashes, interruptions, claim, progress, revision) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', 0, 0, 0, 0, 0, 1)",
};
const DELETE: Each = for_ids!("DELETE FROM jobs WHERE status = 'queued' AND claim = 0 AND id", "$1", "");

impl Jobs<'_> {
    /// Adds jobs as [`Job::submitted`] makes them; of each only what a submission can set is looked at.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when there is a job with the id of one of them.
    pub async fn submit(&mut self, jobs: &[Job]) -> Result<()> {
        execute_each!(self.0, INSERT, [], jobs, |job| [
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
        Ok(())
    }

    /// Takes back jobs that this very transaction submitted.
    ///
    /// # Errors
    /// As every query.
    pub async fn take_back(&mut self, ids: &[JobId]) -> Result<()> {
        execute_each!(self.0, DELETE, [], ids, |id| [id.0])?;
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
