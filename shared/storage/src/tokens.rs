//! The `refresh_tokens` table.

use chrono::{DateTime, Utc};
use trainyard_domain::UserId;
use trainyard_domain::session::RefreshToken;
use uuid::Uuid;

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{execute, optional};
use crate::tx::Tx;

/// Refresh tokens.
#[derive(Debug)]
pub struct RefreshTokens<'t>(pub(crate) &'t mut Tx);

from_row! {
    struct TokenRow {
        id: Uuid,
        family: Uuid,
        user_id: Uuid,
        token_hash: String,
        created_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        used_at: Option<DateTime<Utc>>,
        revoked_at: Option<DateTime<Utc>>,
        used_from: Option<String>,
        repeated: Option<bool>,
    }
}

impl RefreshTokens<'_> {
    /// Inserts a token.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the hash exists or the account does not.
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

    /// The token with this keyed hash, in any state.
    pub async fn by_hash(&mut self, token_hash: &str) -> Result<Option<RefreshToken>> {
        let row: Option<TokenRow> = optional!(
            self.0,
            "SELECT id, family, user_id, token_hash, created_at, expires_at, used_at, revoked_at, used_from, repeated \
             FROM refresh_tokens LEFT JOIN refresh_token_uses ON token_id = id WHERE token_hash = $1",
            token_hash,
        )?;
        Ok(row.map(|row| RefreshToken {
            id: row.id,
            family: row.family,
            user_id: UserId(row.user_id),
            token_hash: row.token_hash,
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
            used_from: row.used_from,
            repeated: row.repeated.unwrap_or(false),
            revoked_at: row.revoked_at,
        }))
    }

    /// Marks a token as used by a client whose address has the hash `from`. Returns `false` if it was used or revoked
    /// before, so one of two concurrent uses fails.
    pub async fn mark_used(&mut self, id: Uuid, from: &str, now: DateTime<Utc>) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE refresh_tokens SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL",
            id,
            now,
        )?;
        if changed == 0 {
            return Ok(false);
        }
        execute!(
            self.0,
            "INSERT INTO refresh_token_uses (token_id, used_from, repeated) VALUES ($1, $2, FALSE)",
            id,
            from,
        )?;
        Ok(true)
    }

    /// Records that the successor was returned again. Returns `false` if it was returned again before.
    pub async fn mark_repeated(&mut self, id: Uuid) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE refresh_token_uses SET repeated = TRUE WHERE token_id = $1 AND NOT repeated",
            id,
        )?;
        Ok(changed == 1)
    }

    /// Revokes the account's tokens except the family `keep`. Returns how many.
    pub async fn revoke_user(&mut self, user: UserId, keep: Option<Uuid>, now: DateTime<Utc>) -> Result<u64> {
        execute!(
            self.0,
            "UPDATE refresh_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND family <> $3",
            user.0,
            now,
            keep.unwrap_or_default(),
        )
    }

    /// Revokes the tokens of a family. Returns how many.
    pub async fn revoke_family(&mut self, family: Uuid, now: DateTime<Utc>) -> Result<u64> {
        execute!(
            self.0,
            "UPDATE refresh_tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL",
            family,
            now,
        )
    }
}
