//! The error codes and the words of errors of failed jobs, for filters and search. Jobs that succeed never have rows here.

use sqlx::types::Json;
use trainyard_domain::job_filter::words_of_error;
use trainyard_domain::{JobError, JobId};
use uuid::Uuid;

use super::Jobs;
use crate::bulk::{BulkStatement, execute_bulk, for_ids};
use crate::error::Result;
use crate::from_row::from_row;
use crate::parse;
use crate::sql::all;
use crate::stored::{Id, Stored, StoredRow, readable};

const INSERT_CODES: BulkStatement = BulkStatement {
    postgres: "INSERT INTO job_failures (job_id, code) SELECT * FROM unnest($1::uuid[], $2::text[]) \
               ON CONFLICT (job_id) DO UPDATE SET code = excluded.code",
    sqlite: "INSERT INTO job_failures (job_id, code) VALUES ($1, $2) \
             ON CONFLICT (job_id) DO UPDATE SET code = excluded.code",
};
const INSERT_WORDS: BulkStatement = BulkStatement {
    postgres: "INSERT INTO job_failure_words (job_id, word) SELECT * FROM unnest($1::uuid[], $2::text[]) \
               ON CONFLICT (job_id, word) DO NOTHING",
    sqlite: "INSERT INTO job_failure_words (job_id, word) VALUES ($1, $2) ON CONFLICT (job_id, word) DO NOTHING",
};
const DELETE_CODES: BulkStatement = for_ids!("DELETE FROM job_failures WHERE job_id", "$1", "");
const DELETE_WORDS: BulkStatement = for_ids!("DELETE FROM job_failure_words WHERE job_id", "$1", "");

/// Position of [`Jobs::index_failures`]: the last checked job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureCursor(Uuid);

from_row! {
    struct FailedRow {
        id: Uuid,
        error: Option<Json<JobError>>,
    }
}

impl StoredRow for FailedRow {
    const TABLE: &'static str = "jobs";
    type Key = Id;
    type Value = (JobId, JobError);

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<(JobId, JobError)> {
        let error = self.error.ok_or_else(|| parse::corrupt("error"))?;
        Ok((JobId(self.id), error.0))
    }
}

impl Jobs<'_> {
    /// Stores the codes and words of failures. Call it in the transaction that finishes the jobs as failed.
    pub(super) async fn record_failures(&mut self, failures: &[(JobId, &JobError)]) -> Result<()> {
        if failures.is_empty() {
            return Ok(());
        }
        execute_bulk!(self.0, DELETE_WORDS, [], failures, |failure| [failure.0.0])?;
        execute_bulk!(self.0, INSERT_CODES, [], failures, |failure| [failure.0.0, failure.1.code.as_str()])?;
        let words: Vec<(Uuid, String)> = failures
            .iter()
            .flat_map(|(id, error)| words_of_error(error).into_iter().map(|word| (id.0, word)))
            .collect();
        execute_bulk!(self.0, INSERT_WORDS, [], words, |word| [word.0, word.1.as_str()])?;
        Ok(())
    }

    /// Deletes the codes and words of jobs that are retried or deleted.
    pub(super) async fn delete_failures(&mut self, ids: &[Uuid]) -> Result<()> {
        if !ids.is_empty() {
            execute_bulk!(self.0, DELETE_CODES, [], ids, |id| [*id])?;
            execute_bulk!(self.0, DELETE_WORDS, [], ids, |id| [*id])?;
        }
        Ok(())
    }

    /// Checks up to `limit` failed jobs after `after`, oldest first, and stores the missing codes and words: a process of an
    /// earlier version finished these jobs. Returns how many were stored, and where to continue; `None` at the end.
    pub async fn index_failures(
        &mut self,
        after: Option<FailureCursor>,
        limit: i64,
    ) -> Result<(usize, Option<FailureCursor>)> {
        let after = after.map_or(Uuid::nil(), |cursor| cursor.0);
        let checked: Vec<(Uuid,)> =
            all!(self.0, "SELECT id FROM jobs WHERE status = 'failed' AND id > $1 ORDER BY id LIMIT $2", after, limit)?;
        let Some((last,)) = checked.last().copied() else { return Ok((0, None)) };
        let rows: Vec<Stored<FailedRow>> = all!(
            self.0,
            "SELECT id, error FROM jobs WHERE status = 'failed' AND id > $1 AND id <= $2 \
             AND NOT EXISTS (SELECT 1 FROM job_failures WHERE job_failures.job_id = jobs.id)",
            after,
            last,
        )?;
        let failures = readable(rows);
        let borrowed: Vec<_> = failures.iter().map(|(id, error)| (*id, error)).collect();
        self.record_failures(&borrowed).await?;
        let more = i64::try_from(checked.len()).is_ok_and(|checked| checked >= limit);
        Ok((failures.len(), more.then_some(FailureCursor(last))))
    }
}
