//! The `schedules` table and what its due times came to (`runs`).
//!
//! A schedule's `revision` moves with every write, and every write names the one it read: of two processes that act on
//! the same due time, or a person who changes a schedule while it fires, one comes first and the other finds no row.

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

/// What a firing leaves on its schedule.
#[derive(Debug, Clone, Default)]
pub struct Fired {
    /// The job it submitted last, and when; `None` keeps what is there.
    pub job: Option<(JobId, DateTime<Utc>)>,
    /// Why it was refused; `None` takes an older reason away if there is a job, else keeps it.
    pub error: Option<String>,
}

impl Schedules<'_> {
    /// Adds a schedule unless there are `most` already: `false` then. Additions at the same time wait for each other.
    ///
    /// # Errors
    /// As [`Schedules::insert`].
    pub async fn insert_within(&mut self, schedule: &Schedule, most: i64) -> Result<bool> {
        // Of two statements that count at the same time neither sees what the other adds; this row makes them take turns.
        execute!(self.0, "UPDATE schedule_lock SET id = id WHERE id = 1")?;
        let fits = self.count().await? < most;
        if fits {
            self.insert(schedule).await?;
        }
        Ok(fits)
    }

    /// Adds a schedule.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when its name is taken or its creator is not there.
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
    ///
    /// # Errors
    /// As every query.
    pub async fn get(&mut self, id: ScheduleId) -> Result<Option<Schedule>> {
        let row: Option<Stored<ScheduleRow>> = optional!(self.0, "SELECT * FROM schedules WHERE id = $1", id.0)?;
        row.map(Stored::value).transpose()
    }

    /// Schedules older than `before`, newest first.
    ///
    /// # Errors
    /// As every query.
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

    /// How many there are.
    ///
    /// # Errors
    /// As every query.
    pub async fn count(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM schedules")?;
        Ok(count)
    }

    /// Writes what a person can change, over the revision that `schedule` was read with. `false` when it has moved on.
    ///
    /// # Errors
    /// As every query.
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

    /// Removes a schedule and its runs; its jobs stay. `false` when there is none.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete(&mut self, id: ScheduleId) -> Result<bool> {
        Ok(execute!(self.0, "DELETE FROM schedules WHERE id = $1", id.0)? == 1)
    }

    /// Schedules with a time that has come, longest ago first.
    ///
    /// # Errors
    /// As every query.
    pub async fn due(&mut self, now: DateTime<Utc>, limit: i64) -> Result<Vec<ScheduleId>> {
        let rows: Vec<(Uuid,)> = all!(
            self.0,
            "SELECT id FROM schedules WHERE paused = FALSE AND next_run_at <= $1 ORDER BY next_run_at LIMIT $2",
            now,
            limit,
        )?;
        Ok(rows.into_iter().map(|(id,)| ScheduleId(id)).collect())
    }

    /// Takes the times that have come: whoever moves the schedule on to `next` may act on those before. `false` when
    /// somebody else did, or the schedule was changed, paused or removed.
    ///
    /// # Errors
    /// As every query.
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

    /// Notes on the schedule what a firing came to.
    ///
    /// # Errors
    /// As every query.
    pub async fn note(&mut self, id: ScheduleId, fired: &Fired) -> Result<()> {
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
