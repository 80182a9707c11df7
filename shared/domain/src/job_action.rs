//! A bulk action: cancels or retries all jobs that match a filter.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ActionId, JobId, UserId};

/// Most skipped jobs that an action lists.
pub const MAX_SKIPPED: usize = 100;

/// What is done with each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// Cancels queued and running jobs.
    Cancel,
    /// Queues failed and cancelled jobs again.
    Retry,
}

impl ActionKind {
    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        }
    }

    /// The kind with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Cancel, Self::Retry].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The state of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionStatus {
    /// Jobs are left.
    Running,
    /// All jobs were processed: changed or skipped.
    Succeeded,
    /// The action stopped because of a defect. The changed jobs stay changed.
    Failed,
}

impl ActionStatus {
    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The status with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Succeeded, Self::Failed].into_iter().find(|status| status.as_str() == text)
    }
}

/// A bulk action, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct JobAction {
    /// Its id.
    pub id: ActionId,
    /// What is done with each job.
    pub kind: ActionKind,
    /// The filter of the request, a JSON object.
    pub filter: Value,
    /// Its state.
    pub status: ActionStatus,
    /// The number of jobs that matched at the start.
    pub total: i64,
    /// How many of the jobs were processed, and with which result.
    pub progress: ActionProgress,
    /// The account that started the action.
    pub created_by: UserId,
    /// Id of the request that started the action.
    pub request_id: Option<String>,
    /// When the action started.
    pub created_at: DateTime<Utc>,
    /// When the action finished.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why the action failed.
    pub error: Option<String>,
}

/// The processed jobs of an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionProgress {
    /// Jobs that were cancelled or queued again.
    pub changed: i64,
    /// Jobs that were left unchanged.
    pub skipped: i64,
    /// The first [`MAX_SKIPPED`] skipped jobs.
    pub skipped_jobs: Vec<SkippedJob>,
}

impl ActionProgress {
    /// The number of processed jobs.
    pub fn processed(&self) -> i64 {
        self.changed + self.skipped
    }

    /// Counts a skipped job.
    pub fn skip(&mut self, job_id: JobId, reason: SkipReason) {
        self.skipped += 1;
        if self.skipped_jobs.len() < MAX_SKIPPED {
            self.skipped_jobs.push(SkippedJob { job_id, reason: reason.to_string() });
        }
    }
}

/// A job that an action left unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedJob {
    /// The job.
    pub job_id: JobId,
    /// The reason, for people.
    pub reason: String,
}

/// Why a job is left unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The job has finished.
    Finished,
    /// The job is neither failed nor cancelled.
    NotFailed,
    /// Another request has retried the job.
    RetriedMeanwhile,
    /// The dataset was deleted.
    DatasetDeleted,
    /// The submitter has the maximum number of queued and running jobs.
    UserLimit,
    /// All users together have the maximum number of queued and running jobs.
    TotalLimit,
    /// The job is deleted, or its row cannot be read.
    Missing,
}

impl std::fmt::Display for SkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Finished => "the job has finished already",
            Self::NotFailed => "only a failed or cancelled job can be retried",
            Self::RetriedMeanwhile => "another request has retried the job concurrently",
            Self::DatasetDeleted => "its dataset has been deleted",
            Self::UserLimit => "its account has reached the limit on queued and running jobs (api.max_jobs_per_user)",
            Self::TotalLimit => "the limit on the queued and running jobs of all users is reached (api.max_jobs_total)",
            Self::Missing => "the job does not exist any more",
        })
    }
}
