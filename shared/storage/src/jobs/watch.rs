//! Queries of many jobs, for the API's event streams and lookups.

use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use trainyard_domain::{Job, JobId};
use uuid::Uuid;

use super::Jobs;
use super::rows::{JobRow, all_columns, job_tables};
use crate::bulk::{BulkStatement, fetch_bulk, for_ids};
use crate::error::{Result, StorageError};
use crate::sql::with_timeout;
use crate::stored::{Split, Stored, readable, split};
use crate::tx::Inner;

// The primary key finds the last row of a job's log.
const REVISIONS: BulkStatement = for_ids!(
    "SELECT id, revision, COALESCE((SELECT last_seq FROM job_logs WHERE job_id = jobs.id \
     ORDER BY first_seq DESC LIMIT 1), 0) FROM jobs WHERE id",
    "$1",
    ""
);
const JOBS: BulkStatement =
    for_ids!(concat!("SELECT ", all_columns!(), " FROM ", job_tables!(), " WHERE jobs.id"), "$1", "");
const JOBS_WITH_TIME: &str = concat!(
    "SELECT ",
    all_columns!(),
    ", statement_timestamp() AS now FROM ",
    job_tables!(),
    " WHERE jobs.id = ANY ($1)"
);

/// A job with the time of the query.
struct TimedRow {
    job: Stored<JobRow>,
    now: DateTime<Utc>,
}

impl<'r, R: Row> FromRow<'r, R> for TimedRow
where
    Stored<JobRow>: FromRow<'r, R>,
    &'static str: ColumnIndex<R>,
    DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self { job: Stored::from_row(row)?, now: row.try_get("now")? })
    }
}

/// Jobs from one query.
#[derive(Debug)]
pub struct JobBatch {
    /// The database's time.
    pub at: DateTime<Utc>,
    /// The jobs, in no order.
    pub jobs: Vec<Job>,
    /// Unreadable jobs, with [`crate::StorageError::Corrupt`].
    pub unreadable: Vec<(JobId, StorageError)>,
}

/// The revision of a job and its log: whether a watcher must read the job again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRevision {
    /// The job.
    pub id: JobId,
    /// Increases with every visible change of the job.
    pub revision: i64,
    /// Sequence number of the last log line, or 0.
    pub last_seq: i64,
}

impl Jobs<'_> {
    /// The revisions of these distinct jobs, in no order. Missing jobs are left out.
    pub async fn job_revisions(&mut self, ids: &[JobId]) -> Result<Vec<JobRevision>> {
        let rows: Vec<(Uuid, i64, i64)> = fetch_bulk!(self.0, REVISIONS, [], ids, |id| [id.0])?;
        let head = |(id, revision, last_seq)| JobRevision { id: JobId(id), revision, last_seq };
        Ok(rows.into_iter().map(head).collect())
    }

    /// These distinct jobs, in no order. Missing and unreadable jobs are left out.
    pub async fn get_many(&mut self, ids: &[JobId]) -> Result<Vec<Job>> {
        let rows: Vec<Stored<JobRow>> = fetch_bulk!(self.0, JOBS, [], ids, |id| [id.0])?;
        Ok(readable(rows))
    }

    /// As [`Jobs::get_many`], with the database's time and the unreadable jobs. One query on Postgres, unless all jobs are
    /// missing.
    pub async fn get_many_with_time(&mut self, ids: &[JobId]) -> Result<JobBatch> {
        let Inner::Postgres(session) = &mut self.0.inner else {
            let rows: Vec<Stored<JobRow>> = fetch_bulk!(self.0, JOBS, [], ids, |id| [id.0])?;
            return Ok(batch(self.0.now().await?, rows));
        };
        let query = sqlx::query_as(JOBS_WITH_TIME).persistent(session.prepares());
        let query = query.bind(ids.iter().map(|id| id.0).collect::<Vec<_>>());
        let outcome = with_timeout(query.fetch_all(&mut **session)).await;
        let rows: Vec<TimedRow> = session.note(outcome)?;
        let now = match rows.first() {
            Some(row) => row.now,
            None => self.0.now().await?,
        };
        Ok(batch(now, rows.into_iter().map(|row| row.job).collect()))
    }
}

fn batch(at: DateTime<Utc>, rows: Vec<Stored<JobRow>>) -> JobBatch {
    let Split { values: jobs, unreadable } = split(rows);
    JobBatch { at, jobs, unreadable: unreadable.into_iter().map(|(id, error)| (JobId(id.0), error)).collect() }
}
