//! The tables `schedules` and `schedule_runs`.
//!
//! Optimistic locking: every write of a schedule increases `revision` and names the revision that it read. Of two
//! concurrent writes, the second one changes no row.

mod rows;
mod runs;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::{JobId, Schedule, ScheduleId};
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{all, execute, one, optional};
use crate::stored::{Id, PageReader, Stored};
use crate::tx::Tx;
use rows::ScheduleRow;

/// Schedules.
#[derive(Debug)]
pub struct Schedules<'t>(pub(crate) &'t mut Tx);

/// The result of a due time, stored on its schedule.
#[derive(Debug, Clone, Default)]
pub struct ScheduleResult {
    /// The submitted job and its time. `None` keeps the stored values.
    pub job: Option<(JobId, DateTime<Utc>)>,
    /// Why the submission was refused. `None` clears the stored reason if there is a job, otherwise keeps it.
    pub error: Option<String>,
}

impl Schedules<'_> {
    /// Inserts a schedule. Returns `false` if `most` schedules exist. Concurrent calls wait for each other.
    pub async fn insert_within(&mut self, schedule: &Schedule, most: i64) -> Result<bool> {
        // A lock: two concurrent transactions would not see each other's row in the count.
        execute!(self.0, "UPDATE schedule_lock SET id = id WHERE id = 1")?;
        let fits = self.count().await? < most;
        if fits {
            self.insert(schedule).await?;
        }
        Ok(fits)
    }

    /// Inserts a schedule.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the name is taken or the creator does not exist.
    pub async fn insert(&mut self, schedule: &Schedule) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO schedules (id, name, cron, timezone, spec, catch_up, overlap, paused, created_by, created_at, \
             updated_at, next_run_at, last_run_at, last_job_id, last_error, revision) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            schedule.id.0,
            &schedule.name,
            &schedule.cron,
            &schedule.timezone,
            Json(&schedule.template),
            schedule.catch_up.as_str(),
            schedule.overlap.as_str(),
            schedule.paused,
            schedule.created_by.0,
            schedule.created_at,
            schedule.updated_at,
            schedule.next_run_at,
            schedule.last_run_at,
            schedule.last_job_id.map(|id| id.0),
            schedule.last_error.as_deref(),
            schedule.revision,
        )?;
        Ok(())
    }

    /// The schedule with this id.
    pub async fn get(&mut self, id: ScheduleId) -> Result<Option<Schedule>> {
        let row: Option<Stored<ScheduleRow>> = optional!(self.0, "SELECT * FROM schedules WHERE id = $1", id.0)?;
        row.map(Stored::value).transpose()
    }

    /// Schedules older than `before`, newest first. Unreadable rows are left out.
    pub async fn list(&mut self, before: Option<ScheduleId>, limit: i64) -> Result<Vec<Schedule>> {
        let mut page: PageReader<ScheduleRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                "SELECT * FROM schedules WHERE id < $1 ORDER BY id DESC LIMIT $2",
                before.map_or(Uuid::max(), |id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
    }

    /// Number of schedules.
    pub async fn count(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM schedules")?;
        Ok(count)
    }

    /// Updates the fields that users can change. Returns `false` if the revision has changed since it was read.
    pub async fn update(&mut self, schedule: &Schedule) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE schedules SET cron = $3, timezone = $4, spec = $5, catch_up = $6, overlap = $7, paused = $8, \
             updated_at = $9, next_run_at = $10, last_error = $11, revision = revision + 1 \
             WHERE id = $1 AND revision = $2",
            schedule.id.0,
            schedule.revision,
            &schedule.cron,
            &schedule.timezone,
            Json(&schedule.template),
            schedule.catch_up.as_str(),
            schedule.overlap.as_str(),
            schedule.paused,
            schedule.updated_at,
            schedule.next_run_at,
            schedule.last_error.as_deref(),
        )?;
        Ok(changed == 1)
    }

    /// Deletes a schedule and its runs, but not its jobs. Returns `false` if it does not exist.
    pub async fn delete(&mut self, id: ScheduleId) -> Result<bool> {
        Ok(execute!(self.0, "DELETE FROM schedules WHERE id = $1", id.0)? == 1)
    }

    /// Due schedules, those due first.
    pub async fn due(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<ScheduleId>> {
        let rows: Vec<(Uuid,)> = all!(
            self.0,
            "SELECT id FROM schedules WHERE paused = FALSE AND next_run_at <= $1 ORDER BY next_run_at LIMIT $2",
            now,
            limit,
        )?;
        Ok(rows.into_iter().map(|(id,)| ScheduleId(id)).collect())
    }

    /// Advances the schedule to `next`, which gives the caller the right to act on the earlier due times. Returns `false` if
    /// another process advanced it, or if it was changed, paused or deleted.
    pub async fn advance(&mut self, schedule: &Schedule, next: Option<DateTime<Utc>>) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE schedules SET next_run_at = $3, revision = revision + 1 \
             WHERE id = $1 AND revision = $2 AND paused = FALSE",
            schedule.id.0,
            schedule.revision,
            next,
        )?;
        Ok(changed == 1)
    }

    /// Stores the result of a due time on the schedule.
    pub async fn record_result(&mut self, id: ScheduleId, fired: &ScheduleResult) -> Result<()> {
        let (job, at) = fired.job.unzip();
        execute!(
            self.0,
            "UPDATE schedules SET last_job_id = COALESCE($2, last_job_id), last_run_at = COALESCE($3, last_run_at), \
             last_error = CASE WHEN $4 IS NULL AND $2 IS NULL THEN last_error ELSE $4 END, revision = revision + 1 \
             WHERE id = $1",
            id.0,
            job.map(|job| job.0),
            at,
            fired.error.as_deref(),
        )?;
        Ok(())
    }
}
