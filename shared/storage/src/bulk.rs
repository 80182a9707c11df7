//! Bulk statements.
//!
//! On Postgres one statement handles all items, with one array parameter for each field. SQLite has no arrays and no
//! network, so the statement runs once for each item.

use trainyard_domain::JobId;

/// A bulk statement: for all items on Postgres, for one item on SQLite.
pub(crate) struct BulkStatement {
    /// Has an array parameter for each field.
    pub(crate) postgres: &'static str,
    /// Has a parameter for each field.
    pub(crate) sqlite: &'static str,
}

/// A bulk statement by ids: `for_ids!("… WHERE id", "$1", " …")`. Each part is a literal or a macro that expands to one.
macro_rules! for_ids {
    ($before:expr, $ids:literal, $after:expr) => {
        $crate::bulk::BulkStatement {
            postgres: concat!($before, " = ANY (", $ids, ")", $after),
            sqlite: concat!($before, " = ", $ids, $after),
        }
    };
}

/// The condition on Postgres that a row of `jobs` is one of the runs in two arrays, of ids and claims. If `$common` is set,
/// it is the claim of all runs. A join would be slower: if the planner expects few running jobs, it reads all of them.
macro_rules! is_run_in {
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

/// The common claim of all runs, if there is one: most jobs run for the first time. Otherwise the condition searches the
/// array for each row, which for a thousand runs takes longer than the write.
pub(crate) fn common_claim(runs: &[(JobId, i64)]) -> Option<i64> {
    let (_, claim) = runs.first()?;
    runs.iter().all(|(_, other)| other == claim).then_some(*claim)
}

/// Executes a bulk statement and returns the number of changed rows. `$fixed` are the first parameters; the fields of the
/// items follow.
macro_rules! execute_bulk {
    ($tx:expr, $each:expr, [$($fixed:expr),*], $items:expr, |$item:pat_param| [$($field:expr),+ $(,)?]) => {
        async {
            $tx.check_may_write()?;
            match &mut $tx.inner {
                $crate::tx::Inner::Postgres(session) => {
                    let query = sqlx::query($each.postgres).persistent(session.prepares())$(.bind($fixed))*;
                    let query = query$(.bind($items.iter().map(|$item| $field).collect::<Vec<_>>()))+;
                    let outcome = $crate::sql::with_timeout(query.execute(&mut **session)).await;
                    Ok(session.note(outcome)?.rows_affected())
                }
                $crate::tx::Inner::Sqlite(session) => {
                    let mut changed = 0;
                    for $item in $items.iter() {
                        let query = sqlx::query($each.sqlite)$(.bind($fixed))*$(.bind($field))+;
                        let outcome = $crate::sql::with_timeout(query.execute(session.connection()?)).await;
                        changed += session.note(outcome)?.rows_affected();
                    }
                    $crate::error::Result::<u64>::Ok(changed)
                }
            }
        }
        .await
    };
}

/// Fetches rows for many distinct items.
macro_rules! fetch_bulk {
    ($tx:expr, $each:expr, [$($fixed:expr),*], $items:expr, |$item:pat_param| [$($field:expr),+ $(,)?]) => {
        async {
            match &mut $tx.inner {
                $crate::tx::Inner::Postgres(session) => {
                    let query = sqlx::query_as($each.postgres).persistent(session.prepares())$(.bind($fixed))*;
                    let query = query$(.bind($items.iter().map(|$item| $field).collect::<Vec<_>>()))+;
                    let outcome = $crate::sql::with_timeout(query.fetch_all(&mut **session)).await;
                    session.note(outcome)
                }
                $crate::tx::Inner::Sqlite(session) => {
                    let mut rows = Vec::with_capacity($items.len());
                    for $item in $items.iter() {
                        let query = sqlx::query_as($each.sqlite)$(.bind($fixed))*$(.bind($field))+;
                        let outcome = $crate::sql::with_timeout(query.fetch_optional(session.connection()?)).await;
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

/// Executes a bulk statement and returns its rows.
macro_rules! write_bulk {
    ($tx:expr, $($rest:tt)*) => {
        match $tx.check_may_write() {
            Ok(()) => $crate::bulk::fetch_bulk!($tx, $($rest)*),
            Err(refused) => Err(refused),
        }
    };
}

/// Fetches the rows whose column, the last word of `$sql`, has one of many values, by one query: with an array on Postgres,
/// with a list of parameters on SQLite. `$after` follows the values.
macro_rules! select_in {
    ($tx:expr, $sql:expr, $items:expr, |$item:pat_param| $value:expr, $after:literal) => {
        async {
            match &mut $tx.inner {
                $crate::tx::Inner::Postgres(session) => {
                    let sql = format!("{} = ANY ($1){}", $sql, $after);
                    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(session.prepares());
                    let query = query.bind($items.iter().map(|$item| $value).collect::<Vec<_>>());
                    let outcome = $crate::sql::with_timeout(query.fetch_all(&mut **session)).await;
                    session.note(outcome)
                }
                $crate::tx::Inner::Sqlite(session) => {
                    let list = vec!["?"; $items.len()].join(", ");
                    let sql = format!("{} IN ({list}){}", $sql, $after);
                    // The text depends on the number of values, so do not cache a prepared statement.
                    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(false);
                    for $item in $items.iter() {
                        query = query.bind($value);
                    }
                    let outcome = $crate::sql::with_timeout(query.fetch_all(session.connection()?)).await;
                    session.note(outcome)
                }
            }
        }
        .await
    };
}

pub(crate) use {execute_bulk, fetch_bulk, for_ids, is_run_in, select_in, write_bulk};
