//! Macros that run one SQL text on either driver.
//!
//! `one!`, `optional!` and `all!` fetch rows (a tuple or a `FromRow`). `write_one!`, `write_optional!` and `write_all!` do
//! the same for statements with `RETURNING`. `execute!` returns the number of changed rows. Writes fail in a read
//! transaction.

use std::time::Duration;

use tokio::time::timeout;

use crate::connect::PoolOptions;
use crate::error::{Result, StorageError};

/// Client-side timeout of a statement. It is longer than the server's [`PoolOptions::statement_timeout`], so it only applies
/// to an unresponsive server.
const CLIENT_TIMEOUT: Duration = PoolOptions::LONGEST_STATEMENT.saturating_add(Duration::from_secs(5));

/// Awaits a statement with a timeout: a paused server or a broken network sends neither a result nor an error.
pub(crate) async fn with_timeout<T>(query: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match timeout(CLIENT_TIMEOUT, query).await {
        Ok(answer) => Ok(answer?),
        Err(silent) => Err(StorageError::Unavailable(silent.into())),
    }
}

macro_rules! run {
    ($tx:expr, $verb:ident, $query:expr $(, $arg:expr)* $(,)?) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = $query.persistent(session.prepares())$(.bind($arg))*;
                let outcome = $crate::sql::with_timeout(query.$verb(&mut **session)).await;
                session.note(outcome)
            }
            $crate::tx::Inner::Sqlite(session) => {
                let outcome = $crate::sql::with_timeout($query$(.bind($arg))*.$verb(session.connection()?)).await;
                session.note(outcome)
            }
        }
    };
}

macro_rules! one {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql::run!($tx, fetch_one, sqlx::query_as($sql) $(, $arg)*)
    };
}

macro_rules! optional {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql::run!($tx, fetch_optional, sqlx::query_as($sql) $(, $arg)*)
    };
}

macro_rules! all {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql::run!($tx, fetch_all, sqlx::query_as($sql) $(, $arg)*)
    };
}

/// As [`all`], without a cached prepared statement, so that each execution is planned: a plan from an empty table would be
/// slow on a large one.
macro_rules! all_unprepared {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = sqlx::query_as($sql).persistent(false)$(.bind($arg))*;
                let outcome = $crate::sql::with_timeout(query.fetch_all(&mut **session)).await;
                session.note(outcome)
            }
            $crate::tx::Inner::Sqlite(session) => {
                let query = sqlx::query_as($sql).persistent(false)$(.bind($arg))*;
                let outcome = $crate::sql::with_timeout(query.fetch_all(session.connection()?)).await;
                session.note(outcome)
            }
        }
    };
}

macro_rules! write_one {
    ($tx:expr, $($rest:tt)*) => {{ $tx.check_may_write()?; $crate::sql::one!($tx, $($rest)*) }};
}

macro_rules! write_optional {
    ($tx:expr, $($rest:tt)*) => {{ $tx.check_may_write()?; $crate::sql::optional!($tx, $($rest)*) }};
}

macro_rules! write_all {
    ($tx:expr, $($rest:tt)*) => {{ $tx.check_may_write()?; $crate::sql::all!($tx, $($rest)*) }};
}

/// Returns the number of changed rows.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
        $tx.check_may_write()?;
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = sqlx::query($sql).persistent(session.prepares())$(.bind($arg))*;
                let outcome = $crate::sql::with_timeout(query.execute(&mut **session)).await;
                session.note(outcome).map(|done| done.rows_affected())
            }
            $crate::tx::Inner::Sqlite(session) => {
                let query = sqlx::query($sql)$(.bind($arg))*;
                let outcome = $crate::sql::with_timeout(query.execute(session.connection()?)).await;
                session.note(outcome).map(|done| done.rows_affected())
            }
        }
    }};
}

pub(crate) use {all, all_unprepared, execute, one, optional, run, write_all, write_one, write_optional};
