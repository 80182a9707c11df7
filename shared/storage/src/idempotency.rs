//! The `idempotency_keys` table: which jobs answered which key.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use trainyard_domain::{JobId, UserId};
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::from_row::from_row;
use crate::sql::{execute, optional};
use crate::tx::Tx;

/// Answers already given to requests with an idempotency key.
#[derive(Debug)]
pub struct Idempotency<'t>(pub(crate) &'t mut Tx);

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// SHA-256 of the body it came with, hexadecimal.
    pub body_sha256: String,
    /// The jobs it made, in the order they were sent: one, or those of a bulk submission.
    pub jobs: Vec<JobId>,
    /// Until when the key is remembered.
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
    /// What `user`'s `key` stands for. The record may have expired; [`Idempotency::insert`] then replaces it.
    ///
    /// # Errors
    /// As every query.
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

    /// Remembers what `key` made (one job at least), in place of an expired record of the same name.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when the key is taken: of two requests that bring it at once, the later one waits
    /// for the first to commit and lands here.
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
