//! Queries of the sweep.

use chrono::{DateTime, Utc};
use trainyard_domain::Job;

use super::Jobs;
use super::rows::{JobRow, all_columns, job_tables};
use crate::error::Result;
use crate::sql::{all, execute};
use crate::stored::{Stored, readable};

impl Jobs<'_> {
    /// Running jobs with an expired lease, those that expired first. Finish them with [`Jobs::finish_lost_run`]. The query reads
    /// all running jobs, because every renewal would have to update an index on leases. Unreadable jobs are skipped: they
    /// stay running until a leader of another version can read them.
    pub async fn expired(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<Job>> {
        let (mut jobs, mut skipped) = (Vec::new(), 0);
        loop {
            let rows: Vec<Stored<JobRow>> = all!(
                self.0,
                concat!(
                    "SELECT ",
                    all_columns!(),
                    " FROM ",
                    job_tables!(),
                    " WHERE jobs.status = 'running' AND jobs.lease_expires_at <= $1 \
                     ORDER BY jobs.lease_expires_at, jobs.id LIMIT $2 OFFSET $3"
                ),
                now,
                limit,
                skipped,
            )?;
            let found = rows.len();
            jobs.extend(readable(rows));
            // Continue only if no row was readable. The leader finishes the jobs it gets and calls again.
            if !jobs.is_empty() || i64::try_from(found).is_ok_and(|found| found < limit) {
                return Ok(jobs);
            }
            skipped += limit;
        }
    }

    /// Sets the due flag of queued jobs whose `run_at` has passed, those due first, at most `limit`. Returns how many.
    pub async fn promote_due(&mut self, now: DateTime<Utc>, limit: i64) -> Result<u64> {
        // The outer condition excludes a job that is claimed concurrently.
        execute!(
            self.0,
            "UPDATE jobs SET due = TRUE WHERE status = 'queued' AND due = FALSE AND run_at <= $1 AND id IN \
             (SELECT id FROM jobs WHERE status = 'queued' AND run_at > created_at AND due = FALSE AND run_at <= $1 \
             ORDER BY run_at LIMIT $2)",
            now,
            limit,
        )
    }
}
