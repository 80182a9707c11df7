//! The inference role over HTTP and gRPC, with real SQLite, a real queue, real files and trained models.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod allocations;
mod answer;
mod answers;
mod drift;
mod environment;
mod grpc_answers;
mod grpc_client;
mod grpc_methods;
mod grpc_refusals;
mod grpc_traffic;
mod guards;
mod memory;
mod models;
mod outages;
mod overload;
mod refusals;
mod request_log;
mod required;
mod shadows;
mod swaps;
mod traffic;
mod v2_answers;
mod v2_protocol;
mod v2_refusals;
mod v2_repository;
mod v2_tensors;
