//! What the sweep looks for among jobs that run and jobs that wait.

use chrono::{DateTime, Utc};
use trainyard_domain::Job;

use super::Jobs;
use super::rows::{JobRow, both_tables, whole};
use crate::error::Result;
use crate::sql::{all, execute};
use crate::stored::{Stored, readable};

impl Jobs<'_> {
    /// Running jobs whose lease has run out, longest ago first. End them with [`Jobs::end_lost_run`]. It reads all that
    /// run: an index over leases would have to be written with every renewal. Jobs that cannot be read are skipped, and
    /// keep their state until a version of the program that can read them leads the sweep.
    ///
    /// # Errors
    /// As every query.
    pub async fn expired(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<Job>> {
        let (mut jobs, mut skipped) = (Vec::new(), 0);
        loop {
            let rows: Vec<Stored<JobRow>> = all!(
                self.0,
                concat!(
                    "SELECT ",
                    whole!(),
                    " FROM ",
                    both_tables!(),
                    " WHERE jobs.status = 'running' AND jobs.lease_expires_at <= $1 \
                     ORDER BY jobs.lease_expires_at, jobs.id LIMIT $2 OFFSET $3"
                ),
                now,
                limit,
                skipped,
            )?;
            let found = rows.len();
            jobs.extend(readable(rows));
            // Only where nothing on the page was readable: the leader ends what it gets, and then asks again.
            if !jobs.is_empty() || i64::try_from(found).is_ok_and(|found| found < limit) {
                return Ok(jobs);
            }
            skipped += limit;
        }
    }

    /// Notes of waiting jobs whose `run_at` has come that they are due, those that have been due for longest first, at
    /// most `limit`. Answers how many.
    ///
    /// # Errors
    /// As every query.
    pub async fn promote_due(&mut self, now: DateTime<Utc>, limit: i64) -> Result<u64> {
        // What is asked for inside is asked for again outside: a job that was claimed between the two is left alone.
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
