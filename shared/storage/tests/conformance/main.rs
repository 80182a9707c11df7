//! Conformance suite for both drivers. Every test runs on its own SQLite file, on its own Postgres database, and on Postgres
//! behind PgBouncer in transaction mode.

#![allow(clippy::unwrap_used, reason = "a test fails with the reason")]

/// Defines the modules `sqlite`, `postgres` and `pgbouncer` with a test for each function.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::fixture::Fixture::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::fixture::Fixture::postgres().await).await;
            })+
        }
        mod pgbouncer {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::fixture::Fixture::pgbouncer().await).await;
            })+
        }
    };
}

/// Defines the module `danish` with a test for each function, on Postgres with a linguistic collation.
macro_rules! on_danish {
    ($($test:ident),+ $(,)?) => {
        mod danish {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::fixture::Fixture::danish().await).await;
            })+
        }
    };
}

/// Inserts copies of a row with changed columns; `g` is the number of the copy.
macro_rules! copies {
    ($table:literal, $count:literal, $changes:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " SELECT copy.* FROM (SELECT t FROM ",
            $table,
            " AS t LIMIT 1) AS one (original), generate_series(1, ",
            $count,
            ") AS g, LATERAL jsonb_populate_record(original, jsonb_build_object(",
            $changes,
            ")) AS copy"
        )
    };
}

mod accounts;
mod actions;
mod alias_history;
mod api_keys;
mod cancelling;
mod checkpoints;
mod claiming;
mod combinations;
mod databases;
mod datasets;
mod dispatching;
mod expiry;
mod faults;
mod fixture;
mod guards;
mod history;
mod idempotency;
mod identities;
mod leases;
mod listing;
mod logs;
mod many;
mod measurement;
mod models;
mod plans;
mod predictions;
mod publishing;
mod quotas;
mod races;
mod refresh_tokens;
mod retention;
mod running;
mod schedules;
mod tls;
mod traffic;
mod unreadable;
mod webhooks;
