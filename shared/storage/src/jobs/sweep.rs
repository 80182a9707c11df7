//! What the sweep looks for among running jobs.

use chrono::{DateTime, Utc};
use trainyard_domain::Job;

use super::Jobs;
use super::rows::JobRow;
use crate::error::Result;
use crate::sql::all;

impl Jobs<'_> {
    /// Running jobs whose lease has run out, longest ago first. End them with [`Jobs::end_lost_run`].
    ///
    /// # Errors
    /// As every query.
    pub async fn expired(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<Job>> {
        let rows: Vec<JobRow> = all!(
            self.0,
            "SELECT * FROM jobs WHERE status = 'running' AND lease_expires_at <= $1 \
             ORDER BY lease_expires_at LIMIT $2",
            now,
            limit,
        )?;
        rows.into_iter().map(JobRow::read).collect()
    }
}
