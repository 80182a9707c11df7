//! Statements for many items at once.
//!
//! Postgres gets one statement however many the items are, with one array parameter for each of their fields: a round trip
//! and a plan for all of them. SQLite has no arrays, and no network to cross either: there the statement runs once for each
//! item.

use trainyard_domain::JobId;

/// One statement, as each driver has it: for all items, and for one.
pub(crate) struct Each {
    /// Reads the items from arrays, one to a field.
    pub(crate) postgres: &'static str,
    /// Reads one item's fields.
    pub(crate) sqlite: &'static str,
}

/// A statement about rows by their ids: `for_ids!("… WHERE id", "$1", " …")`. Each part is a literal, or a macro that makes
/// one.
macro_rules! for_ids {
    ($before:expr, $ids:literal, $after:expr) => {
        $crate::rows::Each {
            postgres: concat!($before, " = ANY (", $ids, ")", $after),
            sqlite: concat!($before, " = ", $ids, $after),
        }
    };
}

/// The condition, for Postgres, that a row of `jobs` is one of the runs that two arrays name, by job and by claim, or by
/// job where `$common` names the claim of all. Not as a join: where the planner takes the running jobs for a handful, it
/// would read all of them for each statement.
macro_rules! among_runs {
    ($common:literal, $ids:literal, $claims:literal) => {
        concat!(
            "id = ANY (",
            $ids,
            "::uuid[]) AND claim = COALESCE(",
            $common,
            "::bigint, (",
            $claims,
            "::bigint[])[array_position(",
            $ids,
            "::uuid[], id)])"
        )
    };
}

/// The claim that all of these runs have, as most have that run for the first time. Else each row has to be looked for in
/// the list of runs, which for a thousand of them takes longer than to write it.
pub(crate) fn common_claim(runs: &[(JobId, i64)]) -> Option<i64> {
    let (_, claim) = runs.first()?;
    runs.iter().all(|(_, other)| other == claim).then_some(*claim)
}

/// Writes many items; answers how many rows changed. `$fixed` are the first parameters, then come the fields of the items.
macro_rules! execute_each {
    ($tx:expr, $each:expr, [$($fixed:expr),*], $items:expr, |$item:pat_param| [$($field:expr),+ $(,)?]) => {
        async {
            $tx.check_may_write()?;
            match &mut $tx.inner {
                $crate::tx::Inner::Postgres(session) => {
                    let query = sqlx::query($each.postgres).persistent(session.prepares())$(.bind($fixed))*;
                    let query = query$(.bind($items.iter().map(|$item| $field).collect::<Vec<_>>()))+;
                    let outcome = $crate::sql::answered(query.execute(&mut **session)).await;
                    Ok(session.note(outcome)?.rows_affected())
                }
                $crate::tx::Inner::Sqlite(session) => {
                    let mut changed = 0;
                    for $item in $items.iter() {
                        let query = sqlx::query($each.sqlite)$(.bind($fixed))*$(.bind($field))+;
                        let outcome = $crate::sql::answered(query.execute(session.connection()?)).await;
                        changed += session.note(outcome)?.rows_affected();
                    }
                    $crate::error::Result::<u64>::Ok(changed)
                }
            }
        }
        .await
    };
}

/// Reads rows about many items; no two may be the same.
macro_rules! read_each {
    ($tx:expr, $each:expr, [$($fixed:expr),*], $items:expr, |$item:pat_param| [$($field:expr),+ $(,)?]) => {
        async {
            match &mut $tx.inner {
                $crate::tx::Inner::Postgres(session) => {
                    let query = sqlx::query_as($each.postgres).persistent(session.prepares())$(.bind($fixed))*;
                    let query = query$(.bind($items.iter().map(|$item| $field).collect::<Vec<_>>()))+;
                    let outcome = $crate::sql::answered(query.fetch_all(&mut **session)).await;
                    session.note(outcome)
                }
                $crate::tx::Inner::Sqlite(session) => {
                    let mut rows = Vec::with_capacity($items.len());
                    for $item in $items.iter() {
                        let query = sqlx::query_as($each.sqlite)$(.bind($fixed))*$(.bind($field))+;
                        let outcome = $crate::sql::answered(query.fetch_optional(session.connection()?)).await;
                        if let Some(row) = session.note(outcome)? {
                            rows.push(row);
                        }
                    }
                    Ok(rows)
                }
            }
        }
        .await
    };
}

/// Writes many items; answers the rows that the statement returns.
macro_rules! write_each {
    ($tx:expr, $($rest:tt)*) => {
        match $tx.check_may_write() {
            Ok(()) => $crate::rows::read_each!($tx, $($rest)*),
            Err(refused) => Err(refused),
        }
    };
}

/// Reads the rows of which one column, the last word of `$sql`, is among many values, with one query on either driver:
/// Postgres gets an array, SQLite a list of parameters. `$after` follows the values.
macro_rules! among {
    ($tx:expr, $sql:expr, $items:expr, |$item:pat_param| $value:expr, $after:literal) => {
        async {
            match &mut $tx.inner {
                $crate::tx::Inner::Postgres(session) => {
                    let sql = format!("{} = ANY ($1){}", $sql, $after);
                    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(session.prepares());
                    let query = query.bind($items.iter().map(|$item| $value).collect::<Vec<_>>());
                    let outcome = $crate::sql::answered(query.fetch_all(&mut **session)).await;
                    session.note(outcome)
                }
                $crate::tx::Inner::Sqlite(session) => {
                    let list = vec!["?"; $items.len()].join(", ");
                    let sql = format!("{} IN ({list}){}", $sql, $after);
                    // As many texts as there can be values: not worth a prepared statement each.
                    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(false);
                    for $item in $items.iter() {
                        query = query.bind($value);
                    }
                    let outcome = $crate::sql::answered(query.fetch_all(session.connection()?)).await;
                    session.note(outcome)
                }
            }
        }
        .await
    };
}

pub(crate) use {among, among_runs, execute_each, for_ids, read_each, write_each};
