//! The feature suite: tests of the running processes, on both stacks.
//!
//! `embedded` is `trainyard up`; `distributed` is `trainyard api`, `worker` and `inference` on Postgres, Redis and S3.
//! Most tests share one system per stack and use unique names. A test that stops or breaks a process starts its own system.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod access;
mod accounts;
mod api_keys;
mod bad_tokens;
mod bulk_actions;
mod checkpoints;
mod children;
mod cli;
mod cold_start;
mod console;
mod contract;
mod datasets;
mod datasets_refused;
mod deadlines;
mod deploys;
mod edge;
mod evaluation;
mod events;
mod faults;
mod inference;
mod inference_v2;
mod issuers;
mod lifecycle;
mod models;
mod monitoring;
mod operations;
mod pgbouncer;
mod pool;
mod predictions;
mod queue;
mod queue_metrics;
mod redis_failover;
mod replicas;
mod retries;
mod schedules;
mod sign_in;
mod support;
mod traces;
mod traffic;
mod training;
mod training_refused;
mod webhooks;
