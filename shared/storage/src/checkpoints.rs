//! The last checkpoints of training jobs.
//!
//! A run stores a checkpoint as an object and then records it here. As with the parts of predictions, a record names the claim
//! of the run and writes the row of the job first: a run that lost its lease changes nothing, and the next run reads what
//! earlier runs recorded.

use std::collections::HashSet;

use trainyard_domain::JobId;
use uuid::Uuid;

use crate::bulk::{BulkStatement, execute_bulk, for_ids, select_in};
use crate::error::Result;
use crate::sql::{execute, optional};
use crate::tx::Tx;

const DELETE: BulkStatement = for_ids!("DELETE FROM checkpoints WHERE job_id", "$1", "");

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The key of its object.
    pub key: String,
    /// Size of the object.
    pub bytes: i64,
    /// SHA-256 of the object, hexadecimal.
    pub sha256: String,
}

/// What recording a checkpoint did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// The checkpoint is the last one of its job.
    Stored {
        /// The key of the checkpoint before, which is not needed any more.
        replaced: Option<String>,
    },
    /// The claim is no longer current, and nothing changed.
    Fenced,
}

/// The last checkpoints of training jobs.
#[derive(Debug)]
pub struct Checkpoints<'t>(pub(crate) &'t mut Tx);

impl Checkpoints<'_> {
    /// Records a stored checkpoint of a run as the last one of its job. Requires a transaction.
    pub async fn record(&mut self, job: JobId, claim: i64, checkpoint: &Checkpoint) -> Result<RecordOutcome> {
        if !self.0.jobs().hold(job, claim).await? {
            return Ok(RecordOutcome::Fenced);
        }
        let before = self.last(job).await?;
        execute!(
            self.0,
            "INSERT INTO checkpoints (job_id, object_key, byte_count, sha256) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (job_id) DO UPDATE SET object_key = excluded.object_key, byte_count = excluded.byte_count, \
             sha256 = excluded.sha256",
            job.0,
            &checkpoint.key,
            checkpoint.bytes,
            &checkpoint.sha256,
        )?;
        // The commit of the same record may have been reported as failed.
        let replaced = before.map(|before| before.key).filter(|key| *key != checkpoint.key);
        Ok(RecordOutcome::Stored { replaced })
    }

    /// The last checkpoint of a job.
    pub async fn last(&mut self, job: JobId) -> Result<Option<Checkpoint>> {
        let row: Option<(String, i64, String)> =
            optional!(self.0, "SELECT object_key, byte_count, sha256 FROM checkpoints WHERE job_id = $1", job.0)?;
        Ok(row.map(|(key, bytes, sha256)| Checkpoint { key, bytes, sha256 }))
    }

    /// Deletes the record of a job that has succeeded.
    pub async fn remove(&mut self, job: JobId) -> Result<()> {
        execute!(self.0, "DELETE FROM checkpoints WHERE job_id = $1", job.0).map(drop)
    }

    /// Those of `keys` that are checkpoints of a job that can still succeed. A failed or cancelled job that is retried starts
    /// without a checkpoint.
    pub async fn named(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let rows: Vec<(String,)> = select_in!(
            self.0,
            "SELECT object_key FROM checkpoints JOIN jobs ON jobs.id = checkpoints.job_id \
             WHERE jobs.status IN ('queued', 'running') AND object_key",
            keys,
            |key| *key,
            ""
        )?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }

    /// Deletes the records of jobs that are deleted or retried. Returns the keys of the objects.
    pub(crate) async fn delete(&mut self, jobs: &[Uuid]) -> Result<Vec<String>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(String,)> =
            select_in!(self.0, "SELECT object_key FROM checkpoints WHERE job_id", jobs, |job| *job, "")?;
        if !rows.is_empty() {
            execute_bulk!(self.0, DELETE, [], jobs, |job| [*job])?;
        }
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
