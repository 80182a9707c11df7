//! Metrics of jobs. The metric catalogue has their names, labels and meanings.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge, histogram};
use trainyard_domain::{FailureCode, Job, JobStatus};
use trainyard_telemetry::catalogue as names;

/// Records a claimed job.
pub(crate) fn record_claim(job: &Job) {
    counter!(names::JOBS_CLAIMED_TOTAL).increment(1);
    let waited = job.started_at.map(|started| started - job.run_at.max(job.created_at));
    let waited = waited.and_then(|waited| waited.to_std().ok()).unwrap_or_default();
    histogram!(names::JOBS_WAIT_SECONDS).record(waited.as_secs_f64());
}

/// Records a run that finished its job with `status`.
pub(crate) fn record_finish(job: &Job, status: JobStatus, now: DateTime<Utc>) {
    let (kind, algorithm) = (job.spec.kind().as_str(), job.spec.algorithm().as_str());
    let labels = [("algorithm", algorithm), ("kind", kind), ("status", status.as_str())];
    counter!(names::JOBS_FINISHED_TOTAL, &labels).increment(1);
    if let Some(seconds) = job.duration_s(now) {
        histogram!(names::JOBS_DURATION_SECONDS, &labels).record(seconds);
    }
}

/// Records a failed job.
pub(crate) fn record_failure(code: FailureCode) {
    counter!(names::JOBS_FAILURES_TOTAL, "code" => code.as_str()).increment(1);
}

/// Records a run whose job returned to the queue.
pub(crate) fn record_retry(reason: &'static str) {
    counter!(names::JOBS_RETRIES_TOTAL, "reason" => reason).increment(1);
}

/// Records a training process that ended after `elapsed`.
pub(crate) fn record_training(job: &Job, elapsed: Duration) {
    let algorithm = job.spec.algorithm().as_str();
    histogram!(names::TRAINING_DURATION_SECONDS, "algorithm" => algorithm).record(elapsed.as_secs_f64());
}

/// Records a checkpoint that was stored or could not be stored.
pub(crate) fn record_checkpoint(is_stored: bool, bytes: u64) {
    let result = if is_stored { "stored" } else { "failed" };
    counter!(names::TRAINING_CHECKPOINTS_TOTAL, "result" => result).increment(1);
    if is_stored {
        counter!(names::TRAINING_CHECKPOINT_BYTES_TOTAL).increment(bytes);
    }
}

/// Records a run that found a checkpoint of an earlier run, and whether the run continues from the checkpoint.
pub(crate) fn record_resume(is_resumed: bool) {
    let result = if is_resumed { "resumed" } else { "ignored" };
    counter!(names::TRAINING_RESUMES_TOTAL, "result" => result).increment(1);
}

/// Records a write that was refused because the run's claim is not current.
pub(crate) fn record_fenced_write() {
    counter!(names::JOBS_FENCED_WRITES_TOTAL).increment(1);
}

/// Records an expired lease that the sweep has ended.
pub(crate) fn record_lost_lease() {
    counter!(names::JOBS_LEASES_LOST_TOTAL).increment(1);
}

/// Records a delivered id without a job to claim.
pub(crate) fn record_dropped_id() {
    counter!(names::QUEUE_MESSAGES_DROPPED_TOTAL, "reason" => "not_claimable").increment(1);
}

/// Sets the number of slots of this process, which runs no job yet.
pub(crate) fn set_slots(count: usize) {
    gauge!(names::WORKER_SLOTS).set(count as f64);
    set_running(0);
}

/// Sets the number of jobs that run in this process.
pub(crate) fn set_running(count: usize) {
    gauge!(names::WORKER_JOBS_RUNNING).set(count as f64);
}
