//! The `workers` table: live workers, by heartbeat.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute};
use crate::tx::Tx;

/// Worker heartbeats.
#[derive(Debug)]
pub struct Workers<'t>(pub(crate) &'t mut Tx);

/// A worker's heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRow {
    /// Id of the worker, unique for each start of a process.
    pub id: String,
    /// Number of active runs.
    pub busy: i64,
    /// Maximum number of active runs.
    pub capacity: i64,
    /// Version of the program.
    pub version: String,
    /// When the process started.
    pub started_at: DateTime<Utc>,
    /// Memory limit of a training process in megabytes; 0 is no limit.
    pub memory_limit_mb: i64,
}

from_row! {
    /// A worker with its last heartbeat.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LiveWorker {
        /// Id of the worker, unique for each start of a process.
        pub id: String,
        /// Number of active runs.
        pub busy: i64,
        /// Maximum number of active runs.
        pub capacity: i64,
        /// Version of the program.
        pub version: String,
        /// When the process started.
        pub started_at: DateTime<Utc>,
        /// Time of the last heartbeat.
        pub heartbeat_at: DateTime<Utc>,
        /// Memory limit of a training process in megabytes; 0 is no limit, `None` is an earlier version.
        pub memory_limit_mb: Option<i64>,
    }
}

impl Workers<'_> {
    /// Stores a heartbeat.
    pub async fn heartbeat(&mut self, worker: &WorkerRow, now: DateTime<Utc>) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO workers (id, busy, capacity, version, started_at, heartbeat_at, memory_limit_mb) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
             busy = excluded.busy, capacity = excluded.capacity, heartbeat_at = excluded.heartbeat_at",
            &worker.id,
            worker.busy,
            worker.capacity,
            &worker.version,
            worker.started_at,
            now,
            worker.memory_limit_mb,
        )?;
        Ok(())
    }

    /// The workers with a heartbeat since `alive_since`, by id.
    pub async fn list(&mut self, alive_since: DateTime<Utc>) -> Result<Vec<LiveWorker>> {
        all!(self.0, "SELECT * FROM workers WHERE heartbeat_at >= $1 ORDER BY id", alive_since)
    }

    /// Removes a worker. Succeeds if it does not exist.
    pub async fn remove(&mut self, id: &str) -> Result<()> {
        execute!(self.0, "DELETE FROM workers WHERE id = $1", id)?;
        Ok(())
    }
}
