//! The `workers` table: who is alive, by heartbeat.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute};
use crate::tx::Tx;

/// Worker heartbeats.
#[derive(Debug)]
pub struct Workers<'t>(pub(crate) &'t mut Tx);

/// What a worker tells of itself with each beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRow {
    /// Its id, unique per process start.
    pub id: String,
    /// Jobs it runs.
    pub busy: i64,
    /// Jobs it can run at once.
    pub capacity: i64,
    /// The program's version.
    pub version: String,
    /// When the process started.
    pub started_at: DateTime<Utc>,
}

from_row! {
    /// A worker as last heard of.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LiveWorker {
        /// Its id, unique per process start.
        pub id: String,
        /// Jobs it runs.
        pub busy: i64,
        /// Jobs it can run at once.
        pub capacity: i64,
        /// The program's version.
        pub version: String,
        /// When the process started.
        pub started_at: DateTime<Utc>,
        /// When it last beat.
        pub heartbeat_at: DateTime<Utc>,
    }
}

impl Workers<'_> {
    /// Notes a sign of life, the first or a further one.
    ///
    /// # Errors
    /// As every query.
    pub async fn beat(&mut self, worker: &WorkerRow, now: DateTime<Utc>) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO workers (id, busy, capacity, version, started_at, heartbeat_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
             busy = excluded.busy, capacity = excluded.capacity, heartbeat_at = excluded.heartbeat_at",
            &worker.id,
            worker.busy,
            worker.capacity,
            &worker.version,
            worker.started_at,
            now,
        )?;
        Ok(())
    }

    /// The workers that have beaten since `alive_since`, by id.
    ///
    /// # Errors
    /// As every query.
    pub async fn list(&mut self, alive_since: DateTime<Utc>) -> Result<Vec<LiveWorker>> {
        all!(self.0, "SELECT * FROM workers WHERE heartbeat_at >= $1 ORDER BY id", alive_since)
    }

    /// Strikes a worker off; one that is not there is fine.
    ///
    /// # Errors
    /// As every query.
    pub async fn remove(&mut self, id: &str) -> Result<()> {
        execute!(self.0, "DELETE FROM workers WHERE id = $1", id)?;
        Ok(())
    }
}
