//! The `api_keys` table.

use chrono::{DateTime, Utc};
use trainyard_domain::{ApiKey, ApiKeyGrant, ApiKeyId, ApiKeyName, Email, UserId};
use uuid::Uuid;

use crate::bulk::{BulkStatement, execute_bulk, for_ids, select_in};
use crate::error::Result;
use crate::from_row::from_row;
use crate::models::bump_revision;
use crate::parse;
use crate::sql::{all, execute, one, optional, write_optional};
use crate::stored::{Id, PageReader, Stored, StoredRow, readable};
use crate::tx::Tx;

/// API keys.
#[derive(Debug)]
pub struct ApiKeys<'t>(pub(crate) &'t mut Tx);

/// The result of [`ApiKeys::insert_within`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyInsertion {
    /// Inserted.
    Inserted,
    /// The account has the maximum number of keys.
    LimitReached,
    /// The account is disabled, deleted or unknown.
    NoOwner,
}

from_row! {
    struct KeyRow {
        id: Uuid,
        user_id: Uuid,
        name: String,
        prefix: String,
        role: String,
        created_at: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        last_used_at: Option<DateTime<Utc>>,
    }
}

impl StoredRow for KeyRow {
    const TABLE: &'static str = "api_keys";
    type Key = Id;
    type Value = ApiKey;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<ApiKey> {
        Ok(ApiKey {
            id: ApiKeyId(self.id),
            user_id: UserId(self.user_id),
            name: ApiKeyName::stored(self.name),
            prefix: self.prefix,
            role: parse::role(&self.role)?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
        })
    }
}

from_row! {
    struct GrantRow {
        id: Uuid,
        key_hash: String,
        role: String,
        expires_at: Option<DateTime<Utc>>,
        last_used_at: Option<DateTime<Utc>>,
        user_id: Uuid,
        email: String,
        owner_role: String,
        owner_disabled: bool,
    }
}

impl StoredRow for GrantRow {
    const TABLE: &'static str = "api_keys";
    type Key = Id;
    /// With the hash of the key.
    type Value = (String, ApiKeyGrant);

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<(String, ApiKeyGrant)> {
        let grant = ApiKeyGrant {
            id: ApiKeyId(self.id),
            role: parse::role(&self.role)?,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            user_id: UserId(self.user_id),
            email: Email::stored(self.email),
            owner_role: parse::role(&self.owner_role)?,
            owner_disabled: self.owner_disabled,
        };
        Ok((self.key_hash, grant))
    }
}

/// Selects grants: keys with the state of their accounts.
macro_rules! select_grants {
    ($rest:literal) => {
        concat!(
            "SELECT api_keys.id, api_keys.key_hash, api_keys.role, api_keys.expires_at, api_keys.last_used_at, \
             api_keys.user_id, users.email, users.role AS owner_role, users.disabled AS owner_disabled \
             FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE ",
            $rest
        )
    };
}

/// Up to this number of keys are read by a query for each; see `users`.
const MAX_SINGLE_READS: usize = 4;

const RECORD_USES: BulkStatement = for_ids!(
    "UPDATE api_keys SET last_used_at = $1 WHERE (last_used_at IS NULL OR last_used_at < $2) AND id",
    "$3",
    ""
);

impl ApiKeys<'_> {
    /// Inserts a key with the SHA-256 `key_hash`, unless its account has `most` keys already. Waits for concurrent
    /// insertions of the account.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the hash exists.
    pub async fn insert_within(&mut self, key: &ApiKey, key_hash: &str, most: i64) -> Result<ApiKeyInsertion> {
        // A lock: two concurrent transactions would not see each other's row in the count, and a concurrent deletion of the
        // account would not see the new key.
        let owner =
            execute!(self.0, "UPDATE users SET disabled = disabled WHERE id = $1 AND NOT disabled", key.user_id.0,)?;
        if owner == 0 {
            return Ok(ApiKeyInsertion::NoOwner);
        }
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM api_keys WHERE user_id = $1", key.user_id.0)?;
        if count >= most {
            return Ok(ApiKeyInsertion::LimitReached);
        }
        execute!(
            self.0,
            "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, role, created_at, expires_at, last_used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            key.id.0,
            key.user_id.0,
            key.name.as_str(),
            &key.prefix,
            key_hash,
            key.role.as_str(),
            key.created_at,
            key.expires_at,
            key.last_used_at,
        )?;
        Ok(ApiKeyInsertion::Inserted)
    }

    /// Keys of an account that are older than `before`, newest first. Unreadable keys are left out.
    pub async fn list(&mut self, user: UserId, before: Option<ApiKeyId>, limit: i64) -> Result<Vec<ApiKey>> {
        let mut page: PageReader<KeyRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                "SELECT id, user_id, name, prefix, role, created_at, expires_at, last_used_at FROM api_keys \
                 WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                user.0,
                before.map_or(Uuid::max(), |id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
    }

    /// Deletes a key of an account and returns its name; `None` if the account has no such key. Processes notice the
    /// deletion by [`crate::Models::revision`].
    pub async fn delete(&mut self, user: UserId, id: ApiKeyId) -> Result<Option<ApiKeyName>> {
        bump_revision(self.0).await?;
        let row: Option<(String,)> = write_optional!(
            self.0,
            "DELETE FROM api_keys WHERE id = $1 AND user_id = $2 RETURNING name",
            id.0,
            user.0,
        )?;
        Ok(row.map(|(name,)| ApiKeyName::stored(name)))
    }

    /// Deletes all keys of an account.
    pub(crate) async fn delete_of_user(&mut self, user: UserId) -> Result<()> {
        execute!(self.0, "DELETE FROM api_keys WHERE user_id = $1", user.0)?;
        Ok(())
    }

    /// The grants of the keys with these distinct hashes, each with its hash, in no order. Unknown hashes are left out.
    pub async fn by_hashes(&mut self, hashes: &[String]) -> Result<Vec<(String, ApiKeyGrant)>> {
        if hashes.len() > MAX_SINGLE_READS {
            let sql = select_grants!("api_keys.key_hash");
            let rows: Vec<Stored<GrantRow>> = select_in!(self.0, sql, hashes, |hash| hash.as_str(), "")?;
            return Ok(readable(rows));
        }
        let mut rows = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let row: Option<Stored<GrantRow>> =
                optional!(self.0, select_grants!("api_keys.key_hash = $1"), hash.as_str())?;
            rows.extend(row);
        }
        Ok(readable(rows))
    }

    /// The grants of the keys with these distinct ids, in no order. Deleted keys are left out.
    pub async fn by_ids(&mut self, ids: &[ApiKeyId]) -> Result<Vec<ApiKeyGrant>> {
        let mut rows: Vec<Stored<GrantRow>> = Vec::with_capacity(ids.len());
        if ids.len() > MAX_SINGLE_READS {
            rows = select_in!(self.0, select_grants!("api_keys.id"), ids, |id| id.0, "")?;
        } else {
            for id in ids {
                let row: Option<Stored<GrantRow>> = optional!(self.0, select_grants!("api_keys.id = $1"), id.0)?;
                rows.extend(row);
            }
        }
        Ok(readable(rows).into_iter().map(|(_, grant)| grant).collect())
    }

    /// Records that keys were used at `now`, except those with a recorded use at `recent` or later.
    pub async fn record_uses(&mut self, ids: &[ApiKeyId], now: DateTime<Utc>, recent: DateTime<Utc>) -> Result<()> {
        execute_bulk!(self.0, RECORD_USES, [now, recent], ids, |id| [id.0])?;
        Ok(())
    }
}
