//! The dashboards, the alerts and the runbook: `files` checks them against each other and against the metric catalogue;
//! `live` checks that a real Prometheus has data for each query after a load.
//!
//! `cargo test -p trainyard --test dashboards -- --nocapture live` prints every query and its result.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod boards;
mod files;
mod live;
mod load;
mod promql;
mod rig;
mod runbook;
