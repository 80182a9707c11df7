//! Schedules: what is submitted, when, and what happens to missed and overlapping times.
//!
//! [`Timetable`] computes the due times, [`Timetable::plan`] decides which of them submit a job.

mod timetable;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use timetable::{MAX_DUE, Plan, Timetable};

use crate::dataset::{DatasetName, IndexedDataset};
use crate::field::FieldError;
use crate::ids::{JobId, ScheduleId, UserId};
use crate::model::parse_name;
use crate::spec::{Draft, JobSpec};

/// Policy for missed times, which passed while no sweep ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// Skip missed times.
    Skip,
    /// Submit one job, for the latest missed time.
    One,
    /// Submit one job for each of the latest [`MAX_DUE`] missed times.
    All,
}

impl CatchUp {
    const ALL: [Self; 3] = [Self::Skip, Self::One, Self::All];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::One => "one",
            Self::All => "all",
        }
    }

    /// The policy with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// Policy for a due time while a job of the schedule is queued or running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// Submit another job.
    Allow,
    /// Submit no job.
    Skip,
    /// Cancel the queued or running job and submit another one.
    Replace,
}

impl Overlap {
    const ALL: [Self; 3] = [Self::Allow, Self::Skip, Self::Replace];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::Replace => "replace",
        }
    }

    /// The policy with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// The result of a due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A job was submitted.
    Submitted,
    /// No job: an earlier job was queued or running.
    SkippedOverlap,
    /// No job: the time was missed.
    SkippedMissed,
    /// No job: the job specification is no longer valid.
    Refused,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Submitted, Self::SkippedOverlap, Self::SkippedMissed, Self::Refused];

    /// The name in JSON, in the database and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::SkippedOverlap => "skipped_overlap",
            Self::SkippedMissed => "skipped_missed",
            Self::Refused => "refused",
        }
    }

    /// The outcome with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// The job template of a schedule, with all defaults filled in. The dataset's version and the columns of `*` are resolved
/// at each due time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Template {
    /// The dataset; jobs use its newest version.
    pub dataset: DatasetName,
    /// The other fields.
    #[serde(flatten)]
    pub draft: Draft,
}

impl Template {
    /// The job specification for this version of the dataset. Returns an error for each invalid field.
    pub fn resolve(&self, dataset: &IndexedDataset) -> Result<JobSpec, Vec<FieldError>> {
        self.draft.validate(Some(dataset))
    }
}

/// A schedule, as stored.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Its unique name.
    pub name: String,
    /// See [`Timetable::parse`].
    pub cron: String,
    /// See [`Timetable::parse`].
    pub timezone: String,
    /// The job template.
    pub template: Template,
    /// See [`CatchUp`].
    pub catch_up: CatchUp,
    /// See [`Overlap`].
    pub overlap: Overlap,
    /// A paused schedule submits jobs only when a user triggers it.
    pub paused: bool,
    /// The account that created it and owns its jobs.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When a user last changed it.
    pub updated_at: DateTime<Utc>,
    /// The next due time; `None` while it is paused.
    pub next_run_at: Option<DateTime<Utc>>,
    /// When it last submitted a job.
    pub last_run_at: Option<DateTime<Utc>>,
    /// The last job that it submitted.
    pub last_job_id: Option<JobId>,
    /// Why the last submission was refused. Cleared by the next accepted one.
    pub last_error: Option<String>,
    /// Increases with every change. Updates name the revision that they read.
    pub revision: i64,
}

impl Schedule {
    /// Its timetable. Fails if the time zone database no longer has the zone, or newer rules refuse the expression.
    pub fn timetable(&self, now: DateTime<Utc>) -> Result<Timetable, Vec<FieldError>> {
        Timetable::parse(&self.cron, &self.timezone, now)
    }
}

/// The result of one due time of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The due time.
    pub due_at: DateTime<Utc>,
    /// The submitted job. It may have expired since.
    pub job_id: Option<JobId>,
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, for people.
    pub message: Option<String>,
    /// When the outcome was recorded.
    pub at: DateTime<Utc>,
}

/// Parses a schedule's name; the error is a message for the client.
pub fn parse_schedule_name(text: &str) -> Result<String, &'static str> {
    parse_name(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        CatchUp::ALL.into_iter().for_each(|policy| assert_eq!(CatchUp::parse(policy.as_str()), Some(policy)));
        Overlap::ALL.into_iter().for_each(|policy| assert_eq!(Overlap::parse(policy.as_str()), Some(policy)));
        Outcome::ALL.into_iter().for_each(|outcome| assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome)));
    }
}
