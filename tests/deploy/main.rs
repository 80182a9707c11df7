//! The Helm chart, rendered by Helm for every set of values in `charts/trainyard/ci/`, and checked against Kubernetes'
//! schemas and the binary. No cluster is needed; `scripts/ensure charts` installs the tools.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod binary;
mod chart;
mod cluster;
mod generated;
mod hooks;
mod matrix;
mod network;
mod pods;
mod refusals;
mod scaling;
mod secrets;
