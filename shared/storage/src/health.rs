//! Whether the database can do its work now: stores changes, and has the tables that this program needs.

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
use crate::sql::{all, answered};
use crate::sqlite_session::SqliteSession;

/// How long an answer serves those who ask next. Anonymous clients can ask, and on SQLite each answer costs a write.
const FRESH: Duration = Duration::from_secs(1);
/// A change that changes nothing: SQLite writes the page with the number all the same.
const SQLITE_WRITE: &str = "PRAGMA user_version = 1";

/// What is known of a database's health.
#[derive(Debug, Default)]
pub(crate) struct Health {
    writable: Mutex<Option<Answer>>,
    migrated: AtomicBool,
    /// What statements and commits met on the disk.
    pub(crate) disk: Arc<DiskFaults>,
}

#[derive(Debug)]
struct Answer {
    at: Instant,
    outcome: std::result::Result<(), Arc<StorageError>>,
}

impl Db {
    /// Whether a change can be stored: SQLite is given one, Postgres is asked whether it accepts any. The answer may be a
    /// second old. A fault of the disk that any statement met in the last two seconds is the answer at once.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] for a database that is away, full or read-only.
    pub async fn check_writable(&self) -> Result<()> {
        self.check_disk()?;
        // Whoever comes while the question is under way waits for its answer.
        let mut last = self.health.writable.lock().await;
        let answer = match last.take().filter(|answer| answer.at.elapsed() < FRESH) {
            Some(answer) => answer,
            None => {
                let outcome = self.try_write().await.map_err(Arc::new);
                Answer { at: Instant::now(), outcome }
            }
        };
        let outcome = match &answer.outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(StorageError::shared(error)),
        };
        *last = Some(answer);
        // A statement may have met a full disk since this answer.
        outcome.and_then(|()| self.check_disk())
    }

    /// Refuses for as long as a fault of the disk is recent.
    fn check_disk(&self) -> Result<()> {
        match self.health.disk.recent(Instant::now()) {
            Some(fault) => Err(StorageError::Unavailable(Diagnosed(fault).into())),
            None => Ok(()),
        }
    }

    /// Whether every migration that this program knows has been applied; a database of a newer program is fine. Once it
    /// has been so the database is not asked again.
    ///
    /// # Errors
    /// [`StorageError::Unmigrated`] when one is missing; else as every query.
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
        let mut tx = self.glance().await?;
        let rows: Vec<(i64,)> = all!(&mut tx, "SELECT version FROM _sqlx_migrations WHERE success")?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|(version,)| version).collect())
    }

    async fn try_write(&self) -> Result<()> {
        match &self.pool {
            Pool::Postgres(sessions) => accepts_writes(sessions).await,
            Pool::Sqlite { pool, .. } => {
                let writer = self.writers_turn().await?;
                let mut session = SqliteSession::begin(pool, "BEGIN IMMEDIATE", writer, &self.health.disk).await?;
                let outcome = answered(sqlx::raw_sql(SQLITE_WRITE).execute(session.connection()?)).await;
                session.note(outcome)?;
                session.commit().await
            }
        }
    }
}

/// A standby answers every question; a write is what it refuses.
async fn accepts_writes(sessions: &Sessions) -> Result<()> {
    let mut session = sessions.bare().await?;
    let setting = sqlx::query_scalar("SELECT current_setting('transaction_read_only')").persistent(session.prepares());
    let outcome = answered(setting.fetch_one(&mut *session)).await.and_then(|read_only: String| match &*read_only {
        "on" => Err(StorageError::Unavailable(Diagnosed(Fault::ReadOnly).into())),
        _ => Ok(()),
    });
    session.note(outcome)?;
    session.commit().await
}
