//! The worker role: claim → fetch → train or predict in a child process → publish; and the sweep, which maintains the queue.
//!
//! The database decides which worker runs a job and for how long; every write of a run checks its claim. Training and
//! prediction run in a separate process ([`train_task`]) that receives only its task, so it can't harm the worker. [`run::run`] is the role.
//! [`sweep::run`] runs in every API and worker process, and one of them leads. [`reclaim::reclaim_orphans`] speeds up the
//! restart in embedded mode.

mod active_runs;
mod cancel;
mod checkpoint;
mod child;
mod claim;
pub mod config;
mod fetch;
mod finish;
mod folder;
pub mod health;
mod isolation;
mod job;
mod job_metrics;
mod lease;
mod log_buffer;
#[cfg(feature = "noop")]
mod noop;
mod pod;
mod predict;
mod progress;
mod protocol;
mod publish;
pub mod reclaim;
mod retry;
pub mod run;
pub mod sandbox;
pub mod sweep;
mod trace;
pub mod train_task;
pub mod webhooks;
mod worker;

pub use config::WorkerConfig;
pub use health::Health;
pub use reclaim::reclaim_orphans;
pub use run::run;
pub use sandbox::SandboxMode;
pub use sweep::{SweepConfig, SweepDeps};
pub use webhooks::WebhookConfig;
pub use worker::WorkerDeps;
