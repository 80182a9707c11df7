//! Carries job ids from "ready" to "claimed", and short notes between processes.
//!
//! The database is the truth about every job; nothing here has to survive. A queue may lose ids (Redis restarted, flushed)
//! and may deliver one twice. It knows which ids it has, and loses that knowledge with them: whoever offers a job that waits
//! in the database has it sent if it is not there, and the claim in the database lets one delivery win. This is the only crate that speaks to Redis and the only one that implements an apalis backend.

mod acks;
mod address;
mod backoff;
mod consumer;
mod delivery;
mod desk;
mod entries;
mod error;
mod fetch;
mod keys;
mod link;
mod marks;
mod memory;
mod place;
mod push;
mod queue;
mod ready;
mod streams;
mod subscribe;

pub use address::check_url;
pub use consumer::{Consumer, Pulse};
pub use delivery::Delivery;
pub use error::{QueueError, Result};
pub use push::Subscription;
pub use queue::Queue;
pub use ready::{Offered, Ready, Share, Turn};
pub use streams::RedisOptions;
