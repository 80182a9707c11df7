//! A job from its two rows, as both drivers read it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Column as _, ColumnIndex, Decode, FromRow, Row, Type};
use trainyard_domain::outcome::Counts;
use trainyard_domain::{DatasetId, Job, JobError, JobId, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::read_back;
use crate::stored::{Id, StoredRow};

/// The columns of `jobs` that make a job: all but those that repeat its `spec` and its `run_at` for the queue's order.
macro_rules! job_columns {
    () => {
        "jobs.id, jobs.status, jobs.created_by, jobs.created_at, jobs.run_at, jobs.attempts, jobs.crashes, \
         jobs.interruptions, jobs.claim, jobs.worker, jobs.lease_expires_at, jobs.cancel_requested_at, jobs.progress, \
         jobs.phase, jobs.started_at, jobs.finished_at, jobs.metrics, jobs.model_version, jobs.error, jobs.revision"
    };
}

/// The columns of `job_orders` that make a job, with those above.
macro_rules! order_columns {
    () => {
        "job_orders.spec, job_orders.dataset_id, job_orders.request_id, job_orders.traceparent"
    };
}

/// All of them, for a [`JobRow`].
macro_rules! whole {
    () => {
        concat!(crate::jobs::rows::job_columns!(), ", ", crate::jobs::rows::order_columns!())
    };
}

/// Where the columns of [`whole`] are read from.
macro_rules! both_tables {
    () => {
        "jobs JOIN job_orders ON job_orders.id = jobs.id"
    };
}

pub(super) use {both_tables, job_columns, order_columns, whole};

/// What [`whole`] names.
pub(super) struct JobRow {
    id: Uuid,
    status: String,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    run_at: DateTime<Utc>,
    attempts: i64,
    crashes: i64,
    interruptions: i64,
    claim: i64,
    worker: Option<String>,
    lease_expires_at: Option<DateTime<Utc>>,
    cancel_requested_at: Option<DateTime<Utc>>,
    progress: f64,
    phase: Option<String>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    metrics: Option<Json<Value>>,
    model_version: Option<i64>,
    error: Option<Json<JobError>>,
    revision: i64,
    spec: String,
    dataset_id: Uuid,
    request_id: Option<String>,
    traceparent: Option<String>,
}

/// Reads the columns of [`whole`] in their order, which a row has to begin with: to look two dozen up by their names takes
/// longer than to read them.
impl<'r, R: Row> FromRow<'r, R> for JobRow
where
    usize: ColumnIndex<R>,
    Uuid: Column<'r, R>,
    String: Column<'r, R>,
    i64: Column<'r, R>,
    f64: Column<'r, R>,
    DateTime<Utc>: Column<'r, R>,
    Json<Value>: Column<'r, R>,
    Json<JobError>: Column<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let mut next = InOrder(row, 0);
        Ok(Self {
            id: next.column()?,
            status: next.column()?,
            created_by: next.column()?,
            created_at: next.column()?,
            run_at: next.column()?,
            attempts: next.column()?,
            crashes: next.column()?,
            interruptions: next.column()?,
            claim: next.column()?,
            worker: next.column()?,
            lease_expires_at: next.column()?,
            cancel_requested_at: next.column()?,
            progress: next.column()?,
            phase: next.column()?,
            started_at: next.column()?,
            finished_at: next.column()?,
            metrics: next.column()?,
            model_version: next.column()?,
            error: next.column()?,
            revision: next.column()?,
            spec: next.column()?,
            dataset_id: next.column()?,
            request_id: next.column()?,
            traceparent: next.column()?,
        })
    }
}

/// What a column of such a row can be read as.
trait Column<'r, R: Row>: Decode<'r, R::Database> + Type<R::Database> {}
impl<'r, R: Row, T: Decode<'r, R::Database> + Type<R::Database>> Column<'r, R> for T {}

/// The columns of a row, one after the other.
struct InOrder<'r, R>(&'r R, usize);

impl<'r, R: Row> InOrder<'r, R>
where
    usize: ColumnIndex<R>,
{
    fn column<T: Decode<'r, R::Database> + Type<R::Database>>(&mut self) -> sqlx::Result<T> {
        self.1 += 1;
        let index = self.1 - 1;
        self.0.try_get(index).map_err(|error| match error {
            // The name tells more than the number.
            sqlx::Error::ColumnDecode { source, .. } => {
                sqlx::Error::ColumnDecode { index: self.0.column(index).name().to_owned(), source }
            }
            other => other,
        })
    }
}

impl StoredRow for JobRow {
    const TABLE: &'static str = "jobs";
    type Key = Id;
    type Value = Job;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<Job> {
        Ok(Job {
            id: JobId(self.id),
            spec: read_back::spec(&self.spec)?,
            dataset_id: DatasetId(self.dataset_id),
            created_by: UserId(self.created_by),
            status: read_back::status(&self.status)?,
            counts: Counts { attempts: self.attempts, crashes: self.crashes, interruptions: self.interruptions },
            claim: self.claim,
            worker: self.worker,
            lease_expires_at: self.lease_expires_at,
            cancel_requested_at: self.cancel_requested_at,
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
            traceparent: self.traceparent,
            revision: self.revision,
        })
    }
}
