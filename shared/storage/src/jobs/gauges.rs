//! Counts: for limits, metrics and `GET /queue`.

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, JobStatus, PriorityClass, UserId};

use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, one};

/// The furthest a queue position is counted.
const COUNTED: i64 = 10_000;

/// Since when a job has been due, if there is one.
type Since = Option<DateTime<Utc>>;

impl Jobs<'_> {
    /// Queued and running jobs of one user.
    ///
    /// # Errors
    /// As every query.
    pub async fn active_of(&mut self, user: UserId) -> Result<i64> {
        let (count,): (i64,) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND due AND created_by = $1) \
             + (SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND run_at > created_at AND due = FALSE \
             AND created_by = $1) \
             + (SELECT COUNT(*) FROM jobs WHERE status = 'running' AND created_by = $1)",
            user.0,
        )?;
        Ok(count)
    }

    /// Queued and running jobs in all.
    ///
    /// # Errors
    /// As every query.
    pub async fn active_total(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM jobs WHERE status = 'queued') \
             + (SELECT COUNT(*) FROM jobs WHERE status = 'running')",
        )?;
        Ok(count)
    }

    /// Running jobs.
    ///
    /// # Errors
    /// As every query.
    pub async fn running_total(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM jobs WHERE status = 'running'")?;
        Ok(count)
    }

    /// Failed jobs. It takes as long as there are many: for a count now and then.
    ///
    /// # Errors
    /// As every query.
    pub async fn failed_total(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM jobs WHERE status = 'failed'")?;
        Ok(count)
    }

    /// Queued jobs that are not due at `now`.
    ///
    /// # Errors
    /// As every query.
    pub async fn scheduled_total(&mut self, now: DateTime<Utc>) -> Result<i64> {
        let (count,): (i64,) = one!(
            self.0,
            "SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND run_at > created_at AND due = FALSE AND run_at > $1",
            now,
        )?;
        Ok(count)
    }

    /// How many jobs stand so, for each status, none left out. It counts every job there ever was: for people who ask,
    /// not for a loop.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_status(&mut self) -> Result<Vec<(JobStatus, i64)>> {
        // One count a status, each over that status's own index.
        let (queued, running, succeeded, failed, cancelled): (i64, i64, i64, i64, i64) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM jobs WHERE status = 'queued'), \
             (SELECT COUNT(*) FROM jobs WHERE status = 'running'), \
             (SELECT COUNT(*) FROM jobs WHERE status = 'succeeded'), \
             (SELECT COUNT(*) FROM jobs WHERE status = 'failed'), \
             (SELECT COUNT(*) FROM jobs WHERE status = 'cancelled')",
        )?;
        Ok(vec![
            (JobStatus::Queued, queued),
            (JobStatus::Running, running),
            (JobStatus::Succeeded, succeeded),
            (JobStatus::Failed, failed),
            (JobStatus::Cancelled, cancelled),
        ])
    }

    /// Queued jobs of each class, none left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn depth_by_class(&mut self) -> Result<Vec<(PriorityClass, i64)>> {
        let rows: Vec<(i64, i64)> = all!(
            self.0,
            "SELECT priority, COUNT(*) FROM jobs WHERE status = 'queued' AND due GROUP BY priority \
             UNION ALL SELECT priority, COUNT(*) FROM jobs WHERE status = 'queued' AND run_at > created_at \
             AND due = FALSE GROUP BY priority",
        )?;
        let depth = |class| rows.iter().filter(|(p, _)| PriorityClass::of(*p) == class).map(|(_, n)| n).sum();
        Ok(PriorityClass::ALL.map(|class| (class, depth(class))).into())
    }

    /// Since when the job that has waited longest has been due; `None` when none waits.
    ///
    /// # Errors
    /// As every query.
    pub async fn oldest_queued(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        // Those whose time came late, noted or not yet, and those that were due from the start.
        let (late, unnoted, prompt): (Since, Since, Since) = one!(
            self.0,
            "SELECT (SELECT MIN(run_at) FROM jobs WHERE status = 'queued' AND run_at > created_at AND due = TRUE \
             AND run_at <= $1), (SELECT MIN(run_at) FROM jobs WHERE status = 'queued' AND run_at > created_at \
             AND due = FALSE AND run_at <= $1), \
             (SELECT run_at FROM jobs WHERE status = 'queued' AND run_at <= created_at ORDER BY id LIMIT 1)",
            now,
        )?;
        // The earliest, where there are any.
        Ok(late.into_iter().chain(unnoted).chain(prompt.filter(|due| *due <= now)).min())
    }

    /// The first jobs in line, in the order they should run: those that are due, by priority and age, each with its
    /// priority. How fairly the line is shared among users is not looked at.
    ///
    /// # Errors
    /// As every query.
    pub async fn line(&mut self, limit: i64) -> Result<Vec<(i64, JobId)>> {
        let rows: Vec<(i64, Uuid)> = all!(
            self.0,
            "SELECT priority, id FROM jobs WHERE status = 'queued' AND due ORDER BY priority DESC, id LIMIT $1",
            limit,
        )?;
        Ok(rows.into_iter().map(|(priority, id)| (priority, JobId(id))).collect())
    }

    /// Where a queued job stands in line, from 1: one more than the due jobs of higher priority, or of the same and
    /// older. How fairly the line is shared among users is not counted in, and past 10,000 nothing is.
    ///
    /// # Errors
    /// As every query.
    pub async fn queue_position(&mut self, job: &Job) -> Result<i64> {
        // Two ranges of an index; as one condition they would be a filter on all of it.
        let (higher, older): (i64, i64) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE status = 'queued' AND due AND priority > $1 \
             LIMIT $3) AS higher), (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE status = 'queued' AND due \
             AND priority = $1 AND id < $2 LIMIT $3) AS older)",
            job.spec.priority,
            job.id.0,
            COUNTED,
        )?;
        Ok((higher + older).min(COUNTED) + 1)
    }
}
