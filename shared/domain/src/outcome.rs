//! How a run can end, and the state of the job after the run.
//!
//! [`Counts`] keeps three counts: failures use up attempts, crashes use up [`MAX_CRASHES`], interruptions use up nothing.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::job::JobStatus;

/// Why a job failed. Clients may rely on this closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The data is not suitable for the job.
    BadData,
    /// The parameters are not suitable for the data.
    BadParams,
    /// The run exceeded its memory limit.
    OutOfMemory,
    /// The run exceeded `timeout_s`.
    Timeout,
    /// The training process exceeded the limit of its output.
    OutputLimit,
    /// The training process exceeded the limit of its work folder.
    DiskLimit,
    /// The training process panicked in [`MAX_CRASHES`] runs.
    Panicked,
    /// A signal killed the training process, or the worker died, in [`MAX_CRASHES`] runs.
    Crashed,
    /// The dataset, or its object in the object store, does not exist.
    DatasetMissing,
    /// The dataset's object differs from the upload.
    DatasetCorrupt,
    /// The model version of a prediction job, or its object in the object store, does not exist.
    ModelMissing,
    /// The model's object differs from the published one.
    ModelCorrupt,
    /// The object store or the database was unavailable or full, or refused access.
    StorageUnavailable,
    /// The worker's work folder is full or not writable.
    DiskFull,
    /// The training process violated its protocol: a defect of Trainyard.
    Internal,
}

impl FailureCode {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::BadData,
        Self::BadParams,
        Self::OutOfMemory,
        Self::Timeout,
        Self::OutputLimit,
        Self::DiskLimit,
        Self::Panicked,
        Self::Crashed,
        Self::DatasetMissing,
        Self::DatasetCorrupt,
        Self::ModelMissing,
        Self::ModelCorrupt,
        Self::StorageUnavailable,
        Self::DiskFull,
        Self::Internal,
    ];

    /// The code with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The code in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::BadParams => "bad_params",
            Self::OutOfMemory => "out_of_memory",
            Self::Timeout => "timeout",
            Self::OutputLimit => "output_limit",
            Self::DiskLimit => "disk_limit",
            Self::Panicked => "panicked",
            Self::Crashed => "crashed",
            Self::DatasetMissing => "dataset_missing",
            Self::DatasetCorrupt => "dataset_corrupt",
            Self::ModelMissing => "model_missing",
            Self::ModelCorrupt => "model_corrupt",
            Self::StorageUnavailable => "storage_unavailable",
            Self::DiskFull => "disk_full",
            Self::Internal => "internal",
        }
    }

    /// Whether another attempt can succeed.
    pub fn retryable(self) -> bool {
        matches!(self, Self::StorageUnavailable | Self::DiskFull | Self::Internal)
    }
}

/// A failure, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// Kind of failure.
    pub code: FailureCode,
    /// What happened, without paths and stack traces.
    pub message: String,
    /// Whether this kind of failure is retried.
    pub retryable: bool,
    /// Log excerpt: the last lines of the training process's standard error. Absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,
}

impl JobError {
    /// A failure of this kind.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: code.retryable(), log_tail: None }
    }

    /// The same failure with a log excerpt.
    #[must_use]
    pub fn with_log_tail(self, log_tail: Option<String>) -> Self {
        Self { log_tail, ..self }
    }
}

/// How a run ended without a published model or result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// The job's own failure: spends an attempt.
    Failed(JobError),
    /// The training process or its worker died. The message names the signal, the exit status or the lost worker.
    Crashed(JobError),
    /// A drain, an eviction or a lost lease; not caused by the job.
    Interrupted,
    /// A user cancelled the job.
    Cancelled,
}

/// Counts of a job in the current series of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Failures of the job.
    pub attempts: i64,
    /// Crashes of the training process or its worker.
    pub crashes: i64,
    /// Drains, evictions, and leases lost by a live worker.
    pub interruptions: i64,
}

/// A job fails after this many crashes, whatever its `max_attempts` (a poison message).
pub const MAX_CRASHES: i64 = 3;

/// The state that follows an [`RunOutcome`].
#[derive(Debug, Clone, PartialEq)]
pub struct NextState {
    /// `queued`, `failed` or `cancelled`.
    pub status: JobStatus,
    /// The new counts.
    pub counts: Counts,
    /// When a job that returns to the queue is due.
    pub run_at: Option<DateTime<Utc>>,
    /// The failure to show, also while the job waits for a retry.
    pub error: Option<JobError>,
}

/// Decides what an ending makes of a job.
///
/// `jitter` is a uniform draw from 0..1. A job with a requested cancellation never returns to the queue.
pub fn next_state(
    ending: RunOutcome,
    counts: Counts,
    max_attempts: i64,
    cancel_requested: bool,
    now: DateTime<Utc>,
    jitter: f64,
) -> NextState {
    let mut counts = counts;
    let (retry, error) = match ending {
        RunOutcome::Cancelled => return NextState { status: JobStatus::Cancelled, counts, run_at: None, error: None },
        RunOutcome::Interrupted => {
            counts.interruptions += 1;
            (Some(now), None)
        }
        RunOutcome::Failed(error) => {
            counts.attempts += 1;
            let again = error.retryable && counts.attempts < max_attempts;
            (again.then(|| now + backoff(counts.attempts, jitter)), Some(error))
        }
        RunOutcome::Crashed(error) => {
            counts.crashes += 1;
            let (how, times) = (&error.message, counts.crashes);
            let message = format!("the training process died ({how}), {times} of {MAX_CRASHES} times");
            let again = counts.crashes < MAX_CRASHES;
            (again.then(|| now + backoff(counts.crashes, jitter)), Some(JobError { message, ..error }))
        }
    };
    match retry {
        Some(_) if cancel_requested => NextState { status: JobStatus::Cancelled, counts, run_at: None, error },
        Some(due) => NextState { status: JobStatus::Queued, counts, run_at: Some(due), error },
        None => NextState { status: JobStatus::Failed, counts, run_at: None, error },
    }
}

/// Exponential backoff with full jitter: uniform in 0..min(5 min, 2 s × 2^(n-1)) for the n-th retry.
/// ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
pub fn backoff(n: i64, jitter: f64) -> Duration {
    let doublings = u32::try_from(n - 1).unwrap_or(0).min(16);
    let ceiling_ms = (2_000_i64 << doublings).min(300_000);
    #[allow(clippy::cast_possible_truncation, reason = "at most 300,000")]
    Duration::milliseconds((ceiling_ms as f64 * jitter.clamp(0.0, 1.0)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ending: RunOutcome, counts: Counts, cancel: bool) -> NextState {
        next_state(ending, counts, 3, cancel, DateTime::UNIX_EPOCH, 0.5)
    }

    fn crash(code: FailureCode) -> RunOutcome {
        RunOutcome::Crashed(JobError::new(code, "signal 9"))
    }

    #[test]
    fn a_retryable_failure_waits_and_spends_an_attempt() {
        let failure = || RunOutcome::Failed(JobError::new(FailureCode::StorageUnavailable, "away"));
        let next = run(failure(), Counts::default(), false);
        assert_eq!((next.status, next.counts.attempts), (JobStatus::Queued, 1));
        assert_eq!(next.run_at, Some(DateTime::UNIX_EPOCH + Duration::seconds(1)));
        let last = run(failure(), Counts { attempts: 2, ..Counts::default() }, false);
        assert_eq!((last.status, last.run_at), (JobStatus::Failed, None));
    }

    #[test]
    fn a_failure_that_is_not_retryable_is_final() {
        let next = run(RunOutcome::Failed(JobError::new(FailureCode::BadData, "one class")), Counts::default(), false);
        assert_eq!((next.status, next.counts.attempts), (JobStatus::Failed, 1));
    }

    #[test]
    fn a_job_fails_after_three_crashes_whatever_its_max_attempts() {
        let mut counts = Counts::default();
        for status in [JobStatus::Queued, JobStatus::Queued, JobStatus::Failed] {
            let next = run(crash(FailureCode::Panicked), counts, false);
            assert_eq!((next.status, next.error.unwrap().code), (status, FailureCode::Panicked));
            counts = next.counts;
        }
        assert_eq!(counts, Counts { attempts: 0, crashes: 3, interruptions: 0 });
    }

    #[test]
    fn interruptions_use_up_no_attempt() {
        let next = run(RunOutcome::Interrupted, Counts { attempts: 2, crashes: 2, interruptions: 50 }, false);
        assert_eq!(next.status, JobStatus::Queued);
        assert_eq!(next.counts, Counts { attempts: 2, crashes: 2, interruptions: 51 });
    }

    #[test]
    fn a_job_with_a_requested_cancellation_does_not_return_to_the_queue() {
        for ending in [RunOutcome::Interrupted, crash(FailureCode::Crashed)] {
            assert_eq!(run(ending, Counts::default(), true).status, JobStatus::Cancelled);
        }
    }

    #[test]
    fn an_error_without_a_log_excerpt_keeps_its_json() {
        let stored = r#"{"code":"bad_data","message":"one class","retryable":false}"#;
        let error: JobError = serde_json::from_str(stored).unwrap();
        assert_eq!(error, JobError::new(FailureCode::BadData, "one class"));
        assert_eq!(serde_json::to_string(&error).unwrap(), stored);
    }

    #[test]
    fn backoff_doubles_up_to_five_minutes() {
        assert_eq!(backoff(1, 1.0), Duration::seconds(2));
        assert_eq!(backoff(3, 1.0), Duration::seconds(8));
        assert_eq!(backoff(40, 1.0), Duration::seconds(300));
        assert_eq!(backoff(40, 0.0), Duration::zero());
    }
}
