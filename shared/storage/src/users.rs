//! The `users` table.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use trainyard_domain::{Role, User, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::models::bump_revision;
use crate::read_back::{self, readable};
use crate::rows::among;
use crate::sql::{all, execute, one, optional, write_optional};
use crate::tx::Tx;

/// Accounts.
#[derive(Debug)]
pub struct Users<'t>(pub(crate) &'t mut Tx);

#[derive(FromRow)]
struct UserRow {
    id: Uuid,
    email: String,
    password_hash: String,
    role: String,
    disabled: bool,
    created_at: DateTime<Utc>,
}

impl UserRow {
    fn read(self) -> Result<User> {
        Ok(User {
            id: UserId(self.id),
            email: read_back::email(&self.email)?,
            password_hash: self.password_hash,
            role: read_back::role(&self.role)?,
            disabled: self.disabled,
            created_at: self.created_at,
        })
    }
}

impl Users<'_> {
    /// Adds an account.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the e-mail address is taken.
    pub async fn insert(&mut self, user: &User) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO users (id, email, password_hash, role, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            user.id.0,
            user.email.as_str(),
            &user.password_hash,
            user.role.as_str(),
            user.disabled,
            user.created_at,
        )?;
        Ok(())
    }

    /// The account with this id.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_id(&mut self, id: UserId) -> Result<Option<User>> {
        let row: Option<UserRow> = optional!(self.0, "SELECT * FROM users WHERE id = $1", id.0)?;
        row.map(UserRow::read).transpose()
    }

    /// The accounts with these ids, all different, in no order; one query, however many they are.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_ids(&mut self, ids: &[UserId]) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = among!(self.0, "SELECT * FROM users WHERE id", ids, |id| id.0, "")?;
        Ok(readable("users", rows.into_iter().map(|row| (row.id.to_string(), row.read()))))
    }

    /// The account with this address, which must be in lower case, as `Email` is.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_email(&mut self, email: &str) -> Result<Option<User>> {
        let row: Option<UserRow> = optional!(self.0, "SELECT * FROM users WHERE email = $1", email)?;
        row.map(UserRow::read).transpose()
    }

    /// Accounts older than `before`, newest first.
    ///
    /// # Errors
    /// As every query.
    pub async fn list(&mut self, before: Option<UserId>, limit: i64) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = all!(
            self.0,
            "SELECT * FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2",
            before.map_or(Uuid::max(), |id| id.0),
            limit,
        )?;
        rows.into_iter().map(UserRow::read).collect()
    }

    /// Changes the role, the disabled flag, or both; `None` when there is no such account. The inference role hears of
    /// it through [`crate::Models::revision`].
    ///
    /// To keep the last administrator: update first, then ask [`Users::active_admins`], and drop the transaction when
    /// it says 0. Updates wait for each other, so two that demote each other can't both pass; asking first would let
    /// them.
    ///
    /// # Errors
    /// As every query.
    pub async fn update(&mut self, id: UserId, role: Option<Role>, disabled: Option<bool>) -> Result<Option<User>> {
        // Before the row: this is where updates wait for each other.
        bump_revision(self.0).await?;
        let row: Option<UserRow> = write_optional!(
            self.0,
            "UPDATE users SET role = COALESCE($2, role), disabled = COALESCE($3, disabled) WHERE id = $1 RETURNING *",
            id.0,
            role.map(Role::as_str),
            disabled,
        )?;
        row.map(UserRow::read).transpose()
    }

    /// How many administrators may sign in.
    ///
    /// # Errors
    /// As every query.
    pub async fn active_admins(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM users WHERE role = 'admin' AND NOT disabled")?;
        Ok(count)
    }

    /// Whether there is an administrator at all, disabled ones included.
    ///
    /// # Errors
    /// As every query.
    pub async fn any_admin(&mut self) -> Result<bool> {
        let (any,): (bool,) = one!(self.0, "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin')")?;
        Ok(any)
    }

    /// Everybody whose tokens must not be honoured any more.
    ///
    /// # Errors
    /// As every query.
    pub async fn disabled_ids(&mut self) -> Result<Vec<UserId>> {
        let rows: Vec<(Uuid,)> = all!(self.0, "SELECT id FROM users WHERE disabled ORDER BY id")?;
        Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
    }
}
