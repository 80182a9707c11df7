//! The worker role: claim → fetch → train in a child process → publish, and the sweep that keeps the queue true.
//!
//! The database decides who runs a job and for how long; every write of a run names its claim. Training runs in a
//! process of its own ([`train_task`]) that is told nothing but its task, so whatever it does the worker stays well.
//! [`run::run`] is the role; [`sweep::run`] is the housekeeping that one process of the fleet does at a time, and
//! [`reclaim::reclaim_orphans`] the quick start of a process that owns its database alone.

mod cancel;
mod child;
mod claim;
pub mod config;
mod ending;
mod fetch;
mod folder;
pub mod health;
mod held;
mod isolation;
mod job;
mod journal;
mod lease;
mod measure;
mod noop;
mod patience;
mod pod;
mod progress;
mod protocol;
mod publish;
pub mod reclaim;
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
pub use sweep::SweepConfig;
pub use webhooks::WebhookConfig;
pub use worker::WorkerDeps;
