//! Settings of the worker role.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sandbox::SandboxMode;

/// Settings of one worker process. Every field has the default named in its documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// Concurrent jobs (1).
    pub concurrency: usize,
    /// Duration of a lease, in seconds (30).
    pub lease_s: u64,
    /// Time between two renewals, in seconds; at most a third of `lease_s` (5).
    pub renew_every_s: u64,
    /// Time between two checks for cancellations in the database, in milliseconds (1,000). A message of the queue is faster,
    /// and may be lost.
    pub cancel_poll_ms: u64,
    /// Grace period of a drain, after which running jobs return to the queue, in seconds (30).
    pub grace_s: u64,
    /// Folder for cached datasets and running jobs (`work`).
    pub work_dir: PathBuf,
    /// Size of the dataset cache, in MiB (2,048).
    pub dataset_cache_mb: u64,
    /// Largest model, in bytes (512 MiB).
    pub max_artifact_bytes: u64,
    /// Address space of a training process, in MiB; 0 sets no limit (4,096).
    pub child_memory_mb: u64,
    /// Most log lines of a training process (1,000). Further lines are counted.
    pub max_log_lines: u64,
    /// Size of a training process' folder, in MiB; 0 sets no limit (4,096).
    pub child_folder_mb: u64,
    /// Most output of a training process on each pipe, in MiB (16).
    pub child_output_mb: u64,
    /// Most open files of a training process (256).
    pub child_open_files: u64,
    /// What to do if the kernel lacks a layer of the sandbox (best effort).
    pub sandbox: SandboxMode,
    /// User and group id of training processes if the worker runs as root; 0 keeps root (65,534).
    pub child_uid: u32,
    /// Threads of a training process; 0 divides the cores by the slots (0).
    pub child_threads: usize,
    /// Number of jobs after which the process drains; absent or 0 means never.
    pub max_jobs: Option<u64>,
    /// How long a run retries to load its data or to store its result while the object store or the database is away, in
    /// seconds (900).
    pub storage_patience_s: u64,
    /// Whether every new version gets the alias `production` (false). The first version always gets it.
    pub auto_promote: bool,
    /// The name of this process' pod, whose deletion cost rises while jobs run; empty (the default) outside Kubernetes.
    pub pod_name: String,
    /// Delay before the deletion cost falls, in seconds (10).
    pub pod_cost_lower_after_s: u64,
    /// URL of the Kubernetes API server; empty (the default) takes it from the pod's environment.
    pub kubernetes_url: String,
    /// Folder with the service account's token, namespace and certificate authority.
    pub kubernetes_account_dir: PathBuf,
    /// Liveness fails if the worker has not polled its queue or sent a heartbeat for this long, in seconds (60).
    pub unhealthy_after_s: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            concurrency: 1,
            lease_s: 30,
            renew_every_s: 5,
            cancel_poll_ms: 1_000,
            grace_s: 30,
            work_dir: PathBuf::from("work"),
            dataset_cache_mb: 2_048,
            max_artifact_bytes: 512 * 1024 * 1024,
            child_memory_mb: 4_096,
            max_log_lines: 1_000,
            child_folder_mb: 4_096,
            child_output_mb: 16,
            child_open_files: 256,
            sandbox: SandboxMode::BestEffort,
            child_uid: 65_534,
            child_threads: 0,
            max_jobs: None,
            storage_patience_s: 900,
            auto_promote: false,
            pod_name: String::new(),
            pod_cost_lower_after_s: 10,
            kubernetes_url: String::new(),
            kubernetes_account_dir: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
            unhealthy_after_s: 60,
        }
    }
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

    /// The number of jobs after which the process drains.
    pub(crate) fn last_job(&self) -> u64 {
        self.max_jobs.filter(|max| *max > 0).unwrap_or(u64::MAX)
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
    use super::*;

    #[test]
    fn a_lease_survives_two_failed_renewals() {
        let config = WorkerConfig { lease_s: 3, renew_every_s: 60, ..WorkerConfig::default() };
        assert_eq!(config.renew_every(), Duration::from_secs(1));
    }

    #[test]
    fn a_process_for_one_job_has_one_slot() {
        let config = WorkerConfig { concurrency: 8, max_jobs: Some(1), ..WorkerConfig::default() };
        assert_eq!(config.slots(), 1);
        assert_eq!(WorkerConfig { max_jobs: Some(0), ..config }.slots(), 8, "0 sets no limit");
    }
}
