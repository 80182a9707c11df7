//! Schemas of the events of a job.

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_domain::{Job, JobStatus};
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::{JobErrorView, KindView, PublishedView, StatusView, result_url};

/// One Server-Sent Event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobEvent)]
#[allow(dead_code, reason = "describes the format; events are serialized field by field")]
pub struct EventView {
    /// The id of the event. A client that reconnects sends the last id as `Last-Event-ID`.
    #[schema(nullable = false, example = "r7-l1000012")]
    id: Option<String>,
    /// The name of the event: `status`, `progress`, `log` or `metric`.
    #[schema(nullable = false, example = "progress")]
    event: Option<String>,
    /// A JSON object.
    #[schema(nullable = false, example = "{\"eta_s\":2.1,\"phase\":\"training\",\"progress\":0.6}")]
    data: Option<String>,
    /// Milliseconds until the client may reconnect. Only the last event of a stream that the server ends early has it.
    #[schema(nullable = false)]
    retry: Option<u64>,
}

/// The data of a `status` event.
#[derive(Debug, Serialize)]
pub struct JobStatusView<'a> {
    /// The id of the job.
    pub job_id: Uuid,
    /// The kind of work.
    pub kind: KindView,
    /// The status of the job.
    pub status: StatusView,
    /// The current or next attempt, from 1.
    pub attempt: i64,
    /// The phase of the current run.
    pub phase: Option<&'a str>,
    /// Progress of the current run, 0..1.
    pub progress: f64,
    /// Estimated seconds until a running job ends.
    pub eta_s: Option<f64>,
    /// The last failure.
    pub error: Option<JobErrorView>,
    /// The model version that a succeeded training published, or that a prediction predicts with.
    pub model: Option<PublishedView>,
    /// The URL of the result of a succeeded prediction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_url: Option<String>,
}

impl<'a> JobStatusView<'a> {
    /// The job at `now`.
    pub fn new(job: &'a Job, now: DateTime<Utc>) -> Self {
        let succeeded = job.status == JobStatus::Succeeded;
        Self {
            job_id: job.id.0,
            kind: job.spec.kind().into(),
            status: job.status.into(),
            attempt: job.attempt(),
            phase: job.phase.as_deref(),
            progress: job.progress,
            eta_s: job.eta_s(now),
            error: job.error.as_ref().filter(|_| !succeeded).map(JobErrorView::new),
            model: PublishedView::of(job),
            result_url: result_url(job),
        }
    }
}
