//! What a worker counts. Names, labels and meanings stand in the metric catalogue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge, histogram};
use trainyard_domain::{FailureCode, Job, JobStatus};
use trainyard_telemetry::catalogue as names;

/// A job was claimed.
pub(crate) fn claimed(job: &Job) {
    counter!(names::JOBS_CLAIMED_TOTAL).increment(1);
    let waited = job.started_at.map(|started| started - job.run_at.max(job.created_at));
    let waited = waited.and_then(|waited| waited.to_std().ok()).unwrap_or_default();
    histogram!(names::JOBS_WAIT_SECONDS).record(waited.as_secs_f64());
}

/// A run ended with its job in a final `status`.
pub(crate) fn finished(job: &Job, status: JobStatus, now: DateTime<Utc>) {
    let labels = [("algorithm", job.spec.algorithm.as_str()), ("status", status.as_str())];
    counter!(names::JOBS_FINISHED_TOTAL, &labels).increment(1);
    if let Some(seconds) = job.duration_s(now) {
        histogram!(names::JOBS_DURATION_SECONDS, &labels).record(seconds);
    }
}

/// A job ended as failed.
pub(crate) fn failed(code: FailureCode) {
    counter!(names::JOBS_FAILURES_TOTAL, "code" => code.as_str()).increment(1);
}

/// A job went back to the queue.
pub(crate) fn retried(reason: &'static str) {
    counter!(names::JOBS_RETRIES_TOTAL, "reason" => reason).increment(1);
}

/// A training process ended after `elapsed`.
pub(crate) fn trained(job: &Job, elapsed: Duration) {
    let algorithm = job.spec.algorithm.as_str();
    histogram!(names::TRAINING_DURATION_SECONDS, "algorithm" => algorithm).record(elapsed.as_secs_f64());
}

/// A write was refused because the run's claim no longer stands.
pub(crate) fn fenced() {
    counter!(names::JOBS_FENCED_WRITES_TOTAL).increment(1);
}

/// The sweep took a job whose lease ran out.
pub(crate) fn lease_lost() {
    counter!(names::JOBS_LEASES_LOST_TOTAL).increment(1);
}

/// A delivered id had no job to claim.
pub(crate) fn dropped() {
    counter!(names::QUEUE_MESSAGES_DROPPED_TOTAL, "reason" => "not_claimable").increment(1);
}

/// This process can run so many jobs, and runs none yet.
pub(crate) fn slots(count: usize) {
    gauge!(names::WORKER_SLOTS).set(count as f64);
    running(0);
}

/// So many jobs run in this process now.
pub(crate) fn running(count: usize) {
    gauge!(names::WORKER_JOBS_RUNNING).set(count as f64);
}
