//! News of many jobs in one query: what the API's watchers wait for.

use std::sync::LazyLock;

use sqlx::AssertSqlSafe;
use trainyard_domain::{Job, JobId};
use uuid::Uuid;

use super::Jobs;
use super::rows::JobRow;
use crate::error::Result;
use crate::sql::answered;
use crate::tx::Inner;

/// Jobs asked for in one statement. A shorter list names its last job again, so that one text serves every length.
const BATCH: usize = 100;

static NAMED: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<_> = (1..=BATCH).map(|place| format!("${place}")).collect();
    format!("id IN ({})", places.join(", "))
});
static HEADS: LazyLock<String> = LazyLock::new(|| {
    // The primary key finds the last row of a job's log at once.
    format!(
        "SELECT id, revision, COALESCE((SELECT last_seq FROM job_logs WHERE job_id = jobs.id \
         ORDER BY first_seq DESC LIMIT 1), 0) FROM jobs WHERE {}",
        *NAMED
    )
});
static WHOLE: LazyLock<String> = LazyLock::new(|| format!("SELECT * FROM jobs WHERE {}", *NAMED));

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

/// Runs a `SELECT` over jobs named by id, a batch at a time.
macro_rules! select {
    ($row:ty, $tx:expr, $sql:expr, $ids:expr) => {{
        let mut rows: Vec<$row> = Vec::with_capacity($ids.len());
        for batch in $ids.chunks(BATCH) {
            let padded = (0..BATCH).filter_map(|i| batch.get(i).or(batch.last()));
            let found: Vec<$row> = match &mut $tx.inner {
                Inner::Postgres(tx) => {
                    let query = sqlx::query_as(AssertSqlSafe($sql.as_str()));
                    answered(padded.fold(query, |query, id| query.bind(id.0)).fetch_all(&mut **tx)).await?
                }
                Inner::Sqlite(tx, _) => {
                    let query = sqlx::query_as(AssertSqlSafe($sql.as_str()));
                    answered(padded.fold(query, |query, id| query.bind(id.0)).fetch_all(&mut **tx)).await?
                }
            };
            rows.extend(found);
        }
        rows
    }};
}

impl Jobs<'_> {
    /// How far these jobs have come, in no order. Those that are not there are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn heads(&mut self, ids: &[JobId]) -> Result<Vec<JobHead>> {
        let rows = select!((Uuid, i64, i64), self.0, HEADS, ids);
        Ok(rows.into_iter().map(|(id, revision, last_seq)| JobHead { id: JobId(id), revision, last_seq }).collect())
    }

    /// These jobs, in no order. Those that are not there are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn get_many(&mut self, ids: &[JobId]) -> Result<Vec<Job>> {
        let rows = select!(JobRow, self.0, WHOLE, ids);
        rows.into_iter().map(JobRow::read).collect()
    }
}
