//! Schemas of schedules.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use trainyard_domain::schedule::{CatchUp, Outcome, Overlap};
use trainyard_domain::{Schedule, ScheduleRun};
use trainyard_http::Principal;
use utoipa::ToSchema;
use uuid::Uuid;

use super::spec::SpecView;

/// Number of upcoming times in a response.
const AHEAD: usize = 5;

/// How a schedule treats times that passed while no server was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUpView {
    /// Skip them.
    Skip,
    /// Submit one job for all of them.
    One,
    /// Submit a job for each of the latest hundred.
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

/// How a schedule treats a time at which a job of the schedule is queued or running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlapView {
    /// Submit another job.
    Allow,
    /// Submit no job.
    Skip,
    /// Cancel the queued or running job, and submit a new one.
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
    /// The id of the schedule.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub id: Uuid,
    /// The name of the schedule.
    #[schema(example = "nightly")]
    pub name: String,
    /// The cron expression.
    #[schema(example = "30 2 * * *")]
    pub cron: String,
    /// The time zone of `cron`.
    #[schema(example = "Europe/Berlin")]
    pub timezone: String,
    /// The training request with all defaults. `*` and the newest version of the dataset are resolved at each run.
    pub spec: SpecView,
    /// How times that passed while no server was running are treated.
    pub catch_up: CatchUpView,
    /// How a time at which a job of the schedule is queued or running is treated.
    pub overlap: OverlapView,
    /// Whether the schedule is paused.
    #[schema(example = false)]
    pub paused: bool,
    /// The account that created the schedule, which also submits its jobs.
    pub created_by: Uuid,
    /// When the schedule was created.
    pub created_at: DateTime<Utc>,
    /// When the schedule was last changed.
    pub updated_at: DateTime<Utc>,
    /// The next time; `null` while the schedule is paused.
    #[schema(required)]
    pub next_run_at: Option<DateTime<Utc>>,
    /// The next five times, in UTC; empty while the schedule is paused.
    pub next_runs: Vec<DateTime<Utc>>,
    /// When the schedule last submitted a job.
    #[schema(required)]
    pub last_run_at: Option<DateTime<Utc>>,
    /// The job that was submitted last.
    #[schema(required)]
    pub last_job_id: Option<Uuid>,
    /// Why the last training request was refused; `null` after the next accepted one.
    #[schema(required, example = "the dataset 'sales' has been deleted")]
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

    /// Removes what `principal` may not read: only administrators and the creator may read the webhook URL.
    #[must_use]
    pub fn visible_to(mut self, principal: &Principal) -> Self {
        if !principal.is_admin() && principal.user_id.0 != self.created_by {
            self.spec.webhook_url = None;
        }
        self
    }
}

/// The outcome of a scheduled time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(Deserialize))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeView {
    /// A job was submitted.
    Submitted,
    /// No job: the previous job was still active.
    SkippedOverlap,
    /// No job: the time passed while no server was running.
    SkippedMissed,
    /// No job: the training request was refused.
    Refused,
}

/// A scheduled time and its outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleRunView {
    /// The scheduled time, or the time of a manual trigger.
    pub due_at: DateTime<Utc>,
    /// The outcome.
    pub outcome: OutcomeView,
    /// The submitted job, if any. The job may have expired since.
    #[schema(required)]
    pub job_id: Option<Uuid>,
    /// The reason, for people.
    #[schema(required, example = "the dataset 'sales' has been deleted")]
    pub message: Option<String>,
    /// When the outcome was recorded.
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
