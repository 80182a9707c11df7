//! The `refresh_tokens` table.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use trainyard_domain::UserId;
use trainyard_domain::session::RefreshToken;
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{execute, optional};
use crate::tx::Tx;

/// Refresh tokens.
#[derive(Debug)]
pub struct RefreshTokens<'t>(pub(crate) &'t mut Tx);

#[derive(FromRow)]
struct TokenRow {
    id: Uuid,
    family: Uuid,
    user_id: Uuid,
    token_hash: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl RefreshTokens<'_> {
    /// Adds a token.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when its hash is there, or its user isn't.
    pub async fn insert(&mut self, token: &RefreshToken) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO refresh_tokens (id, family, user_id, token_hash, created_at, expires_at, used_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            token.id,
            token.family,
            token.user_id.0,
            &token.token_hash,
            token.created_at,
            token.expires_at,
            token.used_at,
            token.revoked_at,
        )?;
        Ok(())
    }

    /// The token with this SHA-256, whatever its state.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_hash(&mut self, token_hash: &str) -> Result<Option<RefreshToken>> {
        let row: Option<TokenRow> =
            optional!(self.0, "SELECT * FROM refresh_tokens WHERE token_hash = $1", token_hash)?;
        Ok(row.map(|row| RefreshToken {
            id: row.id,
            family: row.family,
            user_id: UserId(row.user_id),
            token_hash: row.token_hash,
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
            revoked_at: row.revoked_at,
        }))
    }

    /// Spends a token: `false` when it was spent or revoked before, so of two who present it at once one is refused.
    ///
    /// # Errors
    /// As every query.
    pub async fn mark_used(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE refresh_tokens SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL",
            id,
            now,
        )?;
        Ok(changed == 1)
    }

    /// Ends every token of a family that is not ended yet; answers how many.
    ///
    /// # Errors
    /// As every query.
    pub async fn revoke_family(&mut self, family: Uuid, now: DateTime<Utc>) -> Result<u64> {
        execute!(
            self.0,
            "UPDATE refresh_tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL",
            family,
            now,
        )
    }
}
