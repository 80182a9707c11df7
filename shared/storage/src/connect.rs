//! How each driver is opened: the settings that make Postgres and SQLite behave alike.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, SqlitePool};

use crate::error::{Result, StorageError};
use crate::session::TRUSTED_FOR;

/// How many connections to hold, and how long to wait for one.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Most connections open at once.
    pub max_connections: u32,
    /// Longest wait for a connection (and, on SQLite, for the right to write) before the call is `Unavailable`.
    pub acquire_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { max_connections: 10, acquire_timeout: Duration::from_secs(5) }
    }
}

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// No query of ours comes near these; they stop one that waits for a lock, or a client that went silent, from holding
/// everybody else up.
const POSTGRES_LIMITS: &str =
    "SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'";

/// Opens Postgres and proves that it answers.
pub(crate) async fn postgres(url: &str, options: &PoolOptions) -> Result<PgPool> {
    let (pool, server) = postgres_options(url, options)?;
    Ok(pool.connect_with(server).await?)
}

/// Opens Postgres with first use.
pub(crate) fn postgres_lazily(url: &str, options: &PoolOptions) -> Result<PgPool> {
    let (pool, server) = postgres_options(url, options)?;
    Ok(pool.connect_lazy_with(server))
}

fn postgres_options(url: &str, options: &PoolOptions) -> Result<(PgPoolOptions, PgConnectOptions)> {
    let server = PgConnectOptions::from_str(url)
        .map_err(|_| StorageError::BadUrl(format!("a Postgres address must read {POSTGRES_FORM}")))?
        .application_name("trainyard");
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                // A round trip that most uses of a busy connection can do without.
                if about.idle_for > TRUSTED_FOR { connection.ping().await.map(|()| true) } else { Ok(true) }
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(POSTGRES_LIMITS).execute(connection).await?;
                Ok(())
            })
        });
    Ok((pool, server))
}

/// Opens a SQLite file, creating it and its folder where they are missing.
pub(crate) async fn sqlite(url: &str, options: &PoolOptions) -> Result<SqlitePool> {
    let (pool, file) = sqlite_options(url, options)?;
    Ok(pool.connect_with(file).await?)
}

/// The same with first use.
pub(crate) fn sqlite_lazily(url: &str, options: &PoolOptions) -> Result<SqlitePool> {
    let (pool, file) = sqlite_options(url, options)?;
    Ok(pool.connect_lazy_with(file))
}

fn sqlite_options(url: &str, options: &PoolOptions) -> Result<(SqlitePoolOptions, SqliteConnectOptions)> {
    let wrong = || StorageError::BadUrl(format!("a SQLite address must read {SQLITE_FORM}"));
    let file = SqliteConnectOptions::from_str(url).map_err(|_| wrong())?;
    // A database in memory would be a different, empty one on each connection of the pool.
    if url.contains(":memory:") || url.contains("mode=memory") || file.get_filename().as_os_str().is_empty() {
        return Err(wrong());
    }
    create_folder(file.get_filename())?;
    let file = file
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    let pool =
        SqlitePoolOptions::new().max_connections(options.max_connections).acquire_timeout(options.acquire_timeout);
    // There is no server that could be gone.
    Ok((pool.test_before_acquire(false), file))
}

const POSTGRES_FORM: &str = "postgres://user:password@host:5432/database";
const SQLITE_FORM: &str = "sqlite://path/to/file.db";

/// The refusal of an address that is of neither kind. It does not repeat the address, which may hold a password.
pub(crate) fn unknown_scheme() -> StorageError {
    StorageError::BadUrl(format!("the database address must read {POSTGRES_FORM} or {SQLITE_FORM}"))
}

fn create_folder(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|error| StorageError::Unavailable(error.into()))
        }
        _ => Ok(()),
    }
}
