//! Health of the database: whether it accepts writes, and whether its schema is up to date.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::db::{Db, Pool};
use crate::disk_faults::DiskFaults;
use crate::error::{Diagnosed, Result, StorageError};
use crate::fault::Fault;
use crate::migrations::MIGRATIONS;
use crate::session::Sessions;
use crate::sql::{all, with_timeout};
use crate::sqlite_session::SqliteSession;

/// Results are cached for this long: anonymous clients can call the check, and on SQLite each check writes.
const CACHED_FOR: Duration = Duration::from_secs(1);
/// A write without a change. SQLite writes the page nevertheless.
const SQLITE_WRITE: &str = "PRAGMA user_version = 1";

/// The health of a database.
#[derive(Debug, Default)]
pub(crate) struct Health {
    writable: Mutex<Option<CheckResult>>,
    migrated: AtomicBool,
    /// Disk errors of statements and commits.
    pub(crate) disk: Arc<DiskFaults>,
}

#[derive(Debug)]
struct CheckResult {
    at: Instant,
    outcome: std::result::Result<(), Arc<StorageError>>,
}

impl Db {
    /// Checks that the database accepts writes: SQLite by a write, Postgres by `transaction_read_only`. The result may be a
    /// second old. A disk error of any statement in the last two seconds fails the check.
    pub async fn check_writable(&self) -> Result<()> {
        self.check_disk()?;
        // Concurrent callers wait for the result of the running check.
        let mut last = self.health.writable.lock().await;
        let result = match last.take().filter(|result| result.at.elapsed() < CACHED_FOR) {
            Some(result) => result,
            None => {
                let outcome = self.try_write().await.map_err(Arc::new);
                CheckResult { at: Instant::now(), outcome }
            }
        };
        let outcome = match &result.outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(StorageError::shared(error)),
        };
        *last = Some(result);
        // A statement may have failed since this result.
        outcome.and_then(|()| self.check_disk())
    }

    /// Fails after a recent disk error.
    fn check_disk(&self) -> Result<()> {
        match self.health.disk.recent(Instant::now()) {
            Some(fault) => Err(StorageError::Unavailable(Diagnosed(fault).into())),
            None => Ok(()),
        }
    }

    /// Checks that all migrations of this program are applied. Migrations of a newer program are accepted. A successful
    /// check is not repeated.
    ///
    /// # Errors
    /// [`StorageError::Unmigrated`] if a migration is missing.
    pub async fn check_migrated(&self) -> Result<()> {
        if self.health.migrated.load(Ordering::Relaxed) {
            return Ok(());
        }
        let applied = self.applied_migrations().await?;
        if MIGRATIONS.iter().any(|migration| !applied.contains(&migration.version)) {
            return Err(StorageError::Unmigrated(None));
        }
        self.health.migrated.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn applied_migrations(&self) -> Result<HashSet<i64>> {
        let mut tx = self.read_autocommit().await?;
        let rows: Vec<(i64,)> = all!(&mut tx, "SELECT version FROM _sqlx_migrations WHERE success")?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|(version,)| version).collect())
    }

    async fn try_write(&self) -> Result<()> {
        match &self.pool {
            Pool::Postgres(sessions) => accepts_writes(sessions).await,
            Pool::Sqlite { pool, .. } => {
                let writer = self.write_permit().await?;
                let mut session = SqliteSession::begin(pool, "BEGIN IMMEDIATE", writer, &self.health.disk).await?;
                let outcome = with_timeout(sqlx::raw_sql(SQLITE_WRITE).execute(session.connection()?)).await;
                session.note(outcome)?;
                session.commit().await
            }
        }
    }
}

/// A standby answers queries and refuses writes, so ask for the setting.
async fn accepts_writes(sessions: &Sessions) -> Result<()> {
    let mut session = sessions.autocommit().await?;
    let setting = sqlx::query_scalar("SELECT current_setting('transaction_read_only')").persistent(session.prepares());
    let outcome =
        with_timeout(setting.fetch_one(&mut *session)).await.and_then(|read_only: String| match &*read_only {
            "on" => Err(StorageError::Unavailable(Diagnosed(Fault::ReadOnly).into())),
            _ => Ok(()),
        });
    session.note(outcome)?;
    session.commit().await
}
