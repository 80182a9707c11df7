//! The settings of the API.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use trainyard_storage::JobLimits;

/// Settings of the API role; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiConfig {
    /// Seconds until an access token expires.
    pub access_token_ttl_s: i64,
    /// Seconds until a refresh token expires; each use returns a new one.
    pub refresh_token_ttl_s: i64,
    /// Largest file of a dataset, uncompressed, in bytes.
    pub max_dataset_bytes: u64,
    /// Most data rows of a dataset.
    pub max_dataset_rows: u64,
    /// Most columns of a dataset.
    pub max_dataset_columns: usize,
    /// Largest row of a dataset, in bytes.
    pub max_dataset_row_bytes: usize,
    /// Most texts that an upload can name as missing values.
    pub max_missing_markers: usize,
    /// Concurrent uploads; further ones get 503 with `Retry-After`. The limit bounds their disk space.
    pub max_concurrent_uploads: usize,
    /// Folder for uploads and artifact downloads in progress. It must exist.
    pub upload_dir: PathBuf,
    /// Longest an upload may take, in seconds.
    pub upload_timeout_s: u64,
    /// Queued and running jobs of one user; further ones get 429 with `Retry-After`.
    pub max_jobs_per_user: i64,
    /// Queued and running jobs of all users.
    pub max_jobs_total: i64,
    /// Job ids of one user and priority class in the queue up to which a submission enqueues its jobs. The sweep enqueues
    /// the others, by fair scheduling. Keep the number at or below the sweep's `dispatch_window`.
    pub dispatch_window: u64,
    /// Timeout for enqueueing jobs after a submission, in milliseconds. The sweep enqueues the jobs afterwards.
    pub dispatch_timeout_ms: u64,
    /// Seconds until an `Idempotency-Key` expires.
    pub idempotency_ttl_s: i64,
    /// Most schedules.
    pub max_schedules: i64,
    /// Concurrent long polls; further ones are answered at once.
    pub max_long_polls: usize,
    /// Concurrent event streams; further ones get 503 with `Retry-After`.
    pub max_event_streams: usize,
    /// Concurrent event streams of one user; further ones get 429 with `Retry-After`.
    pub max_event_streams_per_user: usize,
    /// How often the accounts of open event streams and long polls are checked, in milliseconds.
    pub watch_sessions_every_ms: u64,
    /// How often an event stream without events sends a comment, in seconds.
    pub event_heartbeat_s: u64,
    /// How often the database is polled for changes of watched jobs, in milliseconds.
    pub watch_every_ms: u64,
    /// `GET /queue` leaves out workers without a heartbeat for this many seconds.
    pub worker_alive_s: i64,
    /// How often the database is polled for bulk actions, in milliseconds.
    pub action_poll_ms: u64,
    /// Lease of a bulk action, in seconds: another process continues the action after this long.
    pub action_lease_s: u64,
    /// Largest artifact that can be downloaded, in bytes.
    pub max_artifact_bytes: u64,
    /// Largest ONNX file that a model is converted to, in bytes. Also the largest artifact that is converted.
    pub max_onnx_bytes: u64,
    /// Concurrent conversions to ONNX; further ones get 503 with `Retry-After`. The limit bounds their memory.
    pub max_concurrent_exports: usize,
}

impl ApiConfig {
    /// The limits on queued and running jobs, also for schedules.
    pub fn job_limits(&self) -> JobLimits {
        JobLimits { per_user: self.max_jobs_per_user, total: self.max_jobs_total }
    }

    pub(crate) fn dispatch_timeout(&self) -> Duration {
        Duration::from_millis(self.dispatch_timeout_ms)
    }

    pub(crate) fn watch_every(&self) -> Duration {
        Duration::from_millis(self.watch_every_ms.max(10))
    }

    pub(crate) fn watch_sessions_every(&self) -> Duration {
        Duration::from_millis(self.watch_sessions_every_ms.max(10))
    }

    pub(crate) fn action_poll(&self) -> Duration {
        Duration::from_millis(self.action_poll_ms.max(10))
    }

    pub(crate) fn action_lease(&self) -> TimeDelta {
        TimeDelta::seconds(i64::try_from(self.action_lease_s).unwrap_or(i64::MAX / 1_000))
    }

    pub(crate) fn event_heartbeat(&self) -> Duration {
        Duration::from_secs(self.event_heartbeat_s.max(1))
    }

    /// An event stream ends when an access token would expire. The client reconnects with a valid token.
    pub(crate) fn max_stream_duration(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.access_token_ttl_s).unwrap_or(0).max(1))
    }

    pub(crate) fn upload_timeout(&self) -> Duration {
        Duration::from_secs(self.upload_timeout_s)
    }
}
