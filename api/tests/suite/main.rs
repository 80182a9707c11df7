//! The API's own router over SQLite, a queue in memory and files: what a caller sees, without a network.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod accounts;
mod bulk;
mod catalogue;
mod datasets;
mod events;
mod models;
mod passwords;
mod races;
mod reading;
mod sessions;
mod sign_in;
mod support;
mod training;
