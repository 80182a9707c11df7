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

mod accounts;
mod actions;
mod api_keys;
mod cancelling;
mod claiming;
mod databases;
mod datasets;
mod dispatching;
mod expiry;
mod faults;
mod fixture;
mod history;
mod idempotency;
mod identities;
mod leases;
mod listing;
mod logs;
mod many;
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
mod unreadable;
mod webhooks;
