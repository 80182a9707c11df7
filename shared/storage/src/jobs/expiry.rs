//! Expiry of finished jobs, in bounded batches. Their idempotency keys are deleted with them.

use chrono::{DateTime, Utc};
use trainyard_domain::ids::first_uuid_at;
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, write_all};

/// Position of the expiry of succeeded jobs: the last checked job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryCursor(Uuid);

/// What an expiry deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expired {
    /// Number of jobs.
    pub jobs: u64,
    /// Keys of their objects: the parts of results, and checkpoints. Delete the objects after the commit.
    pub objects: Vec<String>,
}

impl Jobs<'_> {
    /// Deletes failed and cancelled jobs that finished before `before`, at most `limit`. Requires a
    /// transaction, because a job has rows in several tables.
    pub async fn expire_unsuccessful(&mut self, before: DateTime<Utc>, limit: i64) -> Result<Expired> {
        // The outer condition keeps a job that is retried concurrently.
        let deleted: Vec<(Uuid,)> = write_all!(
            self.0,
            "DELETE FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1 AND id IN \
             (SELECT id FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1 \
             ORDER BY finished_at LIMIT $2) RETURNING id",
            before,
            limit,
        )?;
        let objects = self.delete_orders(&deleted).await?;
        Ok(Expired { jobs: deleted.len() as u64, objects })
    }

    /// Checks up to `limit` succeeded jobs after `after`, oldest first, and deletes those that finished before `before` and
    /// have no model version. Also returns where to continue; `None` at the end. Requires a transaction, because
    /// a job has rows in several tables.
    pub async fn expire_succeeded(
        &mut self,
        before: DateTime<Utc>,
        after: Option<ExpiryCursor>,
        limit: i64,
    ) -> Result<(Expired, Option<ExpiryCursor>)> {
        let after = after.map_or(Uuid::nil(), |cursor| cursor.0);
        // A job that finished before `before` was submitted before it, and ids sort by submission. This query ignores
        // `finished_at`, so that only the last page is short.
        let checked: Vec<(Uuid,)> = all!(
            self.0,
            "SELECT id FROM jobs WHERE status = 'succeeded' AND id > $1 AND id < $2 ORDER BY id LIMIT $3",
            after,
            first_uuid_at(before),
            limit,
        )?;
        let Some((last,)) = checked.last().copied() else { return Ok((Expired::default(), None)) };
        let deleted: Vec<(Uuid,)> = write_all!(
            self.0,
            "DELETE FROM jobs WHERE status = 'succeeded' AND id > $1 AND id <= $2 AND finished_at < $3 \
             AND NOT EXISTS (SELECT 1 FROM model_versions v WHERE v.job_id = jobs.id) RETURNING id",
            after,
            last,
            before,
        )?;
        let objects = self.delete_orders(&deleted).await?;
        let expired = Expired { jobs: deleted.len() as u64, objects };
        let more = i64::try_from(checked.len()).is_ok_and(|checked| checked >= limit);
        Ok((expired, more.then_some(ExpiryCursor(last))))
    }
}
