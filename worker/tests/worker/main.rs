//! The worker with SQLite, the memory queue, a local object store, and real training processes or misbehaving shell
//! scripts.

#![allow(clippy::unwrap_used, reason = "a test that unwraps what it should not, fails")]

mod checkpoints;
mod children;
mod deaths;
mod drain;
mod fencing;
mod guarding;
mod harness;
mod lifecycle;
mod logs;
mod memory;
mod pod;
mod predictions;
mod sandbox;
mod scheduling;
mod sweeping;
mod webhooks;
