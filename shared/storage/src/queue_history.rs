//! The table `queue_samples`: the history of the queue.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute};
use crate::tx::Tx;

/// Time between two samples.
pub const SAMPLE_INTERVAL: TimeDelta = TimeDelta::minutes(1);
/// How long samples are kept.
pub const SAMPLES_KEPT: TimeDelta = TimeDelta::hours(24);

/// The history of the queue.
#[derive(Debug)]
pub struct QueueHistory<'t>(pub(crate) &'t mut Tx);

from_row! {
    /// The queue at one moment.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct QueueSample {
        /// The full minute.
        pub at: DateTime<Utc>,
        /// Queued jobs.
        pub queued: i64,
        /// Running jobs.
        pub running: i64,
        /// How long the oldest due job had waited, in seconds; `None` without one.
        pub oldest_age_s: Option<f64>,
        /// Jobs that succeeded, failed or were cancelled in the minute before `at`.
        pub finished: i64,
        /// Jobs that failed in the minute before `at`.
        pub failed: i64,
    }
}

/// The full minute of a time.
pub fn sample_time(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(SAMPLE_INTERVAL).unwrap_or(now)
}

impl QueueHistory<'_> {
    /// Samples the queue for the minute of `now`, unless there is a sample. Deletes old samples.
    pub async fn sample(&mut self, now: DateTime<Utc>) -> Result<()> {
        let at = sample_time(now);
        let oldest = self.0.jobs().oldest_queued(now).await?;
        let oldest_age_s = oldest.map(|since| (now - since).num_milliseconds().max(0) as f64 / 1_000.0);
        // The conditions on `status` are those of the partial indexes.
        execute!(
            self.0,
            "INSERT INTO queue_samples (at, queued, running, oldest_age_s, finished, failed) VALUES ($1, \
             (SELECT COUNT(*) FROM jobs WHERE status = 'queued'), (SELECT COUNT(*) FROM jobs WHERE status = 'running'), \
             $2, (SELECT COUNT(*) FROM jobs WHERE status = 'succeeded' AND finished_at >= $3 AND finished_at < $1) \
             + (SELECT COUNT(*) FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at >= $3 \
             AND finished_at < $1), (SELECT COUNT(*) FROM jobs WHERE status IN ('failed', 'cancelled') \
             AND status = 'failed' AND finished_at >= $3 AND finished_at < $1)) ON CONFLICT (at) DO NOTHING",
            at,
            oldest_age_s,
            at - SAMPLE_INTERVAL,
        )?;
        execute!(self.0, "DELETE FROM queue_samples WHERE at < $1", at - SAMPLES_KEPT)?;
        Ok(())
    }

    /// The samples since `since`, oldest first.
    pub async fn since(&mut self, since: DateTime<Utc>) -> Result<Vec<QueueSample>> {
        all!(
            self.0,
            "SELECT at, queued, running, oldest_age_s, finished, failed FROM queue_samples WHERE at >= $1 ORDER BY at",
            since,
        )
    }
}
