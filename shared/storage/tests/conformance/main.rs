//! One suite, both drivers: every test below runs on a SQLite file and on a Postgres database of its own, the latter also
//! through PgBouncer, which lends a session to each transaction.

#![allow(clippy::unwrap_used, reason = "a test fails with the reason")]

/// Makes the modules `sqlite`, `postgres` and `pgbouncer`, each with a test for every function named.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::bench::Bench::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::bench::Bench::postgres().await).await;
            })+
        }
        mod pgbouncer {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::bench::Bench::pgbouncer().await).await;
            })+
        }
    };
}

mod accounts;
mod bench;
mod cancelling;
mod claiming;
mod databases;
mod datasets;
mod dispatching;
mod expiry;
mod faults;
mod idempotency;
mod identities;
mod leases;
mod listing;
mod logs;
mod many;
mod models;
mod plans;
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
