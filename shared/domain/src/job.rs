//! A training job and its life cycle.
//!
//! ```text
//! submit ──▶ queued ──claim──▶ running ──publish──▶ succeeded
//!             ▲  ▲               │ ├──▶ failed
//!   backoff ──┘  └─ lease lost, ─┘ └──▶ cancelled
//!                   drained
//! ```
//! Storage carries each transition out as a compare-and-set; what follows a run is decided by [`crate::outcome::after`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DatasetId, JobId, UserId};
use crate::outcome::{Counts, JobError};
use crate::spec::JobSpec;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Waits: for a worker, for its time, or for its retry.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Its model version is published.
    Succeeded,
    /// It will not run again by itself.
    Failed,
    /// Somebody stopped it.
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

    /// The status called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether `POST /training/{id}/retry` may start a new attempt series.
    pub fn may_retry(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// The stream a job's id travels on: one per class, read in this order.
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
    /// Highest first.
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

/// One job, as stored.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The order.
    pub spec: JobSpec,
    /// The data set version it reads.
    pub dataset_id: DatasetId,
    /// Who submitted it.
    pub created_by: UserId,
    /// Where it stands.
    pub status: JobStatus,
    /// Failures, crashes, interruptions of the present attempt series.
    pub counts: Counts,
    /// Counts up with every claim: the fencing token of the present run.
    pub claim: i64,
    /// The worker that holds, or last held, the lease.
    pub worker: Option<String>,
    /// When the lease is lost unless renewed.
    pub lease_expires_at: Option<DateTime<Utc>>,
    /// When somebody asked for it to stop.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// Due from then on.
    pub run_at: DateTime<Utc>,
    /// 0..1, within the present run.
    pub progress: f64,
    /// What the present run is doing.
    pub phase: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When its present or last run began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Held-out metrics of a succeeded job.
    pub metrics: Option<serde_json::Value>,
    /// The version a succeeded job published.
    pub model_version: Option<i64>,
    /// The last failure; kept while a retry waits.
    pub error: Option<JobError>,
    /// The request that submitted it, for logs.
    pub request_id: Option<String>,
    /// Where in a trace it was submitted (W3C Trace Context), for its runs to go on from.
    pub traceparent: Option<String>,
    /// Moves with every change of the row: the `ETag`.
    pub revision: i64,
}

impl Job {
    /// A job as it is accepted at `now`: queued under a new id, due at once or when its `spec` says.
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

    /// The attempt that is running, or will run next, counted from 1: finished attempts of any kind but interruptions.
    pub fn attempt(&self) -> i64 {
        let spent = self.counts.attempts + self.counts.crashes;
        if self.status.is_final() && self.status != JobStatus::Succeeded { spent.max(1) } else { spent + 1 }
    }

    /// Seconds the present or last run took, up to `now`.
    pub fn duration_s(&self, now: DateTime<Utc>) -> Option<f64> {
        let until = self.finished_at.unwrap_or(now);
        let started = self.started_at?;
        Some((until - started).num_milliseconds().max(0) as f64 / 1000.0)
    }

    /// Seconds left at the present pace, while it runs and has told how far it is.
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
