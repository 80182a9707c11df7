//! The real thing, started for tests: Postgres, Redis, an S3 endpoint over HTTP, the trainyard processes, and a client.
//!
//! Each server is private to the test process: on a free loopback port, in a temporary folder, started on first use and
//! gone when the process ends, however it ends. Everything here panics with a sentence when it can't do its work: that
//! is what a failing test should show.

#![allow(clippy::unwrap_used, reason = "a test that can't have its servers fails with the reason")]

mod authority;
mod client;
mod events;
mod folder;
mod issuers;
mod pgbouncer;
mod postgres;
mod process;
mod prometheus;
mod proxy;
mod receiver;
mod redis;
mod redis_sets;
mod s3;
mod small_disk;
mod spans;
mod system;
mod tls_front;
mod wait;

pub use authority::Authority;
pub use client::{Answer, Client};
pub use events::{Event, EventStream};
pub use issuers::{OpenIdProvider, auth_js_tokens, wanted};
pub use pgbouncer::{PgBouncer, pgbouncer};
pub use postgres::{PostgresServer, postgres};
pub use process::{Tied, children_of, free_port, send_signal, spawn_tied};
pub use prometheus::PrometheusServer;
pub use proxy::{Link, Proxy};
pub use receiver::{Received, Receiver, Reply};
pub use redis::{RedisServer, redis};
pub use redis_sets::{RedisCluster, RedisSentinels};
pub use s3::{S3Server, s3};
pub use small_disk::SmallDisk;
pub use spans::SeenSpan;
pub use system::{
    ADMIN_EMAIL, ADMIN_PASSWORD, JWT_SECRET, Revived, Stack, System, WEBHOOK_SECRET, distributed_settings,
};
pub use tls_front::tls_front;
pub use wait::{eventually, hold, pause, wait_until};

/// A name that no other test uses: `prefix` and the random end of a UUID.
pub fn unique(prefix: &str) -> String {
    let id = uuid::Uuid::now_v7().simple().to_string();
    format!("{prefix}-{}", &id[20..])
}

/// An error with what caused it, and what caused that, as the log has it.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
