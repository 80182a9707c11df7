//! News of many jobs in one query: what the API's watchers wait for.

use trainyard_domain::{Job, JobId};
use uuid::Uuid;

use super::Jobs;
use super::rows::JobRow;
use crate::error::Result;
use crate::rows::{Lazy, Sized, parameters, read_rows};

static HEADS: Lazy = Lazy::new(|| {
    // The primary key finds the last row of a job's log at once.
    Sized::new(|ids| {
        format!(
            "SELECT id, revision, COALESCE((SELECT last_seq FROM job_logs WHERE job_id = jobs.id \
             ORDER BY first_seq DESC LIMIT 1), 0) FROM jobs WHERE id IN ({})",
            parameters(1, ids)
        )
    })
});
static WHOLE: Lazy = Lazy::new(|| Sized::new(|ids| format!("SELECT * FROM jobs WHERE id IN ({})", parameters(1, ids))));

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
    /// How far these jobs have come, in no order. Those that are not there are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn heads(&mut self, ids: &[JobId]) -> Result<Vec<JobHead>> {
        let mut heads = Vec::with_capacity(ids.len());
        for (sql, piece) in HEADS.padded(ids) {
            let rows: Vec<(Uuid, i64, i64)> = read_rows!(self.0, sql, [], piece, |id| [id.0])?;
            heads.extend(rows.into_iter().map(|(id, revision, last_seq)| JobHead {
                id: JobId(id),
                revision,
                last_seq,
            }));
        }
        Ok(heads)
    }

    /// These jobs, in no order. Those that are not there are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn get_many(&mut self, ids: &[JobId]) -> Result<Vec<Job>> {
        let mut jobs = Vec::with_capacity(ids.len());
        for (sql, piece) in WHOLE.padded(ids) {
            let rows: Vec<JobRow> = read_rows!(self.0, sql, [], piece, |id| [id.0])?;
            for row in rows {
                jobs.push(row.read()?);
            }
        }
        Ok(jobs)
    }
}
