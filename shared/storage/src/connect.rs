//! Connection options of both drivers.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, PgPool, SqlitePool};
use url::Url;

use crate::demotion::Demotion;
use crate::error::{Result, StorageError};
use crate::session::TRUSTED_FOR;

/// Options of a connection pool.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Maximum number of connections.
    pub max_connections: u32,
    /// Timeout for acquiring a connection and, on SQLite, the write permit.
    pub acquire_timeout: Duration,
    /// Statement timeout on Postgres, at most [`PoolOptions::LONGEST_STATEMENT`].
    pub statement_timeout: Duration,
    /// Whether the URL leads to PgBouncer or another pooler in transaction mode.
    pub pooler: bool,
}

impl PoolOptions {
    /// Maximum of [`PoolOptions::statement_timeout`].
    pub const LONGEST_STATEMENT: Duration = Duration::from_secs(30);
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Self::LONGEST_STATEMENT,
            pooler: false,
        }
    }
}

/// How long SQLite waits for a writer in another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeouts that end a statement that waits for a lock, and a session whose client disappeared. `set` is `SET`, or
/// `SET LOCAL` for one transaction.
pub(crate) fn limits(set: &str, options: &PoolOptions) -> String {
    let statement_ms = options.statement_timeout.min(PoolOptions::LONGEST_STATEMENT).as_millis().max(1);
    format!(
        "{set} statement_timeout = {statement_ms}; {set} lock_timeout = '10s'; \
         {set} idle_in_transaction_session_timeout = '60s'"
    )
}

/// Opens Postgres with a first connection. The pool closes connections that are older than a demotion.
pub(crate) async fn postgres(url: &str, options: &PoolOptions, demotion: &Arc<Demotion>) -> Result<PgPool> {
    let (pool, server) = postgres_options(url, options, demotion)?;
    Ok(pool.connect_with(server).await?)
}

/// Opens Postgres without a connection.
pub(crate) fn postgres_lazily(url: &str, options: &PoolOptions, demotion: &Arc<Demotion>) -> Result<PgPool> {
    let (pool, server) = postgres_options(url, options, demotion)?;
    Ok(pool.connect_lazy_with(server))
}

/// Validates a database URL. The error does not contain the URL, which may contain a password.
///
/// # Errors
/// [`StorageError::BadUrl`].
pub fn check_url(url: &str) -> Result<()> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => postgres_server(url).map(drop),
        Some("sqlite") => sqlite_file(url).map(drop),
        _ => Err(unknown_scheme()),
    }
}

/// Parses a Postgres URL. The driver's own messages may contain parts of a password, so they are dropped.
fn postgres_server(url: &str) -> Result<PgConnectOptions> {
    let wrong = |what: &str| StorageError::BadUrl(format!("{what}; write a Postgres URL as {POSTGRES_FORM}"));
    let port = "the port is not a number from 1 to 65535 (percent-encode @ : / ? # % in a user name or password)";
    let parsed = Url::parse(url).map_err(|error| match error {
        url::ParseError::InvalidPort => wrong(port),
        _ => wrong("the URL is invalid"),
    })?;
    if parsed.port() == Some(0) {
        return Err(wrong(port));
    }
    PgConnectOptions::from_str(url).map_err(|_| wrong("a part or a parameter of the URL has an invalid value"))
}

fn postgres_options(
    url: &str,
    options: &PoolOptions,
    demotion: &Arc<Demotion>,
) -> Result<(PgPoolOptions, PgConnectOptions)> {
    let server = postgres_server(url)?.application_name("trainyard");
    // A pooler refuses startup parameters that it does not track for each session.
    let (server, limits) = if options.pooler {
        (server.extra_float_digits(None).statement_cache_capacity(0), None)
    } else {
        (server, Some(limits("SET", options).into()))
    };
    let demotion = Arc::clone(demotion);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(move |connection, about| {
            let outdated = Instant::now().checked_sub(about.age).is_some_and(|opened| demotion.is_after(opened));
            Box::pin(async move {
                if outdated {
                    return Ok(false);
                }
                // Skip this round trip on a recently used connection.
                if about.idle_for > TRUSTED_FOR { connection.ping().await.map(|()| true) } else { Ok(true) }
            })
        })
        .after_connect(move |connection, _| {
            let limits: Option<Arc<str>> = limits.clone();
            Box::pin(async move {
                if let Some(limits) = limits {
                    sqlx::raw_sql(AssertSqlSafe(limits)).execute(connection).await?;
                }
                Ok(())
            })
        });
    Ok((pool, server))
}

/// Opens a SQLite file. Creates the file and its folder if they do not exist.
pub(crate) async fn sqlite(url: &str, options: &PoolOptions) -> Result<SqlitePool> {
    let (pool, file) = sqlite_options(url, options)?;
    Ok(pool.connect_with(file).await?)
}

/// Opens a SQLite file with first use.
pub(crate) fn sqlite_lazily(url: &str, options: &PoolOptions) -> Result<SqlitePool> {
    let (pool, file) = sqlite_options(url, options)?;
    Ok(pool.connect_lazy_with(file))
}

fn sqlite_options(url: &str, options: &PoolOptions) -> Result<(SqlitePoolOptions, SqliteConnectOptions)> {
    let file = sqlite_file(url)?;
    create_folder(file.get_filename())?;
    let file = file
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        // After an automatic rollback of SQLite the driver still counts the transaction and would begin no other.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
    Ok((pool, file))
}

fn sqlite_file(url: &str) -> Result<SqliteConnectOptions> {
    let wrong = || StorageError::BadUrl(format!("write a SQLite URL as {SQLITE_FORM}"));
    let file = SqliteConnectOptions::from_str(url).map_err(|_| wrong())?;
    // In memory, each connection of the pool would have its own empty database.
    if url.contains(":memory:") || url.contains("mode=memory") || file.get_filename().as_os_str().is_empty() {
        return Err(wrong());
    }
    Ok(file)
}

const POSTGRES_FORM: &str = "postgres://user:password@host:5432/database";
const SQLITE_FORM: &str = "sqlite://path/to/file.db";

/// The error for another URL scheme. Does not contain the URL, which may contain a password.
pub(crate) fn unknown_scheme() -> StorageError {
    StorageError::BadUrl(format!("write the database URL as {POSTGRES_FORM} or {SQLITE_FORM}"))
}

fn create_folder(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|error| StorageError::Unavailable(error.into()))
        }
        _ => Ok(()),
    }
}
