//! A transaction on SQLite, which may roll one back by itself: when the disk is full or fails, or memory is short.
//!
//! After that, statements would run and be committed one by one, so none is let through; and the driver, which counts
//! transactions, would begin no other on the connection, so the pool closes it (`connect::sqlite`).

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::{Result, StorageError};
use crate::sql::answered;

/// A connection in a transaction. Dropping it rolls back; [`SqliteSession::commit`] commits.
#[derive(Debug)]
pub(crate) struct SqliteSession {
    transaction: Transaction<'static, Sqlite>,
    /// An error after which the transaction may be gone.
    failed: bool,
    /// The right to write. Fields drop in order: the next writer begins after this transaction.
    _writer: Option<OwnedSemaphorePermit>,
}

impl SqliteSession {
    /// Executes `begin` on a connection of the pool.
    pub(crate) async fn begin(
        pool: &SqlitePool,
        begin: &'static str,
        writer: Option<OwnedSemaphorePermit>,
    ) -> Result<Self> {
        let transaction = answered(pool.begin_with(begin)).await?;
        Ok(Self { transaction, failed: false, _writer: writer })
    }

    /// The connection, for a statement of this transaction.
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection> {
        if self.failed {
            return Err(StorageError::Unavailable("an earlier statement failed and may have rolled back".into()));
        }
        Ok(&mut self.transaction)
    }

    /// Remembers whether the transaction may be gone.
    pub(crate) fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        self.failed |= outcome.as_ref().is_err_and(StorageError::ends_connection);
        outcome
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.connection()?;
        answered(self.transaction.commit()).await
    }
}
