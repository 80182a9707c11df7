//! The state of one worker process.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;
use trainyard_artifacts::Store;
use trainyard_domain::Clock;
use trainyard_queue::Queue;
use trainyard_storage::{Db, PoolOptions};

use crate::active_runs::ActiveRuns;
use crate::claim::Claims;
use crate::config::WorkerConfig;
use crate::folder::WorkFolder;
use crate::health::Health;
use crate::sandbox::Sandbox;

/// The dependencies of a worker.
#[derive(Clone)]
pub struct WorkerDeps {
    /// The database.
    pub db: Db,
    /// For the heartbeat thread, which opens a connection of its own, so that a busy pool can't delay renewals.
    pub heartbeat_db: (String, PoolOptions),
    /// The queue of job ids.
    pub queue: Queue,
    /// The object store of datasets and models.
    pub store: Store,
    /// For logs and metrics. Leases use the database's time.
    pub clock: Clock,
    /// The training program, started as `<train_command> train-task`.
    pub train_command: PathBuf,
}

/// One worker process.
pub(crate) struct Worker {
    /// Unique per process start.
    pub(crate) id: String,
    pub(crate) deps: WorkerDeps,
    pub(crate) config: WorkerConfig,
    pub(crate) folder: WorkFolder,
    /// The sandbox of training processes.
    pub(crate) sandbox: Sandbox,
    pub(crate) runs: ActiveRuns,
    pub(crate) health: Health,
    /// Cancelled when the worker claims no further job.
    pub(crate) closing: CancellationToken,
    /// The number of jobs counted towards `max_jobs`.
    pub(crate) taken: std::sync::atomic::AtomicU64,
    /// Batches claims.
    pub(crate) claims: Claims,
    /// Batches finishes of no-op jobs.
    #[cfg(feature = "noop")]
    pub(crate) noop_finishes: crate::noop::NoopFinishes,
}

/// A unique id for this process start, with the host name and the process id.
pub(crate) fn new_id(clock: &Clock) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(64).collect();
    let unique = trainyard_domain::ids::uuid_at(clock.now()).simple().to_string();
    format!("{host}-{}-{}", std::process::id(), &unique[20..])
}
