//! What the API can be told: every limit is a number here, with the default that suits one small machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trainyard_storage::JobLimits;

/// Settings of the API role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Seconds an access token works.
    pub access_token_ttl_s: i64,
    /// Seconds a refresh token works; each use buys a new one.
    pub refresh_token_ttl_s: i64,
    /// Largest CSV, uncompressed, in bytes.
    pub max_dataset_bytes: u64,
    /// Most data rows of a CSV.
    pub max_dataset_rows: u64,
    /// Most columns of a CSV.
    pub max_dataset_columns: usize,
    /// Uploads received at the same time; the next one is told to come back. Bounds the disk they take.
    pub max_concurrent_uploads: usize,
    /// Longest an upload may take, in seconds.
    pub upload_timeout_s: u64,
    /// Queued and running jobs of one user; more are told to come back.
    pub max_jobs_per_user: i64,
    /// Queued and running jobs of all users.
    pub max_jobs_total: i64,
    /// Jobs of one user in a priority class that may be in the queue when a submission adds to them; past that the sweep
    /// sends them, in fair turns. Keep it at or under the sweep's `dispatch_window`.
    pub dispatch_window: u64,
    /// Longest the queue may take to accept a job before that is left to the sweep, in milliseconds.
    pub dispatch_timeout_ms: u64,
    /// Seconds an `Idempotency-Key` is remembered.
    pub idempotency_ttl_s: i64,
    /// Schedules there can be.
    pub max_schedules: i64,
    /// Long polls held open at the same time; the next one is answered at once.
    pub max_long_polls: usize,
    /// Event streams held open at the same time; the next one is told to come back.
    pub max_event_streams: usize,
    /// Event streams of one user held open at the same time; more are refused until one ends.
    pub max_event_streams_per_user: usize,
    /// How often the accounts of open streams and long polls are looked at, in milliseconds.
    pub watch_sessions_every_ms: u64,
    /// A stream that has nothing to tell sends a comment this often, in seconds.
    pub event_heartbeat_s: u64,
    /// How often the database is asked for news of all jobs that streams and long polls watch, in milliseconds.
    pub watch_every_ms: u64,
    /// A worker that gave no sign of life for this many seconds is left out of `GET /queue`.
    pub worker_alive_s: i64,
    /// Largest artifact that can be downloaded, in bytes.
    pub max_artifact_bytes: u64,
    /// Accepts jobs with the algorithm `noop`, which train nothing: for benchmarks.
    pub allow_noop: bool,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            access_token_ttl_s: 3_600,
            refresh_token_ttl_s: 30 * 24 * 3_600,
            max_dataset_bytes: 256 << 20,
            max_dataset_rows: 5_000_000,
            max_dataset_columns: 10_000,
            max_concurrent_uploads: 4,
            upload_timeout_s: 600,
            max_jobs_per_user: JobLimits::default().per_user,
            max_jobs_total: JobLimits::default().total,
            dispatch_window: 100,
            dispatch_timeout_ms: 1_000,
            idempotency_ttl_s: 24 * 3_600,
            max_schedules: 1_000,
            max_long_polls: 256,
            max_event_streams: 1_000,
            max_event_streams_per_user: 250,
            watch_sessions_every_ms: 500,
            event_heartbeat_s: 15,
            watch_every_ms: 250,
            worker_alive_s: 30,
            max_artifact_bytes: 1 << 30,
            allow_noop: false,
        }
    }
}

impl ApiConfig {
    /// How many jobs may be queued and running; schedules go by it too.
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

    pub(crate) fn event_heartbeat(&self) -> Duration {
        Duration::from_secs(self.event_heartbeat_s.max(1))
    }

    /// A stream may go on for as long as an access token: then its client comes again, with one that still works.
    pub(crate) fn longest_stream(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.access_token_ttl_s).unwrap_or(0).max(1))
    }

    pub(crate) fn upload_timeout(&self) -> Duration {
        Duration::from_secs(self.upload_timeout_s)
    }
}
