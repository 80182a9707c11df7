//! Real servers for tests: Postgres, Redis, an S3 endpoint, trainyard processes, and clients for them.
//!
//! Each server belongs to the test process: on a free loopback port, in a temporary folder, started at the first use
//! and stopped at the end of the process. All functions panic if they fail.

#![allow(clippy::unwrap_used, reason = "a test without its servers must fail")]

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
mod settings;
mod small_disk;
mod spans;
mod system;
mod tls_proxy;
mod wait;

pub use authority::Authority;
pub use client::{Answer, Client};
pub use events::{Event, EventStream};
pub use issuers::{OpenIdProvider, auth_js_tokens, token_options};
pub use pgbouncer::{PgBouncer, pgbouncer};
pub use postgres::{PostgresServer, postgres};
pub use process::{ChildGuard, children_of, free_port, send_signal, spawn_guarded};
pub use prometheus::PrometheusServer;
pub use proxy::{NetworkState, Proxy};
pub use receiver::{Received, Receiver, Reply};
pub use redis::{RedisServer, redis};
pub use redis_sets::{RedisCluster, RedisSentinels};
pub use s3::{S3Server, s3};
pub use settings::default_settings;
pub use small_disk::SmallDisk;
pub use spans::ReceivedSpan;
pub use system::{
    ADMIN_EMAIL, ADMIN_PASSWORD, JWT_SECRET, Restarted, Stack, System, WEBHOOK_SECRET, distributed_settings,
};
pub use tls_proxy::tls_proxy;
pub use trainyard_tls::install_provider;
pub use wait::{eventually, pause, sleep_blocking, wait_until};

/// A unique name: `prefix` and the random end of a UUID.
pub fn unique(prefix: &str) -> String {
    let id = uuid::Uuid::now_v7().simple().to_string();
    format!("{prefix}-{}", &id[20..])
}

/// An error with all its causes, as in the log.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
