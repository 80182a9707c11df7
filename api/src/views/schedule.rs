//! Schedules as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap};
use trainyard_domain::{Schedule, ScheduleRun};
use trainyard_http::Principal;
use utoipa::ToSchema;
use uuid::Uuid;

use super::spec::SpecView;

/// Times that are told ahead.
const AHEAD: usize = 5;

/// What becomes of times that passed while the servers were down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUpView {
    /// They are left out.
    Skip,
    /// One job for all of them.
    One,
    /// A job for each of the latest hundred.
    All,
}

impl From<CatchUpView> for CatchUp {
    fn from(view: CatchUpView) -> Self {
        match view {
            CatchUpView::Skip => Self::Skip,
            CatchUpView::One => Self::One,
            CatchUpView::All => Self::All,
        }
    }
}

/// What becomes of a time that comes while a job of the schedule is queued or running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlapView {
    /// Another job, beside it.
    Allow,
    /// No job.
    Skip,
    /// The one that is queued or running is cancelled, and a new one submitted.
    Replace,
}

impl From<OverlapView> for Overlap {
    fn from(view: OverlapView) -> Self {
        match view {
            OverlapView::Allow => Self::Allow,
            OverlapView::Skip => Self::Skip,
            OverlapView::Replace => Self::Replace,
        }
    }
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleView {
    /// Its id.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub id: Uuid,
    /// Its name.
    #[schema(example = "nightly")]
    pub name: String,
    /// When it runs.
    #[schema(example = "30 2 * * *")]
    pub cron: String,
    /// The time zone that this is meant in.
    #[schema(example = "Europe/Berlin")]
    pub timezone: String,
    /// The training request that is submitted each time, with every default filled in. `*` and the newest version of the
    /// dataset are settled each time.
    pub spec: SpecView,
    /// What becomes of times that passed while the servers were down.
    pub catch_up: CatchUpView,
    /// What becomes of a time that comes while a job of the schedule is queued or running.
    pub overlap: OverlapView,
    /// Whether it does nothing by itself.
    #[schema(example = false)]
    pub paused: bool,
    /// Who made it; its jobs are this account's.
    pub created_by: Uuid,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When somebody last changed it.
    pub updated_at: DateTime<Utc>,
    /// When it runs next; null while it is paused.
    #[schema(required)]
    pub next_run_at: Option<DateTime<Utc>>,
    /// The next five times, in UTC; none while it is paused.
    pub next_runs: Vec<DateTime<Utc>>,
    /// When it last submitted a job.
    #[schema(required)]
    pub last_run_at: Option<DateTime<Utc>>,
    /// The job that was.
    #[schema(required)]
    pub last_job_id: Option<Uuid>,
    /// Why the last order was refused; null again when one is accepted.
    #[schema(required, example = "the data set 'sales' is gone")]
    pub last_error: Option<String>,
}

impl ScheduleView {
    /// The schedule at `now`.
    pub fn new(schedule: Schedule, now: DateTime<Utc>) -> Self {
        let timetable = schedule.timetable(now).ok().filter(|_| !schedule.paused);
        let next_runs = timetable.map(|timetable| timetable.upcoming(now, AHEAD)).unwrap_or_default();
        Self {
            id: schedule.id.0,
            name: schedule.name,
            cron: schedule.cron,
            timezone: schedule.timezone,
            spec: schedule.template.into(),
            catch_up: match schedule.catch_up {
                CatchUp::Skip => CatchUpView::Skip,
                CatchUp::One => CatchUpView::One,
                CatchUp::All => CatchUpView::All,
            },
            overlap: match schedule.overlap {
                Overlap::Allow => OverlapView::Allow,
                Overlap::Skip => OverlapView::Skip,
                Overlap::Replace => OverlapView::Replace,
            },
            paused: schedule.paused,
            created_by: schedule.created_by.0,
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
            next_run_at: schedule.next_run_at,
            next_runs,
            last_run_at: schedule.last_run_at,
            last_job_id: schedule.last_job_id.map(|id| id.0),
            last_error: schedule.last_error,
        }
    }

    /// The schedule as `principal` may see it: the address of a webhook is for administrators and whoever made the
    /// schedule.
    #[must_use]
    pub fn read_by(mut self, principal: &Principal) -> Self {
        if !principal.is_admin() && principal.user_id.0 != self.created_by {
            self.spec.webhook_url = None;
        }
        self
    }
}

/// What a time of a schedule came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(Deserialize))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeView {
    /// A job.
    Submitted,
    /// None: the one before had not ended.
    SkippedOverlap,
    /// None: it passed while the servers were down.
    SkippedMissed,
    /// None: the order can't be trained any more.
    Refused,
}

/// One time of a schedule, and what it came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleRunView {
    /// The time; for one that somebody triggered, when that was.
    pub due_at: DateTime<Utc>,
    /// What it came to.
    pub outcome: OutcomeView,
    /// The job, if there is one. It may have expired since.
    #[schema(required)]
    pub job_id: Option<Uuid>,
    /// Why, for people.
    #[schema(required, example = "the data set 'sales' is gone")]
    pub message: Option<String>,
    /// When that was decided.
    pub at: DateTime<Utc>,
}

impl From<ScheduleRun> for ScheduleRunView {
    fn from(run: ScheduleRun) -> Self {
        Self {
            due_at: run.due_at,
            outcome: match run.outcome {
                Outcome::Submitted => OutcomeView::Submitted,
                Outcome::SkippedOverlap => OutcomeView::SkippedOverlap,
                Outcome::SkippedMissed => OutcomeView::SkippedMissed,
                Outcome::Refused => OutcomeView::Refused,
            },
            job_id: run.job_id.map(|id| id.0),
            message: run.message,
            at: run.at,
        }
    }
}
