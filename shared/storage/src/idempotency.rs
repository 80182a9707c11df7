//! The `idempotency_keys` table: the jobs of each idempotency key.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::{JobId, UserId};
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::from_row::from_row;
use crate::sql::{execute, optional};
use crate::tx::Tx;

/// Idempotency keys.
#[derive(Debug)]
pub struct Idempotency<'t>(pub(crate) &'t mut Tx);

/// The record of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// SHA-256 of the request body, hexadecimal.
    pub body_sha256: String,
    /// The submitted jobs, in the order of the request.
    pub jobs: Vec<JobId>,
    /// When the key expires.
    pub expires_at: DateTime<Utc>,
}

from_row! {
    struct RecordRow {
        body_sha256: String,
        job_id: Uuid,
        job_ids: Option<Json<Vec<JobId>>>,
        expires_at: DateTime<Utc>,
    }
}

impl Idempotency<'_> {
    /// The record of a user's key. It may have expired; [`Idempotency::insert`] replaces an expired record.
    pub async fn find(&mut self, user: UserId, key: &str) -> Result<Option<Record>> {
        let row: Option<RecordRow> = optional!(
            self.0,
            "SELECT body_sha256, job_id, job_ids, expires_at FROM idempotency_keys WHERE user_id = $1 AND key = $2",
            user.0,
            key,
        )?;
        Ok(row.map(|row| Record {
            body_sha256: row.body_sha256,
            jobs: row.job_ids.map_or_else(|| vec![JobId(row.job_id)], |ids| ids.0),
            expires_at: row.expires_at,
        }))
    }

    /// Stores the jobs (at least one) of `key`. Replaces an expired record.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if the key is taken. Of two concurrent requests, the second one waits for the commit of
    /// the first and then gets this error.
    pub async fn insert(
        &mut self,
        user: UserId,
        key: &str,
        body_sha256: &str,
        jobs: &[JobId],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        let first = jobs.first().map(|id| id.0);
        let changed = execute!(
            self.0,
            "INSERT INTO idempotency_keys (user_id, key, body_sha256, job_id, created_at, expires_at, job_ids) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (user_id, key) DO UPDATE SET body_sha256 = excluded.body_sha256, job_id = excluded.job_id, \
             job_ids = excluded.job_ids, created_at = excluded.created_at, expires_at = excluded.expires_at \
             WHERE idempotency_keys.expires_at <= excluded.created_at",
            user.0,
            key,
            body_sha256,
            first,
            now,
            expires_at,
            (jobs.len() > 1).then_some(Json(jobs)),
        )?;
        if changed == 1 { Ok(()) } else { Err(StorageError::Conflict) }
    }
}
