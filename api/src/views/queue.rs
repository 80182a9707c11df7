//! The queue as clients see it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// What waits, what runs, and who works.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueView {
    /// Jobs that wait.
    #[schema(example = 3)]
    pub depth: i64,
    /// Jobs that wait, by priority class: `high`, `normal`, `low`.
    #[schema(example = json!({"high": 0, "normal": 3, "low": 0}))]
    pub depth_by_class: BTreeMap<&'static str, i64>,
    /// Every job there is, by status.
    #[schema(example = json!({"queued": 3, "running": 2, "succeeded": 40, "failed": 1, "cancelled": 0}))]
    pub by_status: BTreeMap<&'static str, i64>,
    /// Age of the job that has been due longest; `null` when none waits.
    #[schema(required, example = 1.5)]
    pub oldest_age_s: Option<f64>,
    /// The workers that are alive.
    pub workers: Vec<WorkerView>,
    /// Whether an administrator has paused the queue: running jobs go on, none is started.
    pub paused: bool,
}

/// A worker that is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkerView {
    /// Unique per process start.
    #[schema(example = "node-1-4711-8f3a")]
    pub id: String,
    /// Jobs it runs now.
    #[schema(example = 1)]
    pub busy: i64,
    /// Jobs it can run at once.
    #[schema(example = 2)]
    pub capacity: i64,
    /// When it last gave a sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// Its version of Trainyard.
    #[schema(example = "0.1.0")]
    pub version: String,
}
