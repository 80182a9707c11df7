//! The `leader_leases` table: one owner per name at a time.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::sql::{execute, optional};
use crate::tx::Tx;

/// Leader leases.
#[derive(Debug)]
pub struct Leaders<'t>(pub(crate) &'t mut Tx);

impl Leaders<'_> {
    /// Takes or renews the lease `name` until `until`; `false` while somebody else holds it. `now` should be the
    /// database's time, so that all who compete read the same clock.
    ///
    /// # Errors
    /// As every query.
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

    /// When the lease `name` runs out, or ran out; `None` when nobody has it.
    ///
    /// # Errors
    /// As every query.
    pub async fn expires_at(&mut self, name: &str) -> Result<Option<DateTime<Utc>>> {
        let row: Option<(DateTime<Utc>,)> =
            optional!(self.0, "SELECT expires_at FROM leader_leases WHERE name = $1", name)?;
        Ok(row.map(|(at,)| at))
    }

    /// Gives the lease back, so that another can take it at once; not an error when it is no longer held.
    ///
    /// # Errors
    /// As every query.
    pub async fn release(&mut self, name: &str, owner: &str) -> Result<()> {
        execute!(self.0, "DELETE FROM leader_leases WHERE name = $1 AND owner = $2", name, owner)?;
        Ok(())
    }

    /// Takes every lease from whoever holds it: they are known to be gone.
    ///
    /// # Errors
    /// As every query.
    pub async fn vacate(&mut self) -> Result<()> {
        execute!(self.0, "DELETE FROM leader_leases")?;
        Ok(())
    }
}
