//! What an event of status tells of a job.

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_domain::{Job, JobStatus};
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::{JobErrorView, PublishedView, StatusView};

/// One Server-Sent Event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobEvent)]
#[allow(dead_code, reason = "described, never made: events are written line by line")]
pub struct EventView {
    /// Where a client that lost its stream goes on: it sends the last one as `Last-Event-ID`.
    #[schema(nullable = false, example = "r7-l1000012")]
    id: Option<String>,
    /// What the event is about: `status`, `progress`, `log` or `metric`.
    #[schema(nullable = false, example = "progress")]
    event: Option<String>,
    /// A JSON object.
    #[schema(nullable = false, example = "{\"eta_s\":2.1,\"phase\":\"training\",\"progress\":0.6}")]
    data: Option<String>,
    /// Milliseconds after which to open the stream again: in the last event of a stream that the server ends early.
    #[schema(nullable = false)]
    retry: Option<u64>,
}

/// Where a job stands, in short.
#[derive(Debug, Serialize)]
pub struct JobStatusView<'a> {
    /// The job.
    pub job_id: Uuid,
    /// Where it stands.
    pub status: StatusView,
    /// The attempt that runs, or will run next, from 1.
    pub attempt: i64,
    /// What the present run is doing.
    pub phase: Option<&'a str>,
    /// 0..1, within the present run.
    pub progress: f64,
    /// Seconds left at the present pace, while it runs.
    pub eta_s: Option<f64>,
    /// The last failure.
    pub error: Option<JobErrorView>,
    /// What a succeeded job published.
    pub model: Option<PublishedView>,
}

impl<'a> JobStatusView<'a> {
    /// The job at `now`.
    pub fn new(job: &'a Job, now: DateTime<Utc>) -> Self {
        let succeeded = job.status == JobStatus::Succeeded;
        let published = |version| PublishedView { name: job.spec.name.as_str().to_owned(), version };
        Self {
            job_id: job.id.0,
            status: job.status.into(),
            attempt: job.attempt(),
            phase: job.phase.as_deref(),
            progress: job.progress,
            eta_s: job.eta_s(now),
            error: job.error.as_ref().filter(|_| !succeeded).map(JobErrorView::new),
            model: job.model_version.filter(|_| succeeded).map(published),
        }
    }
}
