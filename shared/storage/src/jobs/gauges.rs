//! Counts of jobs, for limits, metrics and `GET /queue`.

use chrono::{DateTime, Utc};
use trainyard_domain::{Job, JobId, JobStatus, PriorityClass, UserId};

use uuid::Uuid;

use super::Jobs;
use crate::error::Result;
use crate::sql::{all, one};

/// Maximum of a queue position.
const MAX_COUNTED: i64 = 10_000;

/// When a job became due, if there is one.
type Since = Option<DateTime<Utc>>;

impl Jobs<'_> {
    /// Number of queued and running jobs of a user.
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

    /// Number of queued and running jobs.
    pub async fn active_total(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM jobs WHERE status = 'queued') \
             + (SELECT COUNT(*) FROM jobs WHERE status = 'running')",
        )?;
        Ok(count)
    }

    /// Number of running jobs.
    pub async fn running_total(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM jobs WHERE status = 'running'")?;
        Ok(count)
    }

    /// Number of failed jobs. Slow if there are many.
    pub async fn failed_total(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM jobs WHERE status = 'failed'")?;
        Ok(count)
    }

    /// Number of queued jobs that are not due at `now`.
    pub async fn scheduled_total(&mut self, now: DateTime<Utc>) -> Result<i64> {
        let (count,): (i64,) = one!(
            self.0,
            "SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND run_at > created_at AND due = FALSE AND run_at > $1",
            now,
        )?;
        Ok(count)
    }

    /// Number of jobs for each status. Slow: it counts all jobs.
    pub async fn by_status(&mut self) -> Result<Vec<(JobStatus, i64)>> {
        // Each status has its own index.
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

    /// Number of queued jobs for each priority class.
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

    /// When the oldest due job became due.
    pub async fn oldest_queued(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        // Delayed jobs with and without the due flag, and jobs that were due at submission.
        let (late, unnoted, prompt): (Since, Since, Since) = one!(
            self.0,
            "SELECT (SELECT MIN(run_at) FROM jobs WHERE status = 'queued' AND run_at > created_at AND due = TRUE \
             AND run_at <= $1), (SELECT MIN(run_at) FROM jobs WHERE status = 'queued' AND run_at > created_at \
             AND due = FALSE AND run_at <= $1), \
             (SELECT run_at FROM jobs WHERE status = 'queued' AND run_at <= created_at ORDER BY id LIMIT 1)",
            now,
        )?;
        Ok(late.into_iter().chain(unnoted).chain(prompt.filter(|due| *due <= now)).min())
    }

    /// The first due jobs by priority and age, each with its priority. Ignores fair scheduling.
    pub async fn queue_order(&mut self, limit: i64) -> Result<Vec<(i64, JobId)>> {
        let rows: Vec<(i64, Uuid)> = all!(
            self.0,
            "SELECT priority, id FROM jobs WHERE status = 'queued' AND due ORDER BY priority DESC, id LIMIT $1",
            limit,
        )?;
        Ok(rows.into_iter().map(|(priority, id)| (priority, JobId(id))).collect())
    }

    /// The queue position of a job, from 1: its rank among due jobs by priority and age, at most 10,001. Ignores fair
    /// scheduling.
    pub async fn queue_position(&mut self, job: &Job) -> Result<i64> {
        // Two index ranges. As one condition they would scan the whole index.
        let (higher, older): (i64, i64) = one!(
            self.0,
            "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE status = 'queued' AND due AND priority > $1 \
             LIMIT $3) AS higher), (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE status = 'queued' AND due \
             AND priority = $1 AND id < $2 LIMIT $3) AS older)",
            job.spec.priority,
            job.id.0,
            MAX_COUNTED,
        )?;
        Ok((higher + older).min(MAX_COUNTED) + 1)
    }
}
