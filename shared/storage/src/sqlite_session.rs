//! A transaction on SQLite, which may roll one back by itself: when the disk is full or fails, or memory is short.
//!
//! After that, statements would run and be committed one by one, so none is let through; and the driver, which counts
//! transactions, would begin no other on the connection, so the pool closes it (`connect::sqlite`).

use std::sync::Arc;
use std::time::Instant;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OwnedSemaphorePermit;

use crate::disk_faults::DiskFaults;
use crate::error::{Result, StorageError};
use crate::sql::answered;

/// A connection in a transaction. Dropping it rolls back; [`SqliteSession::commit`] commits.
#[derive(Debug)]
pub(crate) struct SqliteSession {
    transaction: Transaction<'static, Sqlite>,
    /// An error after which the transaction may be gone.
    failed: bool,
    disk: Arc<DiskFaults>,
    /// The right to write. Fields drop in order: the next writer begins after this transaction.
    _writer: Option<OwnedSemaphorePermit>,
}

impl SqliteSession {
    /// Executes `begin` on a connection of the pool.
    pub(crate) async fn begin(
        pool: &SqlitePool,
        begin: &'static str,
        writer: Option<OwnedSemaphorePermit>,
        disk: &Arc<DiskFaults>,
    ) -> Result<Self> {
        let transaction =
            answered(pool.begin_with(begin)).await.inspect_err(|error| disk.note(error, Instant::now()))?;
        Ok(Self { transaction, failed: false, disk: Arc::clone(disk), _writer: writer })
    }

    /// The connection, for a statement of this transaction.
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection> {
        if self.failed {
            return Err(StorageError::Unavailable("an earlier statement failed and may have rolled back".into()));
        }
        Ok(&mut self.transaction)
    }

    /// Remembers whether the transaction may be gone, and whether the disk is the cause.
    pub(crate) fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|error| {
            self.failed |= error.ends_connection();
            self.disk.note(error, Instant::now());
        })
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.connection()?;
        let Self { transaction, disk, _writer, .. } = self;
        answered(transaction.commit()).await.inspect_err(|error| disk.note(error, Instant::now()))
    }
}
