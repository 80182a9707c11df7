//! The dashboards, the alerts and the runbook: that they fit each other and the metric catalogue (`files`), and that a
//! real Prometheus, which scrapes a real system during a load, has data for each of their queries (`live`).
//!
//! `cargo test -p trainyard --test dashboards -- --nocapture live` prints every query with what it found.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod boards;
mod files;
mod live;
mod load;
mod promql;
mod rig;
mod runbook;
