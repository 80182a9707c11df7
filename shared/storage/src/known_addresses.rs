//! The `known_addresses` table: client addresses of earlier sign-ins. Failed sign-ins from other addresses do not block
//! sign-ins from a known address.

use chrono::{DateTime, Utc};
use trainyard_domain::UserId;

use crate::error::Result;
use crate::sql::{execute, one};
use crate::tx::Tx;

/// Known client addresses of accounts.
#[derive(Debug)]
pub struct KnownAddresses<'t>(pub(crate) &'t mut Tx);

/// Maximum number of addresses for an account.
const MAX_PER_ACCOUNT: i64 = 100;

impl KnownAddresses<'_> {
    /// Whether the account has signed in from this address (a keyed hash) and the entry has not expired. Without an account
    /// the same query runs, so that its duration reveals nothing.
    pub async fn contains(&mut self, user: Option<UserId>, address: &str, now: DateTime<Utc>) -> Result<bool> {
        let (found,): (bool,) = one!(
            self.0,
            "SELECT EXISTS (SELECT 1 FROM known_addresses WHERE user_id = $1 AND address = $2 AND expires_at > $3)",
            user.map(|id| id.0).unwrap_or_default(),
            address,
            now,
        )?;
        Ok(found)
    }

    /// Stores an address until `expires_at`. Deletes the oldest entries beyond [`MAX_PER_ACCOUNT`].
    pub async fn remember(&mut self, user: UserId, address: &str, expires_at: DateTime<Utc>) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO known_addresses (user_id, address, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (user_id, address) DO UPDATE SET expires_at = excluded.expires_at",
            user.0,
            address,
            expires_at,
        )?;
        execute!(
            self.0,
            "DELETE FROM known_addresses WHERE user_id = $1 AND expires_at < (SELECT expires_at FROM known_addresses \
             WHERE user_id = $1 ORDER BY expires_at DESC LIMIT 1 OFFSET $2)",
            user.0,
            MAX_PER_ACCOUNT - 1,
        )?;
        Ok(())
    }
}
