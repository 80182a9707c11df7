//! Carries job ids from "ready" to "claimed", and messages between processes.
//!
//! The database is the source of truth about every job; nothing in the queue has to survive. A queue may lose ids (Redis
//! restarted, flushed) and may deliver an id twice. Redis tracks which ids are enqueued, in the same scripts that change the
//! streams, so both are lost together. A job that waits in the database is enqueued again when its id is missing, and the
//! claim in the database lets one delivery win. Only this crate uses Redis, and only this crate implements an apalis backend.

mod acks;
mod address;
mod backoff;
mod connection;
mod consumer;
mod delivery;
mod endpoint;
mod enqueue;
mod enqueued;
mod entries;
mod error;
mod fetch;
mod handoff;
mod keys;
mod memory;
mod queue;
mod streams;
mod subscribe;
mod subscription;

pub use address::check_url;
pub use consumer::{Consumer, Liveness};
pub use delivery::Delivery;
pub use enqueue::{EnqueueFrom, Enqueued, ReadyJob, UserWindow};
pub use error::{QueueError, Result};
pub use queue::Queue;
pub use streams::RedisOptions;
pub use subscription::Subscription;
