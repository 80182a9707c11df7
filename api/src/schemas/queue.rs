//! Schemas of the queue.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_storage::QueueSample;
use utoipa::ToSchema;

/// Queued jobs, running jobs and active workers.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueView {
    /// Queued jobs.
    #[schema(example = 3)]
    pub depth: i64,
    /// Queued jobs by priority class: `high`, `normal`, `low`.
    #[schema(example = json!({"high": 0, "normal": 3, "low": 0}))]
    pub depth_by_class: BTreeMap<&'static str, i64>,
    /// All jobs by status.
    #[schema(example = json!({"queued": 3, "running": 2, "succeeded": 40, "failed": 1, "cancelled": 0}))]
    pub by_status: BTreeMap<&'static str, i64>,
    /// How long the oldest due job has waited, in seconds; `null` when no job waits.
    #[schema(required, example = 1.5)]
    pub oldest_age_s: Option<f64>,
    /// The active workers.
    pub workers: Vec<WorkerView>,
    /// Whether the queue is paused: running jobs continue, and no job starts.
    pub paused: bool,
}

/// An active worker.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkerView {
    /// The id of the worker process.
    #[schema(example = "node-1-4711-8f3a")]
    pub id: String,
    /// Jobs that the worker runs now.
    #[schema(example = 1)]
    pub busy: i64,
    /// Jobs that the worker can run concurrently.
    #[schema(example = 2)]
    pub capacity: i64,
    /// The time of the last heartbeat.
    pub heartbeat_at: DateTime<Utc>,
    /// The Trainyard version of the worker.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// The history of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueHistoryView {
    /// Time between two samples, in seconds.
    #[schema(example = 60)]
    pub interval_s: i64,
    /// The samples, oldest first. Minutes without a sample are left out.
    pub points: Vec<QueuePointView>,
}

/// A sample of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueuePointView {
    /// The full minute.
    pub at: DateTime<Utc>,
    /// Queued jobs.
    #[schema(example = 3)]
    pub queued: i64,
    /// Running jobs.
    #[schema(example = 2)]
    pub running: i64,
    /// How long the oldest due job had waited, in seconds; `null` when no job waited.
    #[schema(required, example = 1.5)]
    pub oldest_age_s: Option<f64>,
    /// Jobs that succeeded, failed or were cancelled in the minute before.
    #[schema(example = 12)]
    pub finished: i64,
    /// Jobs that failed in the minute before.
    #[schema(example = 1)]
    pub failed: i64,
}

impl From<QueueSample> for QueuePointView {
    fn from(sample: QueueSample) -> Self {
        let QueueSample { at, queued, running, oldest_age_s, finished, failed } = sample;
        Self { at, queued, running, oldest_age_s, finished, failed }
    }
}
