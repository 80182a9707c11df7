//! A transaction on SQLite.
//!
//! SQLite rolls back by itself if the disk is full or fails, or memory runs out. Later statements would then run in
//! autocommit mode, so this module refuses them. sqlx still counts the transaction, so its pool closes the connection
//! (`connect::sqlite`).

use std::sync::Arc;
use std::time::Instant;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OwnedSemaphorePermit;

use crate::disk_faults::DiskFaults;
use crate::error::{Result, StorageError};
use crate::sql::with_timeout;

/// A connection in a transaction. Dropping it rolls back; [`SqliteSession::commit`] commits.
#[derive(Debug)]
pub(crate) struct SqliteSession {
    transaction: Transaction<'static, Sqlite>,
    /// Set by an error after which SQLite may have rolled back.
    failed: bool,
    disk: Arc<DiskFaults>,
    /// The write permit. Released after the transaction, because fields drop in order.
    _writer: Option<OwnedSemaphorePermit>,
}

impl SqliteSession {
    /// Starts a transaction with the statement `begin`.
    pub(crate) async fn begin(
        pool: &SqlitePool,
        begin: &'static str,
        writer: Option<OwnedSemaphorePermit>,
        disk: &Arc<DiskFaults>,
    ) -> Result<Self> {
        let transaction =
            with_timeout(pool.begin_with(begin)).await.inspect_err(|error| disk.note(error, Instant::now()))?;
        Ok(Self { transaction, failed: false, disk: Arc::clone(disk), _writer: writer })
    }

    /// The connection, for the next statement.
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection> {
        if self.failed {
            return Err(StorageError::Unavailable("an earlier statement failed and may have rolled back".into()));
        }
        Ok(&mut self.transaction)
    }

    /// Records whether SQLite may have rolled back, and disk errors.
    pub(crate) fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|error| {
            self.failed |= error.ends_connection();
            self.disk.note(error, Instant::now());
        })
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.connection()?;
        let Self { transaction, disk, _writer, .. } = self;
        with_timeout(transaction.commit()).await.inspect_err(|error| disk.note(error, Instant::now()))
    }
}
