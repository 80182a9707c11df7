//! The parts of the results of prediction jobs.
//!
//! A run stores a part as an object and then records it here. Records and removals name the claim of the run, and write the
//! row of the job first: a run that lost its lease changes nothing, and the next run reads what earlier runs recorded.

use std::collections::HashSet;

use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::JobId;
use uuid::Uuid;

use crate::bulk::{BulkStatement, execute_bulk, for_ids, select_in};
use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute};
use crate::tx::Tx;

const DELETE: BulkStatement = for_ids!("DELETE FROM prediction_parts WHERE job_id", "$1", "");

/// A part of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionPart {
    /// Number of the part, from 0. The parts in this order are the result.
    pub number: i64,
    /// The key of its object.
    pub key: String,
    /// Number of rows, without the header.
    pub rows: i64,
    /// Size of the object.
    pub bytes: i64,
    /// SHA-256 of the object, hexadecimal.
    pub sha256: String,
    /// What the run counted in these rows.
    pub counts: Value,
}

from_row! {
    struct PartRow {
        part: i64,
        object_key: String,
        row_count: i64,
        byte_count: i64,
        sha256: String,
        counts: Json<Value>,
    }
}

/// The parts of the results of prediction jobs.
#[derive(Debug)]
pub struct Predictions<'t>(pub(crate) &'t mut Tx);

impl Predictions<'_> {
    /// Records a stored part of a run; recording it twice changes nothing. Requires a transaction. Returns `false` if the
    /// claim is no longer current.
    pub async fn record_part(&mut self, job: JobId, claim: i64, part: &PredictionPart) -> Result<bool> {
        if !self.0.jobs().hold(job, claim).await? {
            return Ok(false);
        }
        // Only the run with this claim can have recorded the same number: it continues after the parts of earlier runs.
        execute!(
            self.0,
            "INSERT INTO prediction_parts (job_id, part, object_key, row_count, byte_count, sha256, counts) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (job_id, part) DO NOTHING",
            job.0,
            part.number,
            &part.key,
            part.rows,
            part.bytes,
            &part.sha256,
            Json(&part.counts),
        )?;
        Ok(true)
    }

    /// Removes the records of part `from` and all later ones. Requires a transaction. Returns `false` if the claim is no
    /// longer current.
    pub async fn truncate(&mut self, job: JobId, claim: i64, from: i64) -> Result<bool> {
        if !self.0.jobs().hold(job, claim).await? {
            return Ok(false);
        }
        execute!(self.0, "DELETE FROM prediction_parts WHERE job_id = $1 AND part >= $2", job.0, from)?;
        Ok(true)
    }

    /// The recorded parts of a job, in order.
    pub async fn parts(&mut self, job: JobId) -> Result<Vec<PredictionPart>> {
        let rows: Vec<PartRow> = all!(
            self.0,
            "SELECT part, object_key, row_count, byte_count, sha256, counts FROM prediction_parts \
             WHERE job_id = $1 ORDER BY part",
            job.0,
        )?;
        let part = |row: PartRow| PredictionPart {
            number: row.part,
            key: row.object_key,
            rows: row.row_count,
            bytes: row.byte_count,
            sha256: row.sha256,
            counts: row.counts.0,
        };
        Ok(rows.into_iter().map(part).collect())
    }

    /// Those of `keys` that are parts of a job that succeeded or can still succeed. A failed or cancelled job that is
    /// retried starts with no parts.
    pub async fn named(&mut self, keys: &[&str]) -> Result<HashSet<String>> {
        let rows: Vec<(String,)> = select_in!(
            self.0,
            "SELECT object_key FROM prediction_parts JOIN jobs ON jobs.id = prediction_parts.job_id \
             WHERE jobs.status IN ('queued', 'running', 'succeeded') AND object_key",
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
            select_in!(self.0, "SELECT object_key FROM prediction_parts WHERE job_id", jobs, |job| *job, "")?;
        if !rows.is_empty() {
            execute_bulk!(self.0, DELETE, [], jobs, |job| [*job])?;
        }
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
