//! One SQL text, two drivers: each macro expands a query into a Postgres arm and a SQLite arm.
//!
//! `one!`, `optional!`, `all!` read rows (a tuple or a `FromRow`); `write_one!`, `write_optional!`, `write_all!` do the
//! same for statements with `RETURNING`; `execute!` counts the rows changed. Statements that write are refused in a
//! transaction opened to read.

use std::time::Duration;

use tokio::time::timeout;

use crate::connect::PoolOptions;
use crate::error::{Result, StorageError};

/// Longer than [`PoolOptions::statement_timeout`] may be, by which the server itself
/// ends a statement: only a server that fell silent gets here.
const SILENCE: Duration = PoolOptions::LONGEST_STATEMENT.saturating_add(Duration::from_secs(5));

/// Waits for an answer, but not for ever: a paused server or a dropped network sends neither answer nor error.
pub(crate) async fn answered<T>(query: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match timeout(SILENCE, query).await {
        Ok(answer) => Ok(answer?),
        Err(silent) => Err(StorageError::Unavailable(silent.into())),
    }
}

macro_rules! run {
    ($tx:expr, $verb:ident, $query:expr $(, $arg:expr)* $(,)?) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = $query.persistent(session.prepares())$(.bind($arg))*;
                let outcome = $crate::sql::answered(query.$verb(&mut **session)).await;
                session.note(outcome)
            }
            $crate::tx::Inner::Sqlite(session) => {
                let outcome = $crate::sql::answered($query$(.bind($arg))*.$verb(session.connection()?)).await;
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

/// As [`all`], planned anew each time: for a query whose plan for a small table would be a bad one for a large table. A
/// prepared statement may keep the plan it got when the table was empty.
macro_rules! all_anew {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = sqlx::query_as($sql).persistent(false)$(.bind($arg))*;
                let outcome = $crate::sql::answered(query.fetch_all(&mut **session)).await;
                session.note(outcome)
            }
            $crate::tx::Inner::Sqlite(session) => {
                let query = sqlx::query_as($sql).persistent(false)$(.bind($arg))*;
                let outcome = $crate::sql::answered(query.fetch_all(session.connection()?)).await;
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

/// Answers the number of rows changed.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
        $tx.check_may_write()?;
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = sqlx::query($sql).persistent(session.prepares())$(.bind($arg))*;
                let outcome = $crate::sql::answered(query.execute(&mut **session)).await;
                session.note(outcome).map(|done| done.rows_affected())
            }
            $crate::tx::Inner::Sqlite(session) => {
                let query = sqlx::query($sql)$(.bind($arg))*;
                let outcome = $crate::sql::answered(query.execute(session.connection()?)).await;
                session.note(outcome).map(|done| done.rows_affected())
            }
        }
    }};
}

pub(crate) use {all, all_anew, execute, one, optional, run, write_all, write_one, write_optional};
