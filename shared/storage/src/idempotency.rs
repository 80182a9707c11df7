//! The `idempotency_keys` table: which job answered which key.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use trainyard_domain::{JobId, UserId};
use uuid::Uuid;

use crate::error::{Result, StorageError};
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
    /// The job it made.
    pub job_id: JobId,
    /// Until when the key is remembered.
    pub expires_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct RecordRow {
    body_sha256: String,
    job_id: Uuid,
    expires_at: DateTime<Utc>,
}

impl Idempotency<'_> {
    /// What `user`'s `key` stands for. The record may have expired; [`Idempotency::insert`] then replaces it.
    ///
    /// # Errors
    /// As every query.
    pub async fn find(&mut self, user: UserId, key: &str) -> Result<Option<Record>> {
        let row: Option<RecordRow> = optional!(
            self.0,
            "SELECT body_sha256, job_id, expires_at FROM idempotency_keys WHERE user_id = $1 AND key = $2",
            user.0,
            key,
        )?;
        Ok(row.map(|row| Record {
            body_sha256: row.body_sha256,
            job_id: JobId(row.job_id),
            expires_at: row.expires_at,
        }))
    }

    /// Remembers `key`, in place of an expired record of the same name.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when the key is taken: of two requests that bring it at once, the later one waits
    /// for the first to commit and lands here.
    pub async fn insert(
        &mut self,
        user: UserId,
        key: &str,
        body_sha256: &str,
        job_id: JobId,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        let changed = execute!(
            self.0,
            "INSERT INTO idempotency_keys (user_id, key, body_sha256, job_id, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (user_id, key) DO UPDATE SET body_sha256 = excluded.body_sha256, job_id = excluded.job_id, \
             created_at = excluded.created_at, expires_at = excluded.expires_at \
             WHERE idempotency_keys.expires_at <= excluded.created_at",
            user.0,
            key,
            body_sha256,
            job_id.0,
            now,
            expires_at,
        )?;
        if changed == 1 { Ok(()) } else { Err(StorageError::Conflict) }
    }

    /// Forgets the records that expired before `now`; answers how many.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete_expired(&mut self, now: DateTime<Utc>) -> Result<u64> {
        execute!(self.0, "DELETE FROM idempotency_keys WHERE expires_at < $1", now)
    }
}
