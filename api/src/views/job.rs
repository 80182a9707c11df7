//! Training jobs as clients see them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use trainyard_domain::{FailureCode, Job, JobError, JobId, JobStatus};
use trainyard_http::Principal;
use trainyard_http::schema::closed_list;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::spec::SpecView;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusView {
    /// Waits for a worker, for its time, or for its retry.
    Queued,
    /// A worker runs it.
    Running,
    /// Its model version is published.
    Succeeded,
    /// It will not run again by itself.
    Failed,
    /// Somebody stopped it.
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

/// A job that was accepted; follow `status_url`.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedView {
    /// The job.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub job_id: Uuid,
    /// Where it stood when this was answered.
    pub status: StatusView,
    /// Where to watch it.
    #[schema(example = "/training/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub status_url: String,
}

impl AcceptedView {
    /// The answer about `id` standing at `status`.
    pub fn new(id: JobId, status: JobStatus) -> Self {
        Self { job_id: id.0, status: status.into(), status_url: format!("/training/{id}") }
    }
}

/// Jobs that were accepted together.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAcceptedView {
    /// Each of them, in the order sent.
    pub jobs: Vec<AcceptedView>,
}

/// What a retry of many jobs came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetriedView {
    /// Jobs that are queued again.
    #[schema(example = 12)]
    pub retried: usize,
    /// Jobs that fit and were left out.
    #[schema(example = 1)]
    pub skipped_total: usize,
    /// The first hundred of them.
    pub skipped: Vec<SkippedView>,
    /// Whether there may be more jobs that fit: ask again.
    #[schema(example = false)]
    pub more: bool,
}

/// A job that was left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkippedView {
    /// The job.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub job_id: Uuid,
    /// Why.
    #[schema(example = "the data set that it was submitted for has been deleted")]
    pub reason: &'static str,
}

/// The model version a job published.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedView {
    /// The model's name.
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
        closed_list::<FailureCode>("Why a job failed, for programs. The list is closed; clients may match on it.")
    }
}

impl ToSchema for FailureCodeView {
    fn name() -> Cow<'static, str> {
        "FailureCode".into()
    }
}

/// Why a job failed, or why it waits for a retry.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobErrorView {
    /// What kind of failure it was.
    #[schema(value_type = FailureCodeView, example = "bad_data")]
    pub code: FailureCode,
    /// What happened, for people.
    #[schema(example = "the target has only one class")]
    pub message: String,
    /// Whether failures of this kind are tried again.
    #[schema(example = false)]
    pub retryable: bool,
    /// The last lines that the training process logged, where it logged any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "panicked: index out of bounds")]
    pub log_tail: Option<String>,
}

impl JobErrorView {
    /// The failure as clients see it.
    pub fn new(error: &JobError) -> Self {
        Self {
            code: error.code,
            message: error.message.clone(),
            retryable: error.retryable,
            log_tail: error.log_tail.clone(),
        }
    }
}

/// A training job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// Its id.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub job_id: Uuid,
    /// The model it makes a version of.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// What trains it.
    #[schema(example = "random_forest")]
    pub algorithm: &'static str,
    /// Where it stands.
    pub status: StatusView,
    /// 0..1, within the present run.
    #[schema(example = 0.42)]
    pub progress: f64,
    /// What the present run is doing.
    #[schema(required, example = "fitting")]
    pub phase: Option<String>,
    /// The attempt that runs, or will run next, from 1.
    #[schema(example = 1)]
    pub attempt: i64,
    /// How often its own retryable failures are tried.
    #[schema(example = 3)]
    pub max_attempts: i64,
    /// Higher runs first.
    #[schema(example = 0)]
    pub priority: i64,
    /// For a queued job, when asked for by id: 1 is next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    pub queue_position: Option<i64>,
    /// Seconds left at the present pace, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 4.2)]
    pub eta_s: Option<f64>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// Due from then on; moves when a retry waits.
    pub run_at: DateTime<Utc>,
    /// When its present or last run began.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub finished_at: Option<DateTime<Utc>>,
    /// Seconds of the present or last run.
    #[schema(required, example = 3.1)]
    pub duration_s: Option<f64>,
    /// The worker that runs it, or ran it last.
    #[schema(required)]
    pub worker: Option<String>,
    /// Who submitted it.
    pub created_by: Uuid,
    /// Held-out metrics of a succeeded job: `accuracy, roc_auc, log_loss, f1, confusion_matrix, feature_importances`;
    /// regression: `r2, rmse, mae`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    pub metrics: Option<Value>,
    /// What a succeeded job published.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<PublishedView>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<JobErrorView>,
    /// The training request with every default filled in and `*` expanded.
    pub spec: SpecView,
}

impl JobView {
    /// The job at `now`; `queue_position` is told for one that waits.
    pub fn new(job: Job, queue_position: Option<i64>, now: DateTime<Utc>) -> Self {
        let succeeded = job.status == JobStatus::Succeeded;
        let error = job.error.as_ref().filter(|_| !succeeded).map(JobErrorView::new);
        let model = job.model_version.filter(|_| succeeded);
        Self {
            job_id: job.id.0,
            name: job.spec.name.as_str().to_owned(),
            algorithm: job.spec.algorithm.as_str(),
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
            model: model.map(|version| PublishedView { name: job.spec.name.as_str().to_owned(), version }),
            error,
            spec: job.spec.into(),
            phase: job.phase,
            worker: job.worker,
            metrics: job.metrics.filter(|_| succeeded),
        }
    }

    /// The job as `principal` may see it: the address of a webhook is for administrators and whoever submitted the job.
    #[must_use]
    pub fn read_by(mut self, principal: &Principal) -> Self {
        if !principal.is_admin() && principal.user_id.0 != self.created_by {
            self.spec.webhook_url = None;
        }
        self
    }
}

#[cfg(test)]
mod tests;
