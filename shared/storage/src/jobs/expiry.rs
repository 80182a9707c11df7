//! The end of ended jobs: rows that nobody needs any more, a bounded number at a time. Their idempotency records go with
//! them.

use chrono::{DateTime, Utc};
use trainyard_domain::ids::first_uuid_at;
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, write_all};

/// How far a walk over succeeded jobs has come: the last one it looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryMark(Uuid);

impl Jobs<'_> {
    /// Removes failed and cancelled jobs that ended before `before`, at most `limit`; answers how many. Call it in a
    /// transaction: a job is two rows.
    ///
    /// # Errors
    /// As every query.
    pub async fn expire_dead(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64> {
        // The status is asked for again outside: a job that is retried between the two is not taken.
        let gone: Vec<(Uuid,)> = write_all!(
            self.0,
            "DELETE FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1 AND id IN \
             (SELECT id FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1 \
             ORDER BY finished_at LIMIT $2) RETURNING id",
            before,
            limit,
        )?;
        self.forget_orders(&gone).await?;
        Ok(gone.len() as u64)
    }

    /// Looks at up to `limit` succeeded jobs that were submitted before `before`, from `after` on, oldest first, and
    /// removes those that ended before `before` too and whose model version is gone; a version that is there names its
    /// job. Answers how many went, and where to go on: `None` at the end. Call it in a transaction: a job is two rows.
    ///
    /// # Errors
    /// As every query.
    pub async fn expire_succeeded(
        &mut self,
        before: DateTime<Utc>,
        after: Option<ExpiryMark>,
        limit: i64,
    ) -> Result<(u64, Option<ExpiryMark>)> {
        let after = after.map_or(Uuid::nil(), |mark| mark.0);
        // Who ended before then was submitted before then, and ids are in that order. When each ended is not asked for
        // here: a page must be as long as the walk is far from its end, whatever is on it.
        let looked_at: Vec<(Uuid,)> = all!(
            self.0,
            "SELECT id FROM jobs WHERE status = 'succeeded' AND id > $1 AND id < $2 ORDER BY id LIMIT $3",
            after,
            first_uuid_at(before),
            limit,
        )?;
        let Some((last,)) = looked_at.last().copied() else { return Ok((0, None)) };
        let gone: Vec<(Uuid,)> = write_all!(
            self.0,
            "DELETE FROM jobs WHERE status = 'succeeded' AND id > $1 AND id <= $2 AND finished_at < $3 \
             AND NOT EXISTS (SELECT 1 FROM model_versions v WHERE v.job_id = jobs.id) RETURNING id",
            after,
            last,
            before,
        )?;
        self.forget_orders(&gone).await?;
        let more = i64::try_from(looked_at.len()).is_ok_and(|looked_at| looked_at >= limit);
        Ok((gone.len() as u64, more.then_some(ExpiryMark(last))))
    }
}
