//! What every part of one worker process shares.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_queue::Queue;
use trainyard_storage::{Db, PoolOptions};

use crate::claim::Claims;
use crate::config::WorkerConfig;
use crate::folder::WorkFolder;
use crate::health::Health;
use crate::held::Runs;
use crate::noop::BareEnds;
use crate::sandbox::Sandbox;

/// What a worker needs from outside.
#[derive(Clone)]
pub struct WorkerDeps {
    /// The truth about jobs.
    pub db: Db,
    /// Where the heartbeat thread opens a connection of its own, so that no busy pool can hold up a lease.
    pub heartbeat_db: (String, PoolOptions),
    /// Where job ids come from.
    pub queue: Queue,
    /// Where data sets come from and models go.
    pub store: Store,
    /// For durations in logs and metrics; leases go by the database's time.
    pub clock: Clock,
    /// The program that trains, started as `<train_command> train-task`.
    pub train_command: PathBuf,
}

/// One worker process.
pub(crate) struct Worker {
    /// Unique per process start.
    pub(crate) id: String,
    pub(crate) deps: WorkerDeps,
    pub(crate) config: WorkerConfig,
    pub(crate) folder: WorkFolder,
    /// What confines training processes.
    pub(crate) sandbox: Sandbox,
    pub(crate) runs: Runs,
    pub(crate) health: Health,
    /// No further job is taken once this is cancelled.
    pub(crate) closing: CancellationToken,
    pub(crate) taken: std::sync::atomic::AtomicU64,
    /// Claims, those of one moment together.
    pub(crate) claims: Claims,
    /// Ends of runs that publish nothing, those of one moment together.
    pub(crate) bare_ends: BareEnds,
}

/// A name that no other process start has or will have, readable for people.
pub(crate) fn new_id(clock: &Clock) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(64).collect();
    let unique = trainyard_domain::ids::uuid_at(clock.now()).simple().to_string();
    format!("{host}-{}-{}", std::process::id(), &unique[20..])
}
