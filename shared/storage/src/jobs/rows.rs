//! Rows of `jobs` joined with `job_orders`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Column as _, ColumnIndex, Decode, FromRow, Row, Type};
use trainyard_domain::outcome::Counts;
use trainyard_domain::{DatasetId, Job, JobError, JobId, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::parse;
use crate::stored::{Id, StoredRow};

/// The columns of `jobs` for a [`JobRow`], without those that only the queue's indexes need.
macro_rules! job_columns {
    () => {
        "jobs.id, jobs.status, jobs.created_by, jobs.created_at, jobs.run_at, jobs.attempts, jobs.crashes, \
         jobs.interruptions, jobs.claim, jobs.worker, jobs.lease_expires_at, jobs.cancel_requested_at, jobs.progress, \
         jobs.phase, jobs.started_at, jobs.finished_at, jobs.metrics, jobs.model_version, jobs.error, jobs.revision"
    };
}

/// The columns of `job_orders` for a [`JobRow`].
macro_rules! order_columns {
    () => {
        "job_orders.spec, job_orders.dataset_id, job_orders.request_id, job_orders.traceparent"
    };
}

/// All columns of a [`JobRow`], in its order.
macro_rules! all_columns {
    () => {
        concat!(crate::jobs::rows::job_columns!(), ", ", crate::jobs::rows::order_columns!())
    };
}

/// The tables of a [`JobRow`].
macro_rules! job_tables {
    () => {
        "jobs JOIN job_orders ON job_orders.id = jobs.id"
    };
}

pub(super) use {all_columns, job_columns, job_tables, order_columns};

/// A job's columns.
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

/// Decodes the first columns of a row by position, because finding two dozen columns by name takes longer than decoding
/// them.
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

/// A type that a column can be decoded as.
trait Column<'r, R: Row>: Decode<'r, R::Database> + Type<R::Database> {}
impl<'r, R: Row, T: Decode<'r, R::Database> + Type<R::Database>> Column<'r, R> for T {}

/// Decodes the columns of a row in order.
struct InOrder<'r, R>(&'r R, usize);

impl<'r, R: Row> InOrder<'r, R>
where
    usize: ColumnIndex<R>,
{
    fn column<T: Decode<'r, R::Database> + Type<R::Database>>(&mut self) -> sqlx::Result<T> {
        self.1 += 1;
        let index = self.1 - 1;
        self.0.try_get(index).map_err(|error| match error {
            // Report the column's name instead of its number.
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
            spec: parse::spec(&self.spec)?,
            dataset_id: DatasetId(self.dataset_id),
            created_by: UserId(self.created_by),
            status: parse::status(&self.status)?,
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
