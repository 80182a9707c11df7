//! How each driver is opened: the settings that make Postgres and SQLite behave alike.

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

/// How many connections to hold, and how long to wait for one.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Most connections open at once.
    pub max_connections: u32,
    /// Longest wait for a connection (and, on SQLite, for the right to write) before the call is `Unavailable`.
    pub acquire_timeout: Duration,
    /// Longest a statement may take on Postgres, up to [`PoolOptions::LONGEST_STATEMENT`].
    pub statement_timeout: Duration,
    /// Whether the address is that of a PgBouncer, or the like, that lends a session of Postgres to each transaction.
    pub pooler: bool,
}

impl PoolOptions {
    /// The longest that [`PoolOptions::statement_timeout`] can be.
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

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Sets what no query of ours comes near: it stops one that waits for a lock, or a client that went silent, from holding
/// everybody else up. `set` is `SET`, or `SET LOCAL` for one transaction.
pub(crate) fn limits(set: &str, options: &PoolOptions) -> String {
    let statement_ms = options.statement_timeout.min(PoolOptions::LONGEST_STATEMENT).as_millis().max(1);
    format!(
        "{set} statement_timeout = {statement_ms}; {set} lock_timeout = '10s'; \
         {set} idle_in_transaction_session_timeout = '60s'"
    )
}

/// Opens Postgres and proves that it answers. The pool closes connections that were opened before a demotion.
pub(crate) async fn postgres(url: &str, options: &PoolOptions, demotion: &Arc<Demotion>) -> Result<PgPool> {
    let (pool, server) = postgres_options(url, options, demotion)?;
    Ok(pool.connect_with(server).await?)
}

/// Opens Postgres with first use.
pub(crate) fn postgres_lazily(url: &str, options: &PoolOptions, demotion: &Arc<Demotion>) -> Result<PgPool> {
    let (pool, server) = postgres_options(url, options, demotion)?;
    Ok(pool.connect_lazy_with(server))
}

/// Whether [`crate::Db::connect`] can use an address; nothing is opened.
///
/// # Errors
/// [`StorageError::BadUrl`], which says what was expected and never repeats the address.
pub fn check_url(url: &str) -> Result<()> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => postgres_server(url).map(drop),
        Some("sqlite") => sqlite_file(url).map(drop),
        _ => Err(unknown_scheme()),
    }
}

/// An address that the driver can use. Its own messages can hold parts of a password, so they are not repeated.
fn postgres_server(url: &str) -> Result<PgConnectOptions> {
    let wrong = |what: &str| StorageError::BadUrl(format!("{what}; a Postgres address must read {POSTGRES_FORM}"));
    let port =
        "its port is not a number from 1 to 65535 (in a user name or password, write @ : / ? # % as %40 and so on)";
    let parsed = Url::parse(url).map_err(|error| match error {
        url::ParseError::InvalidPort => wrong(port),
        _ => wrong("it can't be parsed"),
    })?;
    if parsed.port() == Some(0) {
        return Err(wrong(port));
    }
    PgConnectOptions::from_str(url).map_err(|_| wrong("a part or a parameter has a value that is not allowed"))
}

fn postgres_options(
    url: &str,
    options: &PoolOptions,
    demotion: &Arc<Demotion>,
) -> Result<(PgPoolOptions, PgConnectOptions)> {
    let server = postgres_server(url)?.application_name("trainyard");
    // A pooler refuses to begin with settings that it can't carry from session to session.
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
                // A round trip that most uses of a busy connection can do without.
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
        // There is no server that could be gone.
        .test_before_acquire(false)
        // SQLite rolled back by itself, and the driver still counts the transaction: it would begin no other.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
    Ok((pool, file))
}

fn sqlite_file(url: &str) -> Result<SqliteConnectOptions> {
    let wrong = || StorageError::BadUrl(format!("a SQLite address must read {SQLITE_FORM}"));
    let file = SqliteConnectOptions::from_str(url).map_err(|_| wrong())?;
    // A database in memory would be a different, empty one on each connection of the pool.
    if url.contains(":memory:") || url.contains("mode=memory") || file.get_filename().as_os_str().is_empty() {
        return Err(wrong());
    }
    Ok(file)
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
