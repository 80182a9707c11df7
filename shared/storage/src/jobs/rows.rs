//! A row of `jobs`, as both drivers read it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use trainyard_domain::outcome::Counts;
use trainyard_domain::{DatasetId, Job, JobError, JobId, JobSpec, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::read_back;

/// Every column but those that only repeat the `spec` for lists and the queue's order.
#[derive(FromRow)]
pub(super) struct JobRow {
    id: Uuid,
    spec: Json<JobSpec>,
    created_by: Uuid,
    dataset_id: Uuid,
    status: String,
    attempts: i64,
    crashes: i64,
    interruptions: i64,
    claim: i64,
    worker: Option<String>,
    lease_expires_at: Option<DateTime<Utc>>,
    cancel_requested_at: Option<DateTime<Utc>>,
    dispatched_at: Option<DateTime<Utc>>,
    run_at: DateTime<Utc>,
    progress: f64,
    phase: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    metrics: Option<Json<Value>>,
    model_version: Option<i64>,
    error: Option<Json<JobError>>,
    request_id: Option<String>,
    revision: i64,
}

impl JobRow {
    pub(super) fn read(self) -> Result<Job> {
        Ok(Job {
            id: JobId(self.id),
            spec: self.spec.0,
            dataset_id: DatasetId(self.dataset_id),
            created_by: UserId(self.created_by),
            status: read_back::status(&self.status)?,
            counts: Counts { attempts: self.attempts, crashes: self.crashes, interruptions: self.interruptions },
            claim: self.claim,
            worker: self.worker,
            lease_expires_at: self.lease_expires_at,
            cancel_requested_at: self.cancel_requested_at,
            dispatched_at: self.dispatched_at,
            run_at: self.run_at,
            progress: self.progress,
            phase: self.phase,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            metrics: self.metrics.map(|metrics| metrics.0),
            model_version: self.model_version,
            error: self.error.map(|error| error.0),
            request_id: self.request_id,
            revision: self.revision,
        })
    }
}
