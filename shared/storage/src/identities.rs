//! The `external_identities` table.

use chrono::{DateTime, Utc};
use trainyard_domain::{ExternalIdentity, Role, User, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute, optional};
use crate::tx::Tx;

/// Identities of external token issuers.
#[derive(Debug)]
pub struct Identities<'t>(pub(crate) &'t mut Tx);

/// The account of an identity.
#[derive(Debug, Clone)]
pub struct LinkedAccount {
    /// The account.
    pub user: User,
    /// `iat` of the token that last set the account's role. `None`: administrators set the role.
    pub role_as_of: Option<DateTime<Utc>>,
}

from_row! {
    struct IdentityRow {
        issuer: String,
        subject: String,
        user_id: Uuid,
        email_verified: bool,
        role_as_of: Option<DateTime<Utc>>,
        created_at: DateTime<Utc>,
    }
}

impl Identities<'_> {
    /// The account of an identity.
    pub async fn account(&mut self, issuer: &str, subject: &str) -> Result<Option<LinkedAccount>> {
        let row: Option<(Uuid, Option<DateTime<Utc>>)> = optional!(
            self.0,
            "SELECT user_id, role_as_of FROM external_identities WHERE issuer = $1 AND subject = $2",
            issuer,
            subject,
        )?;
        let Some((user_id, role_as_of)) = row else { return Ok(None) };
        // The identity of a deleted account stays linked, so that its next token does not create another account.
        let user = self.0.users().by_id_with_deleted(UserId(user_id)).await?;
        Ok(user.map(|user| LinkedAccount { user, role_as_of }))
    }

    /// All identities of an account.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<ExternalIdentity>> {
        let rows: Vec<IdentityRow> = all!(
            self.0,
            "SELECT issuer, subject, user_id, email_verified, role_as_of, created_at FROM external_identities \
             WHERE user_id = $1 ORDER BY issuer, subject",
            user.0,
        )?;
        let identity = |row: IdentityRow| ExternalIdentity {
            issuer: row.issuer,
            subject: row.subject,
            user_id: UserId(row.user_id),
            email_verified: row.email_verified,
            role_as_of: row.role_as_of,
            created_at: row.created_at,
        };
        Ok(rows.into_iter().map(identity).collect())
    }

    /// Links an identity to an account.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the identity is linked already, the account has another identity of the issuer,
    /// or the account does not exist.
    pub async fn link(&mut self, identity: &ExternalIdentity) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO external_identities (issuer, subject, user_id, email_verified, role_as_of, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            &identity.issuer,
            &identity.subject,
            identity.user_id.0,
            identity.email_verified,
            identity.role_as_of,
            identity.created_at,
        )?;
        Ok(())
    }

    /// Sets the role of the identity's account to the role of a token issued at `issued_at`. Returns `false` if a token
    /// issued at the same time or later has set the role.
    pub async fn set_role(
        &mut self,
        issuer: &str,
        subject: &str,
        user: UserId,
        role: Role,
        issued_at: DateTime<Utc>,
    ) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE external_identities SET role_as_of = $3 WHERE issuer = $1 AND subject = $2 \
             AND (role_as_of IS NULL OR role_as_of < $3)",
            issuer,
            subject,
            issued_at,
        )?;
        if changed == 0 {
            return Ok(false);
        }
        self.0.users().update(user, Some(role), None).await?;
        Ok(true)
    }

    /// Lets administrators set the account's role again.
    pub async fn release_role(&mut self, issuer: &str, subject: &str) -> Result<()> {
        execute!(
            self.0,
            "UPDATE external_identities SET role_as_of = NULL WHERE issuer = $1 AND subject = $2",
            issuer,
            subject,
        )?;
        Ok(())
    }
}
