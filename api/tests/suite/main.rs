//! Tests of the router over SQLite, an in-memory queue and local files, without a network.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod accounts;
mod api_keys;
mod browser_sessions;
mod bulk;
mod datasets;
mod events;
mod filters;
mod models;
mod passwords;
mod predictions;
mod races;
mod read_access;
mod routes;
mod sessions;
mod sign_in;
mod support;
mod tables;
mod traffic;
mod training;
