//! Statements whose text and number of parameters depend on the request, for both drivers.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::tx::{Inner, Tx};

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Text(String),
    Uuid(Uuid),
    /// An array. Only Postgres has arrays.
    Uuids(Vec<Uuid>),
}

/// The parameters of a statement, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Arguments(pub(crate) Vec<Argument>);

impl Arguments {
    /// Adds a parameter. Returns its placeholder.
    pub(crate) fn add(&mut self, value: Argument) -> String {
        self.0.push(value);
        format!("${}", self.0.len())
    }

    /// Adds many ids. Returns a table `name` with the column `id`, for FROM.
    pub(crate) fn add_table_of_ids(&mut self, tx: &Tx, ids: &[Uuid], name: &str) -> String {
        if matches!(tx.inner, Inner::Postgres(_)) {
            return format!("unnest({}::uuid[]) AS {name} (id)", self.add(Argument::Uuids(ids.to_vec())));
        }
        let rows: Vec<String> = ids.iter().map(|id| format!("({})", self.add(Argument::Uuid(*id)))).collect();
        format!("(SELECT column1 AS id FROM (VALUES {})) AS {name}", rows.join(", "))
    }

    /// Adds many ids. Returns what follows the column in a condition: one array on Postgres, a list on SQLite.
    pub(crate) fn add_ids(&mut self, tx: &Tx, ids: &[Uuid]) -> String {
        if matches!(tx.inner, Inner::Postgres(_)) {
            return format!("= ANY ({})", self.add(Argument::Uuids(ids.to_vec())));
        }
        let mut list = String::with_capacity(ids.len() * 7);
        for id in ids {
            let separator = if list.is_empty() { "" } else { ", " };
            let placeholder = self.add(Argument::Uuid(*id));
            // Writing to a string can't fail.
            let _ = write!(list, "{separator}{placeholder}");
        }
        format!("IN ({list})")
    }
}

/// Binds the arguments of a statement. SQLite has no arrays, so `add_ids` never adds one there.
macro_rules! bind_all {
    ($query:expr, $arguments:expr, |$array:ident| $bind_array:expr) => {{
        let mut query = $query;
        for argument in $arguments.0.iter().cloned() {
            query = match argument {
                $crate::arguments::Argument::Text(text) => query.bind(text),
                $crate::arguments::Argument::Uuid(id) => query.bind(id),
                $crate::arguments::Argument::Uuids($array) => query.bind($bind_array),
            };
        }
        query
    }};
}

/// As [`crate::sql::all`], with [`Arguments`]. The statement is planned for its arguments and is not cached.
macro_rules! all_with {
    ($tx:expr, $sql:expr, $arguments:expr) => {
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = sqlx::query_as(sqlx::AssertSqlSafe($sql)).persistent(false);
                let query = $crate::arguments::bind_all!(query, $arguments, |array| array);
                let outcome = $crate::sql::with_timeout(query.fetch_all(&mut **session)).await;
                session.note(outcome)
            }
            $crate::tx::Inner::Sqlite(session) => {
                let query = sqlx::query_as(sqlx::AssertSqlSafe($sql)).persistent(false);
                let query = $crate::arguments::bind_all!(query, $arguments, |array| format!("{array:?}"));
                let outcome = $crate::sql::with_timeout(query.fetch_all(session.connection()?)).await;
                session.note(outcome)
            }
        }
    };
}

/// As [`crate::sql::execute`], with [`Arguments`].
macro_rules! execute_with {
    ($tx:expr, $sql:expr, $arguments:expr) => {{
        $tx.check_may_write()?;
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(session) => {
                let query = sqlx::query(sqlx::AssertSqlSafe($sql)).persistent(false);
                let query = $crate::arguments::bind_all!(query, $arguments, |array| array);
                let outcome = $crate::sql::with_timeout(query.execute(&mut **session)).await;
                session.note(outcome).map(|done| done.rows_affected())
            }
            $crate::tx::Inner::Sqlite(session) => {
                let query = sqlx::query(sqlx::AssertSqlSafe($sql)).persistent(false);
                let query = $crate::arguments::bind_all!(query, $arguments, |array| format!("{array:?}"));
                let outcome = $crate::sql::with_timeout(query.execute(session.connection()?)).await;
                session.note(outcome).map(|done| done.rows_affected())
            }
        }
    }};
}

pub(crate) use {all_with, bind_all, execute_with};
