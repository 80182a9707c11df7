//! Runs of schedules: the results of due times.

use chrono::{DateTime, Utc};
use trainyard_domain::{JobId, Schedule, ScheduleId, ScheduleRun};
use uuid::Uuid;

use super::Schedules;
use super::rows::RunRow;
use crate::error::Result;
use crate::sql::{all, execute};
use crate::stored::{PageReader, Pair};

/// Number of the latest runs that are searched for active jobs.
const SEARCHED_RUNS: i64 = 100;

impl Schedules<'_> {
    /// Inserts a run. Returns `false` if the due time has a run: then the caller must not act.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the schedule does not exist.
    pub async fn add_run(&mut self, run: &ScheduleRun) -> Result<bool> {
        let changed = execute!(
            self.0,
            "INSERT INTO schedule_runs (schedule_id, due_at, job_id, outcome, message, at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (schedule_id, due_at) DO NOTHING",
            run.schedule_id.0,
            run.due_at,
            run.job_id.map(|id| id.0),
            run.outcome.as_str(),
            run.message.as_deref(),
            run.at,
        )?;
        Ok(changed == 1)
    }

    /// Runs that were due before `before`, latest first. Unreadable rows are left out.
    pub async fn runs(
        &mut self,
        id: ScheduleId,
        before: Option<DateTime<Utc>>,
        limit: i64,
    ) -> Result<Vec<ScheduleRun>> {
        let mut page: PageReader<RunRow> = PageReader::new(before.map(|before| Pair(id.0, before)), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(match before {
                Some(Pair(_, before)) => all!(
                    self.0,
                    "SELECT * FROM schedule_runs WHERE schedule_id = $1 AND due_at < $2 ORDER BY due_at DESC LIMIT $3",
                    id.0,
                    before,
                    limit,
                )?,
                None => all!(
                    self.0,
                    "SELECT * FROM schedule_runs WHERE schedule_id = $1 ORDER BY due_at DESC LIMIT $2",
                    id.0,
                    limit,
                )?,
            });
        }
        Ok(page.values())
    }

    /// The schedule's queued and running jobs, among its last job and the jobs of its latest [`SEARCHED_RUNS`] runs.
    pub async fn active_jobs(&mut self, schedule: &Schedule) -> Result<Vec<JobId>> {
        let rows: Vec<(Uuid,)> = all!(
            self.0,
            "SELECT id FROM jobs WHERE status IN ('queued', 'running') AND id IN (SELECT job_id FROM \
             (SELECT job_id FROM schedule_runs WHERE schedule_id = $1 AND job_id IS NOT NULL \
             ORDER BY due_at DESC LIMIT $2) AS latest) \
             UNION SELECT id FROM jobs WHERE status IN ('queued', 'running') AND id = $3",
            schedule.id.0,
            SEARCHED_RUNS,
            schedule.last_job_id.map(|id| id.0),
        )?;
        Ok(rows.into_iter().map(|(id,)| JobId(id)).collect())
    }

    /// Deletes all but the latest `keep` runs. The schedule has advanced past the deleted ones.
    pub async fn trim_runs(&mut self, id: ScheduleId, keep: i64) -> Result<u64> {
        execute!(
            self.0,
            "DELETE FROM schedule_runs WHERE schedule_id = $1 AND due_at <= \
             (SELECT due_at FROM schedule_runs WHERE schedule_id = $1 ORDER BY due_at DESC LIMIT 1 OFFSET $2)",
            id.0,
            keep,
        )
    }
}
