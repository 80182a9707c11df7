//! The HTTP layer of every role: errors, access, request ids, health, connections, shutdown.

#![allow(clippy::unwrap_used, reason = "a test fails with the reason")]

mod access;
mod accounts;
mod bad_input;
mod bodies;
mod checks;
mod connections;
mod grpc;
mod heads;
mod http2;
mod in_flight;
mod issuers;
mod lists;
mod logs;
mod openapi;
mod passwords;
mod requests;
mod sockets;
mod support;
mod tokens;
mod v2_errors;
