//! Settings of the worker role.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sandbox::SandboxMode;

/// Settings of one worker process; `app/src/default.toml` documents the keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// Concurrent jobs.
    pub concurrency: usize,
    /// Duration of a lease, in seconds.
    pub lease_s: u64,
    /// Time between two renewals, in seconds; at most a third of `lease_s`.
    pub renew_every_s: u64,
    /// Time between two checks for cancellations in the database, in milliseconds. A message of the queue is faster,
    /// and may be lost.
    pub cancel_poll_ms: u64,
    /// Grace period of a drain, after which running jobs return to the queue, in seconds.
    pub grace_s: u64,
    /// Folder for cached datasets and running jobs.
    pub work_dir: PathBuf,
    /// Most rows of a part of a prediction's result. A run that continues predicts at most one part again.
    pub prediction_part_rows: u64,
    /// Shortest time between two checkpoints of a training, in seconds; 0 writes none.
    pub checkpoint_interval_s: u64,
    /// Largest checkpoint, in bytes.
    pub checkpoint_max_bytes: u64,
    /// Size of the dataset cache, in MiB.
    pub dataset_cache_mb: u64,
    /// Largest model, in bytes.
    pub max_artifact_bytes: u64,
    /// Address space of a training process, in MiB; 0 sets no limit.
    pub child_memory_mb: u64,
    /// Most log lines of a training process. Further lines are counted.
    pub max_log_lines: u64,
    /// Size of a training process' folder, in MiB; 0 sets no limit.
    pub child_folder_mb: u64,
    /// Most output of a training process on each pipe, in MiB.
    pub child_output_mb: u64,
    /// Most open files of a training process.
    pub child_open_files: u64,
    /// What to do if the kernel lacks a layer of the sandbox.
    pub sandbox: SandboxMode,
    /// User and group id of training processes if the worker runs as root; 0 keeps root.
    pub child_uid: u32,
    /// Threads of a training process; 0 divides the cores by the slots.
    pub child_threads: usize,
    /// Number of jobs after which the process drains; 0 means never.
    pub max_jobs: u64,
    /// How long a run retries to load its data or to store its result while the object store or the database is away, in
    /// seconds.
    pub storage_patience_s: u64,
    /// Whether every new version gets the alias `production`. The first version always gets it.
    pub auto_promote: bool,
    /// The name of this process' pod, whose deletion cost rises while jobs run; empty outside Kubernetes.
    pub pod_name: String,
    /// Delay before the deletion cost falls, in seconds.
    pub pod_cost_lower_after_s: u64,
    /// URL of the Kubernetes API server; empty takes it from the pod's environment.
    pub kubernetes_url: String,
    /// Folder with the service account's token, namespace and certificate authority.
    pub kubernetes_account_dir: PathBuf,
    /// Liveness fails if the worker has not polled its queue or sent a heartbeat for this long, in seconds.
    pub unhealthy_after_s: u64,
}

impl WorkerConfig {
    /// How long a lease lasts.
    pub(crate) fn lease(&self) -> chrono::Duration {
        chrono::Duration::seconds(i64::try_from(self.lease_s.max(1)).unwrap_or(i64::MAX / 1_000))
    }

    /// The time between two renewals: at most a third of the lease, so that a lease survives two failed renewals.
    pub(crate) fn renew_every(&self) -> Duration {
        Duration::from_secs(self.renew_every_s.max(1)).min(Duration::from_millis(self.lease_s.max(1) * 1_000 / 3))
    }

    /// How long a run retries while the object store or the database is away.
    pub(crate) fn storage_timeout(&self) -> Duration {
        Duration::from_secs(self.storage_patience_s)
    }

    /// Largest checkpoint, in bytes. It is below the limits of the process, which would end a training: the largest file, and
    /// the folder, which has two checkpoints while the last one is written.
    pub(crate) fn checkpoint_limit(&self) -> u64 {
        let folder = if self.child_folder_mb == 0 { u64::MAX } else { self.child_folder_mb << 20 };
        self.checkpoint_max_bytes.min(self.max_artifact_bytes).min(folder / 4)
    }

    /// The number of jobs after which the process drains.
    pub(crate) fn last_job(&self) -> u64 {
        if self.max_jobs == 0 { u64::MAX } else { self.max_jobs }
    }

    /// Concurrent jobs: at least one, and at most `max_jobs`.
    pub(crate) fn slots(&self) -> usize {
        let all = usize::try_from(self.last_job()).unwrap_or(usize::MAX);
        self.concurrency.min(all).max(1)
    }

    /// Threads of a training process.
    pub(crate) fn threads(&self) -> usize {
        if self.child_threads > 0 {
            return self.child_threads;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / self.slots()).max(1)
    }
}

#[cfg(test)]
mod tests {
    use trainyard_testkit::default_settings;

    use super::*;

    #[test]
    fn a_lease_survives_two_failed_renewals() {
        let config = WorkerConfig { lease_s: 3, renew_every_s: 60, ..default_settings("worker") };
        assert_eq!(config.renew_every(), Duration::from_secs(1));
    }

    #[test]
    fn a_checkpoint_is_smaller_than_the_limits_of_its_process() {
        let config = WorkerConfig {
            checkpoint_max_bytes: 5 << 20,
            max_artifact_bytes: 4 << 20,
            child_folder_mb: 8,
            ..default_settings("worker")
        };
        assert_eq!(config.checkpoint_limit(), 2 << 20);
        assert_eq!(WorkerConfig { child_folder_mb: 0, ..config.clone() }.checkpoint_limit(), 4 << 20);
        assert_eq!(
            WorkerConfig { child_folder_mb: 0, max_artifact_bytes: 9 << 20, ..config }.checkpoint_limit(),
            5 << 20
        );
    }

    #[test]
    fn a_process_for_one_job_has_one_slot() {
        let config = WorkerConfig { concurrency: 8, max_jobs: 1, ..default_settings("worker") };
        assert_eq!(config.slots(), 1);
        assert_eq!(WorkerConfig { max_jobs: 0, ..config }.slots(), 8, "0 sets no limit");
    }
}
