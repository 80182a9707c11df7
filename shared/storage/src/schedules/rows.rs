//! Rows of `schedules` and `schedule_runs`.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap, Template};
use trainyard_domain::{JobId, Schedule, ScheduleId, ScheduleRun, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::from_row::from_row;
use crate::parse::corrupt;
use crate::stored::{Id, Pair, StoredRow};

from_row! {
    pub(super) struct ScheduleRow {
        id: Uuid,
        name: String,
        cron: String,
        timezone: String,
        spec: Json<Template>,
        catch_up: String,
        overlap: String,
        paused: bool,
        created_by: Uuid,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
        next_run_at: Option<DateTime<Utc>>,
        last_run_at: Option<DateTime<Utc>>,
        last_job_id: Option<Uuid>,
        last_error: Option<String>,
        revision: i64,
    }
}

impl StoredRow for ScheduleRow {
    const TABLE: &'static str = "schedules";
    type Key = Id;
    type Value = Schedule;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<Schedule> {
        Ok(Schedule {
            id: ScheduleId(self.id),
            name: self.name,
            cron: self.cron,
            timezone: self.timezone,
            template: self.spec.0,
            catch_up: CatchUp::parse(&self.catch_up).ok_or_else(|| corrupt("catch_up"))?,
            overlap: Overlap::parse(&self.overlap).ok_or_else(|| corrupt("overlap"))?,
            paused: self.paused,
            created_by: UserId(self.created_by),
            created_at: self.created_at,
            updated_at: self.updated_at,
            next_run_at: self.next_run_at,
            last_run_at: self.last_run_at,
            last_job_id: self.last_job_id.map(JobId),
            last_error: self.last_error,
            revision: self.revision,
        })
    }
}

from_row! {
    pub(super) struct RunRow {
        schedule_id: Uuid,
        due_at: DateTime<Utc>,
        job_id: Option<Uuid>,
        outcome: String,
        message: Option<String>,
        at: DateTime<Utc>,
    }
}

impl StoredRow for RunRow {
    const TABLE: &'static str = "schedule_runs";
    type Key = Pair<Uuid, DateTime<Utc>>;
    type Value = ScheduleRun;

    fn key(&self) -> Self::Key {
        Pair(self.schedule_id, self.due_at)
    }

    fn read(self) -> Result<ScheduleRun> {
        Ok(ScheduleRun {
            schedule_id: ScheduleId(self.schedule_id),
            due_at: self.due_at,
            job_id: self.job_id.map(JobId),
            outcome: Outcome::parse(&self.outcome).ok_or_else(|| corrupt("outcome"))?,
            message: self.message,
            at: self.at,
        })
    }
}
