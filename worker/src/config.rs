//! Settings of the worker role. Plain data: the app reads them from its configuration file and environment.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sandbox::SandboxMode;

/// Settings of one worker process. Every field has the default named in its documentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// Jobs that run at the same time (1).
    pub concurrency: usize,
    /// A run is given up for lost when its lease was not renewed for this long, in seconds (30).
    pub lease_s: u64,
    /// How often leases are renewed, in seconds; a third of `lease_s` at most (5).
    pub renew_every_s: u64,
    /// How often the database is asked for cancel marks while jobs run, in milliseconds (1,000). The queue's push is
    /// faster; this bounds a cancel when the push is lost.
    pub cancel_poll_ms: u64,
    /// How long a drain lets running jobs go on before it puts them back, in seconds (30).
    pub grace_s: u64,
    /// Folder for cached data sets and running jobs (`./work`).
    pub work_dir: PathBuf,
    /// Most bytes of cached data sets kept in the work folder, in MiB (2,048).
    pub dataset_cache_mb: u64,
    /// Largest model, in bytes (512 MiB).
    pub max_artifact_bytes: u64,
    /// Most memory (address space) of a training process, in MiB; 0 sets no limit (4,096).
    pub child_memory_mb: u64,
    /// Most lines that one run may add to its job's log (1,000); what is over is counted.
    pub max_log_lines: u64,
    /// Most that a training process may write to its folder, in MiB; 0 sets no limit (4,096).
    pub child_folder_mb: u64,
    /// Most that a training process may write to each of its pipes, in MiB (16).
    pub child_output_mb: u64,
    /// Most files that a training process has open (256).
    pub child_open_files: u64,
    /// What to do where the kernel can't confine training processes (best effort).
    pub sandbox: SandboxMode,
    /// User and group id of training processes where the worker runs as root; 0 keeps root (65,534).
    pub child_uid: u32,
    /// Threads of a training process; 0 shares the cores among the slots (0).
    pub child_threads: usize,
    /// Drain after this many jobs; absent or 0 means never.
    pub max_jobs: Option<u64>,
    /// How long a finished run keeps trying to store its result, or an accepted one to load its data, while the
    /// object store or the database is away, in seconds (900).
    pub storage_patience_s: u64,
    /// Whether a new version takes the `production` alias by itself (false); the first version always does.
    pub auto_promote: bool,
    /// This process's pod, whose deletion cost rises while jobs run; empty (the default) where there is none.
    pub pod_name: String,
    /// How long after its jobs ended a worker's deletion cost falls, in seconds (10).
    pub pod_cost_lower_after_s: u64,
    /// The API server of Kubernetes; empty (the default) for the one that Kubernetes names to its pods.
    pub kubernetes_url: String,
    /// Folder with the service account's token, namespace and certificate authority.
    pub kubernetes_account_dir: PathBuf,
    /// Liveness fails when the worker neither polled its queue nor renewed a lease for this long, in seconds (60).
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
            work_dir: PathBuf::from("./work"),
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

    /// How often leases are renewed: often enough that two renewals may fail and the lease still stands.
    pub(crate) fn renew_every(&self) -> Duration {
        Duration::from_secs(self.renew_every_s.max(1)).min(Duration::from_millis(self.lease_s.max(1) * 1_000 / 3))
    }

    /// How long the object store or the database may be away before a run gives up.
    pub(crate) fn storage_patience(&self) -> Duration {
        Duration::from_secs(self.storage_patience_s)
    }

    /// The number of the job after which the process drains.
    pub(crate) fn last_job(&self) -> u64 {
        self.max_jobs.filter(|max| *max > 0).unwrap_or(u64::MAX)
    }

    /// Jobs at the same time, at least one and never more than the process will run at all.
    pub(crate) fn slots(&self) -> usize {
        let all = usize::try_from(self.last_job()).unwrap_or(usize::MAX);
        self.concurrency.min(all).max(1)
    }

    /// Threads one training process may use.
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
    fn renewal_always_leaves_room_for_two_failures() {
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
