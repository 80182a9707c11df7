//! A job and its states. Training and prediction jobs have the same.
//!
//! ```text
//! submit ──▶ queued ──claim──▶ running ──publish──▶ succeeded
//!             ▲  ▲               │ ├──▶ failed
//!   backoff ──┘  └─ lease lost, ─┘ └──▶ cancelled
//!                   drained
//! ```
//! Storage performs each transition as a compare-and-set. [`crate::outcome::next_state`] decides the state after a run.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DatasetId, JobId, UserId};
use crate::outcome::{Counts, JobError};
use crate::spec::JobSpec;

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Waits for a worker, for `run_at` or for a retry.
    Queued,
    /// A worker holds the lease.
    Running,
    /// The model version or the result is published.
    Succeeded,
    /// The job failed, and no attempt is left.
    Failed,
    /// A user cancelled the job.
    Cancelled,
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the status is final.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether `POST /training/{id}/retry` may start a new series of attempts.
    pub fn may_retry(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// The priority class of a job. The queue has one stream for each class and reads them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PriorityClass {
    /// Priorities above 0.
    High,
    /// Priority 0.
    Normal,
    /// Priorities below 0.
    Low,
}

impl PriorityClass {
    /// All classes, highest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The class of a priority.
    pub fn of(priority: i64) -> Self {
        match priority {
            1.. => Self::High,
            0 => Self::Normal,
            _ => Self::Low,
        }
    }

    /// The name in stream keys and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// A job, as stored.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The job specification.
    pub spec: JobSpec,
    /// The dataset version to train on or to predict.
    pub dataset_id: DatasetId,
    /// The account that submitted the job.
    pub created_by: UserId,
    /// Its state.
    pub status: JobStatus,
    /// Failures, crashes and interruptions in the current series of attempts.
    pub counts: Counts,
    /// The fencing token of the current run. Increases with every claim.
    pub claim: i64,
    /// The worker that holds the lease, or held it last.
    pub worker: Option<String>,
    /// When the lease expires, unless the worker renews it.
    pub lease_expires_at: Option<DateTime<Utc>>,
    /// When a user requested the cancellation.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// The job does not start before this time.
    pub run_at: DateTime<Utc>,
    /// Progress of the current run, 0 to 1.
    pub progress: f64,
    /// The phase of the current run.
    pub phase: Option<String>,
    /// When the job was accepted.
    pub created_at: DateTime<Utc>,
    /// When the current or last run started.
    pub started_at: Option<DateTime<Utc>>,
    /// When the job reached a final state.
    pub finished_at: Option<DateTime<Utc>>,
    /// Once the job succeeded: the metrics of a training on the held-out part, or the counts of a prediction.
    pub metrics: Option<serde_json::Value>,
    /// The model version that the job published.
    pub model_version: Option<i64>,
    /// The last failure. Kept while the job waits for a retry.
    pub error: Option<JobError>,
    /// Id of the request that submitted the job, for logs.
    pub request_id: Option<String>,
    /// Trace context of the submission (W3C). Runs continue this trace.
    pub traceparent: Option<String>,
    /// Increases with every visible change. The API uses it as `ETag`.
    pub revision: i64,
}

impl Job {
    /// A queued job with a new id, accepted at `now`.
    pub fn submitted(
        spec: JobSpec,
        dataset_id: DatasetId,
        created_by: UserId,
        request_id: Option<String>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: JobId::at(now),
            run_at: spec.run_at.filter(|run_at| *run_at > now).unwrap_or(now),
            spec,
            dataset_id,
            created_by,
            status: JobStatus::Queued,
            counts: Counts::default(),
            claim: 0,
            worker: None,
            lease_expires_at: None,
            cancel_requested_at: None,
            progress: 0.0,
            phase: None,
            created_at: now,
            started_at: None,
            finished_at: None,
            metrics: None,
            model_version: None,
            error: None,
            request_id,
            traceparent: None,
            revision: 1,
        }
    }

    /// The number of the current or next attempt, from 1. Interruptions do not count as attempts.
    pub fn attempt(&self) -> i64 {
        let spent = self.counts.attempts + self.counts.crashes;
        if self.status.is_final() && self.status != JobStatus::Succeeded { spent.max(1) } else { spent + 1 }
    }

    /// Duration of the current or last run in seconds, up to `now`.
    pub fn duration_s(&self, now: DateTime<Utc>) -> Option<f64> {
        let until = self.finished_at.unwrap_or(now);
        let started = self.started_at?;
        Some((until - started).num_milliseconds().max(0) as f64 / 1000.0)
    }

    /// Estimated seconds left, while the job runs and reports progress.
    pub fn eta_s(&self, now: DateTime<Utc>) -> Option<f64> {
        if self.status != JobStatus::Running || self.progress <= 0.01 {
            return None;
        }
        let elapsed = (now - self.started_at?).num_milliseconds().max(0) as f64 / 1000.0;
        Some(elapsed * (1.0 - self.progress) / self.progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_back_and_know_their_end() {
        for status in JobStatus::ALL {
            assert_eq!(JobStatus::parse(status.as_str()), Some(status));
            assert_eq!(status.may_retry() || status == JobStatus::Succeeded, status.is_final());
        }
    }

    #[test]
    fn priorities_fall_into_three_classes() {
        let classes: Vec<_> = [5, 0, -1].into_iter().map(PriorityClass::of).collect();
        assert_eq!(classes, PriorityClass::ALL);
    }
}
