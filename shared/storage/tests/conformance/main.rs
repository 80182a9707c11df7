//! One suite, both drivers: every test below runs on a SQLite file and on a Postgres database of its own.

#![allow(clippy::unwrap_used, reason = "a test fails with the reason")]

/// Makes a module `sqlite` and a module `postgres`, each with a test for every function named.
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
mod idempotency;
mod leases;
mod listing;
mod logs;
mod many;
mod models;
mod plans;
mod publishing;
mod refresh_tokens;
mod running;
mod schedules;
mod webhooks;
