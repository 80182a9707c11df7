//! Jobs that come back: what is submitted, when, and what happens when a time was missed or the last job still runs.
//!
//! When is a [`Timetable`]; which of the times that have come are acted upon is its [`Timetable::plan`].

mod timetable;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use timetable::{MAX_DUE, Plan, Timetable};

use crate::dataset::{DatasetName, IndexedDataset};
use crate::field::FieldError;
use crate::ids::{JobId, ScheduleId, UserId};
use crate::model::parse_name;
use crate::spec::{Draft, JobSpec};

/// What becomes of times that passed while nobody looked: the servers were down, or the sweep had no leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out.
    Skip,
    /// One job for all of them, for the latest.
    One,
    /// A job for each of the latest [`MAX_DUE`].
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

    /// The policy called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// What becomes of a time that comes while a job of the schedule is queued or running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// Another job, beside it.
    Allow,
    /// No job.
    Skip,
    /// The one that is queued or running is cancelled, and a new one submitted.
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

    /// The policy called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// What a due time came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A job.
    Submitted,
    /// None: the one before had not ended.
    SkippedOverlap,
    /// None: it passed while nobody looked.
    SkippedMissed,
    /// None: the order can't be trained any more.
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

    /// The outcome called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// The order that is submitted each time, with every default filled in but what the data decides: the data set's
/// version and the columns that `*` stands for are those of the day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Template {
    /// The data set, in its newest version.
    pub dataset: DatasetName,
    /// The rest.
    #[serde(flatten)]
    pub draft: Draft,
}

impl Template {
    /// The order for a job on this version of its data set.
    ///
    /// # Errors
    /// Every refused field.
    pub fn resolve(&self, dataset: &IndexedDataset) -> Result<JobSpec, Vec<FieldError>> {
        self.draft.validate(Some(dataset))
    }
}

/// A schedule, as stored.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Its name, of which there is one.
    pub name: String,
    /// See [`Timetable::parse`].
    pub cron: String,
    /// See [`Timetable::parse`].
    pub timezone: String,
    /// What it submits.
    pub template: Template,
    /// See [`CatchUp`].
    pub catch_up: CatchUp,
    /// See [`Overlap`].
    pub overlap: Overlap,
    /// Whether it does nothing by itself.
    pub paused: bool,
    /// Who made it; its jobs are this account's.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed by somebody.
    pub updated_at: DateTime<Utc>,
    /// The first time that was not looked at yet; `None` while it is paused.
    pub next_run_at: Option<DateTime<Utc>>,
    /// When it last submitted a job.
    pub last_run_at: Option<DateTime<Utc>>,
    /// The job that was.
    pub last_job_id: Option<JobId>,
    /// Why the last order was refused; gone with the next that is accepted.
    pub last_error: Option<String>,
    /// Moves with every change: what writes name that read it before.
    pub revision: i64,
}

impl Schedule {
    /// Its timetable.
    ///
    /// # Errors
    /// When a newer release of the time zones or of the rules no longer knows what this one was stored with.
    pub fn timetable(&self, now: DateTime<Utc>) -> Result<Timetable, Vec<FieldError>> {
        Timetable::parse(&self.cron, &self.timezone, now)
    }
}

/// What one due time of a schedule came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The time.
    pub due_at: DateTime<Utc>,
    /// The job, if one was submitted. It may have expired since.
    pub job_id: Option<JobId>,
    /// What it came to,
    pub outcome: Outcome,
    /// and why, for people.
    pub message: Option<String>,
    /// When that was decided.
    pub at: DateTime<Utc>,
}

/// Checks a schedule's name by the rule for names of models.
///
/// # Errors
/// A sentence for the client.
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
