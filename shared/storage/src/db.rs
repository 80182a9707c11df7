//! The database as one value: opens transactions, migrates, tells whether it answers.

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

/// In Postgres every statement of a transaction sees its own moment, unless asked for one moment throughout.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What migrating begins with: it may take longer than any query may, and the number of its lock is nobody else's. The
/// migrator prepares statements under names, which a pooler would hand on to whoever gets the session next.
const MIGRATING: &str = "DEALLOCATE ALL; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
     SELECT pg_advisory_xact_lock(8390880602276159854)";

/// A pool of connections to Postgres or SQLite. Cloning shares the pool.
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
    /// Opens `postgres://…` or `sqlite://path`; a SQLite file and its folder are created where they are missing.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] for an address of another form, [`StorageError::Unavailable`] when nobody answers.
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

    /// The same, but nobody has to answer yet: the first use connects, and is `Unavailable` for as long as nobody does.
    /// For a role that can work without its database for a while. Call it within a Tokio runtime.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] for an address of another form.
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

    /// Brings the schema up to date. Several processes may do so at once: one works, the others wait.
    ///
    /// # Errors
    /// When a migration fails, or one that was applied has been changed since.
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
                // SQLite has no advisory lock for the migrator to take: the write lock of one transaction stands in.
                let _turn = self.writers_turn().await?;
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                MIGRATIONS.run(&mut *tx).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Opens a transaction that may write. Dropping it undoes it.
    ///
    /// On SQLite it holds the one write lock from the start: a transaction that read first and then asked for the lock
    /// would be refused whenever another had written in between.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when no connection comes free in time.
    pub async fn begin(&self) -> Result<Tx> {
        let inner = match &self.pool {
            Pool::Postgres(sessions) => Inner::Postgres(sessions.begin("BEGIN").await?),
            Pool::Sqlite { pool, .. } => {
                let turn = self.writers_turn().await?;
                Inner::Sqlite(SqliteSession::begin(pool, "BEGIN IMMEDIATE", turn, &self.health.disk).await?)
            }
        };
        Ok(Tx { inner, may_write: true })
    }

    /// Opens a transaction that only reads, and sees one moment of the database throughout. It waits for no writer.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn read(&self) -> Result<Tx> {
        let inner = match &self.pool {
            Pool::Postgres(sessions) => Inner::Postgres(sessions.begin(SNAPSHOT).await?),
            Pool::Sqlite { pool, .. } => {
                Inner::Sqlite(SqliteSession::begin(pool, "BEGIN DEFERRED", None, &self.health.disk).await?)
            }
        };
        Ok(Tx { inner, may_write: false })
    }

    /// As [`Db::read`], for what one query can tell: on Postgres there is no transaction around it, which would cost more
    /// round trips than the query itself. A second query may see a later moment.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn glance(&self) -> Result<Tx> {
        match &self.pool {
            Pool::Postgres(sessions) => Ok(Tx { inner: Inner::Postgres(sessions.bare().await?), may_write: false }),
            Pool::Sqlite { .. } => self.read().await,
        }
    }

    /// As [`Db::begin`], for a change that is one statement: on Postgres there is no transaction around it, and it lasts
    /// from the moment it is answered. Call [`Tx::commit`] all the same: SQLite waits for it.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn act(&self) -> Result<Tx> {
        match &self.pool {
            Pool::Postgres(_) => Ok(Tx { may_write: true, ..self.glance().await? }),
            Pool::Sqlite { .. } => self.begin().await,
        }
    }

    /// Closes every connection, once those in use are given back.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(sessions) => sessions.close().await,
            Pool::Sqlite { pool, .. } => pool.close().await,
        }
    }

    /// How many connections this process is using, and how many it may use at the same time.
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

    /// Waits in line to write. SQLite lets one write at a time and leaves the rest to poll for it, in no order; within
    /// this process they queue up instead. Postgres needs no such thing.
    pub(crate) async fn writers_turn(&self) -> Result<Option<OwnedSemaphorePermit>> {
        let Pool::Sqlite { writer, acquire_timeout, .. } = &self.pool else { return Ok(None) };
        match timeout(*acquire_timeout, Arc::clone(writer).acquire_owned()).await {
            Ok(turn) => turn.map(Some).map_err(|closed| StorageError::Unavailable(closed.into())),
            Err(late) => Err(StorageError::Unavailable(late.into())),
        }
    }
}
