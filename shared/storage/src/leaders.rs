//! The `leader_leases` table: leader election by leases.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::sql::{execute, optional};
use crate::tx::Tx;

/// Leader leases.
#[derive(Debug)]
pub struct Leaders<'t>(pub(crate) &'t mut Tx);

impl Leaders<'_> {
    /// Acquires or renews the lease `name` until `until`. Returns `false` while another owner holds the lease. `now` must be
    /// the database's time, so that all candidates use the same clock.
    pub async fn acquire(&mut self, name: &str, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool> {
        let changed = execute!(
            self.0,
            "INSERT INTO leader_leases (name, owner, expires_at) VALUES ($1, $2, $4) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at \
             WHERE leader_leases.owner = excluded.owner OR leader_leases.expires_at <= $3",
            name,
            owner,
            now,
            until,
        )?;
        Ok(changed == 1)
    }

    /// When the lease `name` expires or expired; `None` without a holder.
    pub async fn expires_at(&mut self, name: &str) -> Result<Option<DateTime<Utc>>> {
        let row: Option<(DateTime<Utc>,)> =
            optional!(self.0, "SELECT expires_at FROM leader_leases WHERE name = $1", name)?;
        Ok(row.map(|(at,)| at))
    }

    /// Releases the lease. Succeeds if the owner no longer holds it.
    pub async fn release(&mut self, name: &str, owner: &str) -> Result<()> {
        execute!(self.0, "DELETE FROM leader_leases WHERE name = $1 AND owner = $2", name, owner)?;
        Ok(())
    }

    /// Releases all leases. For a process that knows that their holders have ended.
    pub async fn release_all(&mut self) -> Result<()> {
        execute!(self.0, "DELETE FROM leader_leases")?;
        Ok(())
    }
}
