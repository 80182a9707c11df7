//! Schemas of jobs.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use trainyard_domain::webhook::result_path;
use trainyard_domain::{FailureCode, Job, JobError, JobId, JobKind, JobStatus, Work};
use trainyard_http::Principal;
use trainyard_http::schema::closed_list;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::metrics::{JobMetricsView, without_curves};
use super::spec::JobSpecView;

/// The status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusView {
    /// The job waits for a worker, for `run_at`, or for a retry.
    Queued,
    /// A worker runs the job.
    Running,
    /// The job has published a model version or a result.
    Succeeded,
    /// The job has failed and is not retried automatically.
    Failed,
    /// The job was cancelled.
    Cancelled,
}

impl From<JobStatus> for StatusView {
    fn from(status: JobStatus) -> Self {
        match status {
            JobStatus::Queued => Self::Queued,
            JobStatus::Running => Self::Running,
            JobStatus::Succeeded => Self::Succeeded,
            JobStatus::Failed => Self::Failed,
            JobStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// The kind of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KindView {
    /// The job trains a version of a model.
    Training,
    /// The job predicts the rows of a dataset.
    Prediction,
}

impl From<JobKind> for KindView {
    fn from(kind: JobKind) -> Self {
        match kind {
            JobKind::Training => Self::Training,
            JobKind::Prediction => Self::Prediction,
        }
    }
}

/// An accepted job. Poll `status_url` for its status.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedView {
    /// The id of the job.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub job_id: Uuid,
    /// The status of the job at the time of the response.
    pub status: StatusView,
    /// The URL of the job.
    #[schema(example = "/training/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub status_url: String,
}

impl AcceptedView {
    /// The response for the job `id` in `status`.
    pub fn new(id: JobId, status: JobStatus) -> Self {
        Self { job_id: id.0, status: status.into(), status_url: format!("/training/{id}") }
    }
}

/// The jobs of a bulk submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAcceptedView {
    /// The jobs, in the order of the request.
    pub jobs: Vec<AcceptedView>,
}

/// The number of jobs that match a filter.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobCountView {
    /// The number of jobs, at most 100,000.
    #[schema(example = 4211)]
    pub count: i64,
    /// Whether there are more.
    #[schema(example = false)]
    pub more: bool,
}

/// The result of a retry of many jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetriedView {
    /// The number of jobs that were queued again.
    #[schema(example = 12)]
    pub retried: usize,
    /// The number of matching jobs that were skipped.
    #[schema(example = 1)]
    pub skipped_total: usize,
    /// The first hundred skipped jobs.
    pub skipped: Vec<SkippedView>,
    /// Whether more jobs may match. Send the request again.
    #[schema(example = false)]
    pub more: bool,
}

/// A job that was skipped.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkippedView {
    /// The id of the job.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub job_id: Uuid,
    /// Why the job was skipped.
    #[schema(example = "its dataset has been deleted")]
    pub reason: String,
}

/// A version of a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedView {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The version.
    #[schema(example = 3)]
    pub version: i64,
}

/// The schema of [`FailureCode`].
pub struct FailureCodeView;

impl PartialSchema for FailureCodeView {
    fn schema() -> RefOr<Schema> {
        closed_list::<FailureCode>("Why a job failed, for programs. No other codes exist; clients may match on them.")
    }
}

impl ToSchema for FailureCodeView {
    fn name() -> Cow<'static, str> {
        "FailureCode".into()
    }
}

impl PublishedView {
    /// The version that a training job has published, or that a prediction job predicts with.
    pub(super) fn of(job: &Job) -> Option<Self> {
        let version = match &job.spec.work {
            Work::Training(_) => job.model_version.filter(|_| job.status == JobStatus::Succeeded)?,
            Work::Prediction(prediction) => prediction.version,
        };
        Some(Self { name: job.spec.name.as_str().to_owned(), version })
    }
}

/// The path of the result of a succeeded prediction job.
pub(super) fn result_url(job: &Job) -> Option<String> {
    let has_result = job.status == JobStatus::Succeeded && job.spec.kind() == JobKind::Prediction;
    has_result.then(|| result_path(job.id))
}

/// The last failure of a job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobErrorView {
    /// The kind of failure.
    #[schema(value_type = FailureCodeView, example = "bad_data")]
    pub code: FailureCode,
    /// The failure in words, for people.
    #[schema(example = "the target has only one class")]
    pub message: String,
    /// Whether failures of this kind are retried.
    #[schema(example = false)]
    pub retryable: bool,
    /// The last log lines of the training process, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "panicked: index out of bounds")]
    pub log_tail: Option<String>,
}

impl JobErrorView {
    /// The schema of `error`.
    pub fn new(error: &JobError) -> Self {
        Self {
            code: error.code,
            message: error.message.clone(),
            retryable: error.retryable,
            log_tail: error.log_tail.clone(),
        }
    }
}

/// A training or prediction job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// The id of the job.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub job_id: Uuid,
    /// The kind of work.
    pub kind: KindView,
    /// The model that the job trains a version of, or predicts with.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The algorithm of the model.
    #[schema(example = "random_forest")]
    pub algorithm: &'static str,
    /// The status.
    pub status: StatusView,
    /// Progress of the current run, 0..1.
    #[schema(example = 0.42)]
    pub progress: f64,
    /// The phase of the current run.
    #[schema(required, example = "fitting")]
    pub phase: Option<String>,
    /// The current or next attempt, from 1.
    #[schema(example = 1)]
    pub attempt: i64,
    /// Most attempts, if the job fails with retryable errors.
    #[schema(example = 3)]
    pub max_attempts: i64,
    /// The priority. Jobs with a higher priority run first.
    #[schema(example = 0)]
    pub priority: i64,
    /// The queue position of a queued job, from 1. Only the response for a single job has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    pub queue_position: Option<i64>,
    /// Estimated seconds until a running job ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 4.2)]
    pub eta_s: Option<f64>,
    /// When the job was accepted.
    pub created_at: DateTime<Utc>,
    /// The job does not run before this time. A retry with backoff moves it.
    pub run_at: DateTime<Utc>,
    /// When the current or last run began.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When the job ended.
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
    /// Duration of the current or last run, in seconds.
    #[schema(required, example = 3.1)]
    pub duration_s: Option<f64>,
    /// The worker of the current or last run.
    #[schema(required)]
    pub worker: Option<String>,
    /// The account that submitted the job.
    pub created_by: Uuid,
    /// Metrics of a succeeded job: of a training on the held-out part, of a prediction what it counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<JobMetricsView>)]
    pub metrics: Option<Value>,
    /// The model version that a succeeded training published, or that a prediction predicts with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<PublishedView>,
    /// The URL of the result of a succeeded prediction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/predictions/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11/result")]
    pub result_url: Option<String>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<JobErrorView>,
    /// The request with all defaults. A training has `*` expanded, a prediction its alias resolved.
    pub spec: JobSpecView,
}

impl JobView {
    /// The job at `now`. `queue_position` is used for a queued job only.
    pub fn new(job: Job, queue_position: Option<i64>, now: DateTime<Utc>) -> Self {
        let succeeded = job.status == JobStatus::Succeeded;
        let error = job.error.as_ref().filter(|_| !succeeded).map(JobErrorView::new);
        Self {
            job_id: job.id.0,
            kind: job.spec.kind().into(),
            name: job.spec.name.as_str().to_owned(),
            algorithm: job.spec.algorithm().as_str(),
            status: job.status.into(),
            progress: job.progress,
            attempt: job.attempt(),
            max_attempts: job.spec.max_attempts,
            priority: job.spec.priority,
            queue_position: queue_position.filter(|_| job.status == JobStatus::Queued),
            eta_s: job.eta_s(now),
            created_at: job.created_at,
            run_at: job.run_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            duration_s: job.duration_s(now),
            created_by: job.created_by.0,
            model: PublishedView::of(&job),
            result_url: result_url(&job),
            error,
            spec: job.spec.into(),
            phase: job.phase,
            worker: job.worker,
            metrics: job.metrics.filter(|_| succeeded),
        }
    }

    /// Removes the curves and the counts by column of the metrics, for lists.
    #[must_use]
    pub fn without_curves(mut self) -> Self {
        self.metrics.iter_mut().for_each(without_curves);
        self
    }

    /// Removes what `principal` may not read: only administrators and the submitter of the job may read the webhook URL.
    #[must_use]
    pub fn visible_to(mut self, principal: &Principal) -> Self {
        if !principal.is_admin() && principal.user_id.0 != self.created_by {
            self.spec.hide_webhook_url();
        }
        self
    }
}

#[cfg(test)]
mod tests;
