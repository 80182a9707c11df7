//! The `known_addresses` table: from where accounts signed in before. Whoever signs in from one of them is not shut out by
//! the failures of strangers.

use chrono::{DateTime, Utc};
use trainyard_domain::UserId;

use crate::error::Result;
use crate::sql::{execute, one};
use crate::tx::Tx;

/// Addresses that accounts signed in from.
#[derive(Debug)]
pub struct KnownAddresses<'t>(pub(crate) &'t mut Tx);

/// Addresses kept for one account: a person's homes, offices and phones.
const MAX_PER_ACCOUNT: i64 = 100;

impl KnownAddresses<'_> {
    /// Whether the account signed in from this address (a keyed hash) and that is not forgotten at `now`. Without an
    /// account the same query is made, so that its time says nothing.
    ///
    /// # Errors
    /// As every query.
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

    /// Remembers a sign-in until `expires_at`.
    ///
    /// # Errors
    /// As every query.
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
