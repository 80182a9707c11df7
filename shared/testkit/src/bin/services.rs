//! Private Postgres, Redis and S3 servers for manual tests: `make services`.
//!
//! Prints the settings as `export` lines and runs until Ctrl-C. All data is deleted at the end.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use trainyard_testkit::{PostgresServer, RedisServer, S3Server};

fn main() {
    let (postgres, redis, s3) = (PostgresServer::start(), RedisServer::start(), S3Server::start());
    println!("export DATABASE_URL={}", postgres.fresh_database());
    println!("export REDIS_URL={}", redis.url());
    println!("export ARTIFACT_URL={}", s3.fresh_bucket());
    for (name, value) in s3.env() {
        println!("export {name}={value}");
    }
    println!("# running; Ctrl-C stops them and removes their data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tokio::signal::ctrl_c()).unwrap();
}
