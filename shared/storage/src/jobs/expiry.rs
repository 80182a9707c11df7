//! The end of ended jobs: rows that nobody needs any more, a bounded number at a time. Their idempotency records go with
//! them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, execute};

/// How far a walk over succeeded jobs has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryMark(DateTime<Utc>, Uuid);

impl Jobs<'_> {
    /// Removes failed and cancelled jobs that ended before `before`, at most `limit`; answers how many.
    ///
    /// # Errors
    /// As every query.
    pub async fn expire_dead(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64> {
        // The status is asked for again outside: a job that is retried between the two is not taken.
        execute!(
            self.0,
            "DELETE FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1 AND id IN \
             (SELECT id FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1 \
             ORDER BY finished_at LIMIT $2)",
            before,
            limit,
        )
    }

    /// Looks at up to `limit` succeeded jobs that ended before `before`, from `after` on, and removes those whose model
    /// version is gone; a version that is there names its job. Answers how many went, and where to go on: `None` at the
    /// end.
    ///
    /// # Errors
    /// As every query.
    pub async fn expire_succeeded(
        &mut self,
        before: DateTime<Utc>,
        after: Option<ExpiryMark>,
        limit: i64,
    ) -> Result<(u64, Option<ExpiryMark>)> {
        let ExpiryMark(ended, id) = after.unwrap_or(ExpiryMark(DateTime::UNIX_EPOCH, Uuid::nil()));
        let looked_at: Vec<(DateTime<Utc>, Uuid)> = all!(
            self.0,
            "SELECT finished_at, id FROM jobs WHERE status = 'succeeded' AND finished_at < $1 \
             AND (finished_at, id) > ($2, $3) ORDER BY finished_at, id LIMIT $4",
            before,
            ended,
            id,
            limit,
        )?;
        let Some((until, last)) = looked_at.last().copied() else { return Ok((0, None)) };
        let removed = execute!(
            self.0,
            "DELETE FROM jobs WHERE status = 'succeeded' AND finished_at < $1 AND (finished_at, id) > ($2, $3) \
             AND (finished_at, id) <= ($4, $5) \
             AND NOT EXISTS (SELECT 1 FROM model_versions v WHERE v.job_id = jobs.id)",
            before,
            ended,
            id,
            until,
            last,
        )?;
        let more = i64::try_from(looked_at.len()).is_ok_and(|looked_at| looked_at >= limit);
        Ok((removed, more.then_some(ExpiryMark(until, last))))
    }
}
