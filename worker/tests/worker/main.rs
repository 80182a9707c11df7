//! The worker against the real thing: SQLite, the memory queue, a local object store, and real training processes, or
//! shell scripts that behave as badly as a training process can.

#![allow(clippy::unwrap_used, reason = "a test that unwraps what it should not, fails")]

mod children;
mod deaths;
mod drain;
mod fencing;
mod lifecycle;
mod logs;
mod memory;
mod pod;
mod sandbox;
mod scheduling;
mod sweeping;
mod webhooks;
mod yard;
