//! News of many jobs in one query: what the API's watchers wait for.

use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use trainyard_domain::{Job, JobId};
use uuid::Uuid;

use super::Jobs;
use super::rows::{JobRow, both_tables, whole};
use crate::error::{Result, StorageError};
use crate::rows::{Each, for_ids, read_each};
use crate::sql::answered;
use crate::stored::{Split, Stored, readable, split};
use crate::tx::Inner;

// The primary key finds the last row of a job's log at once.
const HEADS: Each = for_ids!(
    "SELECT id, revision, COALESCE((SELECT last_seq FROM job_logs WHERE job_id = jobs.id \
     ORDER BY first_seq DESC LIMIT 1), 0) FROM jobs WHERE id",
    "$1",
    ""
);
const WHOLE: Each = for_ids!(concat!("SELECT ", whole!(), " FROM ", both_tables!(), " WHERE jobs.id"), "$1", "");
const WHOLE_NOW: &str =
    concat!("SELECT ", whole!(), ", statement_timestamp() AS now FROM ", both_tables!(), " WHERE jobs.id = ANY ($1)");

/// A job, and when it was read.
struct DatedRow {
    job: Stored<JobRow>,
    now: DateTime<Utc>,
}

impl<'r, R: Row> FromRow<'r, R> for DatedRow
where
    Stored<JobRow>: FromRow<'r, R>,
    &'static str: ColumnIndex<R>,
    DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self { job: Stored::from_row(row)?, now: row.try_get("now")? })
    }
}

/// Jobs that were read together.
#[derive(Debug)]
pub struct JobBatch {
    /// The database's time.
    pub at: DateTime<Utc>,
    /// The jobs, in no order.
    pub jobs: Vec<Job>,
    /// Jobs that are there but cannot be read, and why: [`crate::StorageError::Corrupt`].
    pub unreadable: Vec<(JobId, StorageError)>,
}

/// How far a job has come: what tells a watcher whether to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobHead {
    /// The job.
    pub id: JobId,
    /// Moves with every change of the job.
    pub revision: i64,
    /// The number of its last log line; 0 while there is none.
    pub last_seq: i64,
}

impl Jobs<'_> {
    /// How far these jobs have come, in no order; `ids` are all different. Those that are not there are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn heads(&mut self, ids: &[JobId]) -> Result<Vec<JobHead>> {
        let rows: Vec<(Uuid, i64, i64)> = read_each!(self.0, HEADS, [], ids, |id| [id.0])?;
        let head = |(id, revision, last_seq)| JobHead { id: JobId(id), revision, last_seq };
        Ok(rows.into_iter().map(head).collect())
    }

    /// These jobs, in no order; `ids` are all different. Jobs that are not there or cannot be read are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn get_many(&mut self, ids: &[JobId]) -> Result<Vec<Job>> {
        let rows: Vec<Stored<JobRow>> = read_each!(self.0, WHOLE, [], ids, |id| [id.0])?;
        Ok(readable(rows))
    }

    /// As [`Jobs::get_many`], with the database's time and the jobs that cannot be read. On Postgres it is one query,
    /// unless no job is there.
    ///
    /// # Errors
    /// As every query.
    pub async fn get_many_now(&mut self, ids: &[JobId]) -> Result<JobBatch> {
        let Inner::Postgres(session) = &mut self.0.inner else {
            let rows: Vec<Stored<JobRow>> = read_each!(self.0, WHOLE, [], ids, |id| [id.0])?;
            return Ok(batch(self.0.now().await?, rows));
        };
        let query = sqlx::query_as(WHOLE_NOW).persistent(session.prepares());
        let query = query.bind(ids.iter().map(|id| id.0).collect::<Vec<_>>());
        let outcome = answered(query.fetch_all(&mut **session)).await;
        let rows: Vec<DatedRow> = session.note(outcome)?;
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
