//! The database: opens transactions and migrates.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::connect::{self, PoolOptions};
use crate::demotion::Demotion;
use crate::error::{Result, StorageError};
use crate::health::Health;
use crate::migrations::MIGRATIONS;
use crate::session::Sessions;
use crate::sqlite_session::SqliteSession;
use crate::tx::{Inner, Tx};

/// A transaction with one snapshot. By default each statement on Postgres has its own.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Before a migration: no timeouts, and an advisory lock with a number that only migrations use. The migrator prepares
/// named statements, which must not stay in a pooler's session. The collation `binary` is built into SQLite.
const MIGRATING: &str = "DEALLOCATE ALL; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
     SELECT pg_advisory_xact_lock(8390880602276159854); SET LOCAL client_min_messages = warning; \
     CREATE COLLATION IF NOT EXISTS \"binary\" FROM \"C\"";

/// A pool of connections to Postgres or SQLite. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Db {
    pub(crate) pool: Pool,
    pub(crate) health: Arc<Health>,
}

#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Postgres(Sessions),
    Sqlite { pool: SqlitePool, writer: Arc<Semaphore>, acquire_timeout: Duration },
}

impl Db {
    /// Opens `postgres://…` or `sqlite://path`. Creates a SQLite file and its folder if they do not exist.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] for an invalid URL.
    pub async fn connect(url: &str, options: &PoolOptions) -> Result<Self> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => {
                let demotion = Arc::default();
                let pool = connect::postgres(url, options, &demotion).await?;
                Ok(Self::over_postgres(pool, demotion, options))
            }
            Some("sqlite") => Ok(Self::over_sqlite(connect::sqlite(url, options).await?, options)),
            _ => Err(connect::unknown_scheme()),
        }
    }

    /// As [`Db::connect`], but the first use connects. For a role that works without its database for a while. Requires a
    /// Tokio runtime.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] for an invalid URL.
    pub fn connect_lazily(url: &str, options: &PoolOptions) -> Result<Self> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => {
                let demotion = Arc::default();
                let pool = connect::postgres_lazily(url, options, &demotion)?;
                Ok(Self::over_postgres(pool, demotion, options))
            }
            Some("sqlite") => Ok(Self::over_sqlite(connect::sqlite_lazily(url, options)?, options)),
            _ => Err(connect::unknown_scheme()),
        }
    }

    fn over_postgres(pool: PgPool, demotion: Arc<Demotion>, options: &PoolOptions) -> Self {
        let health: Arc<Health> = Arc::default();
        let sessions = Sessions::new(pool, demotion, Arc::clone(&health.disk), options);
        Self { pool: Pool::Postgres(sessions), health }
    }

    fn over_sqlite(pool: SqlitePool, options: &PoolOptions) -> Self {
        let (writer, acquire_timeout) = (Arc::new(Semaphore::new(1)), options.acquire_timeout);
        Self { pool: Pool::Sqlite { pool, writer, acquire_timeout }, health: Arc::default() }
    }

    /// Applies the pending migrations. Concurrent calls in several processes wait for each other.
    ///
    /// # Errors
    /// A migration fails, or an applied migration was changed since.
    pub async fn migrate(&self) -> Result<()> {
        match &self.pool {
            Pool::Postgres(sessions) => {
                let mut connection = sessions.detached().await?;
                let mut tx = sqlx::Connection::begin(&mut connection).await?;
                sqlx::raw_sql(MIGRATING).execute(&mut *tx).await?;
                MIGRATIONS.run(&mut *tx).await?;
                sqlx::raw_sql("DEALLOCATE ALL").execute(&mut *tx).await?;
                tx.commit().await?;
                sqlx::Connection::close(connection).await?;
            }
            Pool::Sqlite { pool, .. } => {
                // SQLite has no advisory lock. The write lock of the transaction serves instead.
                let _permit = self.write_permit().await?;
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                MIGRATIONS.run(&mut *tx).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Opens a write transaction. Dropping it rolls back.
    ///
    /// On SQLite the transaction takes the write lock at its start. SQLite refuses the lock to a transaction that has read
    /// before another one wrote.
    pub async fn begin(&self) -> Result<Tx> {
        let inner = match &self.pool {
            Pool::Postgres(sessions) => Inner::Postgres(sessions.begin("BEGIN").await?),
            Pool::Sqlite { pool, .. } => {
                let permit = self.write_permit().await?;
                Inner::Sqlite(SqliteSession::begin(pool, "BEGIN IMMEDIATE", permit, &self.health.disk).await?)
            }
        };
        Ok(Tx { inner, may_write: true })
    }

    /// Opens a read transaction with one snapshot. It does not wait for writers.
    pub async fn read(&self) -> Result<Tx> {
        let inner = match &self.pool {
            Pool::Postgres(sessions) => Inner::Postgres(sessions.begin(SNAPSHOT).await?),
            Pool::Sqlite { pool, .. } => {
                Inner::Sqlite(SqliteSession::begin(pool, "BEGIN DEFERRED", None, &self.health.disk).await?)
            }
        };
        Ok(Tx { inner, may_write: false })
    }

    /// As [`Db::read`], for one query: on Postgres in autocommit mode, without the round trips of a transaction. A second
    /// query may see a later state.
    pub async fn read_autocommit(&self) -> Result<Tx> {
        match &self.pool {
            Pool::Postgres(sessions) => {
                Ok(Tx { inner: Inner::Postgres(sessions.autocommit().await?), may_write: false })
            }
            Pool::Sqlite { .. } => self.read().await,
        }
    }

    /// As [`Db::begin`], for one statement: on Postgres in autocommit mode, where the statement commits by itself. Call
    /// [`Tx::commit`] nevertheless, for SQLite.
    pub async fn write_autocommit(&self) -> Result<Tx> {
        match &self.pool {
            Pool::Postgres(_) => Ok(Tx { may_write: true, ..self.read_autocommit().await? }),
            Pool::Sqlite { .. } => self.begin().await,
        }
    }

    /// Closes all connections, after those in use are returned.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(sessions) => sessions.close().await,
            Pool::Sqlite { pool, .. } => pool.close().await,
        }
    }

    /// Connections in use, and the maximum number of connections.
    pub fn connections(&self) -> (usize, usize) {
        match &self.pool {
            Pool::Postgres(sessions) => sessions.in_use(),
            Pool::Sqlite { pool, .. } => {
                let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
                (usize::try_from(pool.size()).unwrap_or(most).saturating_sub(pool.num_idle()), most)
            }
        }
    }

    /// `postgres` or `sqlite`.
    pub fn engine(&self) -> &'static str {
        match &self.pool {
            Pool::Postgres(_) => "postgres",
            Pool::Sqlite { .. } => "sqlite",
        }
    }

    /// Acquires the write permit of SQLite, in order of arrival. SQLite itself lets writers poll for its lock, in no order.
    /// Postgres needs no permit.
    pub(crate) async fn write_permit(&self) -> Result<Option<OwnedSemaphorePermit>> {
        let Pool::Sqlite { writer, acquire_timeout, .. } = &self.pool else { return Ok(None) };
        match timeout(*acquire_timeout, Arc::clone(writer).acquire_owned()).await {
            Ok(permit) => permit.map(Some).map_err(|closed| StorageError::Unavailable(closed.into())),
            Err(late) => Err(StorageError::Unavailable(late.into())),
        }
    }
}
