//! The `users` table.

use chrono::{DateTime, Utc};
use trainyard_domain::user::{AccountSecurity, OneTimePassword};
use trainyard_domain::{Email, Role, User, UserId};
use uuid::Uuid;

use crate::error::Result;
use crate::from_row::from_row;
use crate::models::bump_revision;
use crate::read_back;
use crate::rows::among;
use crate::sql::{all, execute, one, optional};
use crate::stored::{Id, PageReader, Stored, StoredRow, readable};
use crate::tx::Tx;

/// Accounts.
#[derive(Debug)]
pub struct Users<'t>(pub(crate) &'t mut Tx);

from_row! {
    struct UserRow {
        id: Uuid,
        email: String,
        password_hash: String,
        role: String,
        disabled: bool,
        created_at: DateTime<Utc>,
        sessions_end: Option<DateTime<Utc>>,
        kept_session: Option<Uuid>,
        password_expires_at: Option<DateTime<Utc>>,
        password_used_at: Option<DateTime<Utc>>,
    }
}

/// Accounts with what ended their sessions; deleted ones are left out.
macro_rules! select_users {
    ($rest:literal) => {
        select_users!("account_security.deleted_at IS NULL AND ", $rest)
    };
    ($deleted:literal, $rest:literal) => {
        concat!(
            "SELECT users.id, users.email, users.password_hash, users.role, users.disabled, users.created_at, \
             account_security.sessions_end, account_security.kept_session, account_security.password_expires_at, \
             account_security.password_used_at FROM users \
             LEFT JOIN account_security ON account_security.user_id = users.id \
             WHERE ",
            $deleted,
            $rest
        )
    };
}

impl StoredRow for UserRow {
    const TABLE: &'static str = "users";
    type Key = Id;
    type Value = User;

    fn key(&self) -> Id {
        Id(self.id)
    }

    fn read(self) -> Result<User> {
        let used_at = self.password_used_at;
        Ok(User {
            id: UserId(self.id),
            email: Email::stored(self.email),
            password_hash: self.password_hash,
            role: read_back::role(&self.role)?,
            disabled: self.disabled,
            created_at: self.created_at,
            security: AccountSecurity {
                sessions_end: self.sessions_end,
                kept_session: self.kept_session,
                one_time: self.password_expires_at.map(|expires_at| OneTimePassword { expires_at, used_at }),
            },
        })
    }
}

/// A password to store.
#[derive(Debug, Clone, Copy)]
pub struct NewPassword<'p> {
    /// Its bcrypt hash.
    pub hash: &'p str,
    /// When it expires, if it is for one sign-in.
    pub one_time_until: Option<DateTime<Utc>>,
    /// The session that goes on, if it is one of the account's own.
    pub kept_session: Option<Uuid>,
}

impl Users<'_> {
    /// Adds an account. A password for one sign-in is marked as such by `user.security`.
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
        if let Some(one_time) = user.security.one_time {
            execute!(
                self.0,
                "INSERT INTO account_security (user_id, password_expires_at) VALUES ($1, $2)",
                user.id.0,
                one_time.expires_at,
            )?;
        }
        Ok(())
    }

    /// The account with this id, unless it was deleted.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_id(&mut self, id: UserId) -> Result<Option<User>> {
        let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("users.id = $1"), id.0)?;
        row.map(Stored::value).transpose()
    }

    /// The account with this id, disabled if it was deleted.
    ///
    /// # Errors
    /// As every query.
    pub(crate) async fn by_id_with_deleted(&mut self, id: UserId) -> Result<Option<User>> {
        let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("", "users.id = $1"), id.0)?;
        row.map(Stored::value).transpose()
    }

    /// The accounts with these ids, in no order; deleted and unknown ones are left out. It is one query.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_ids(&mut self, ids: &[UserId]) -> Result<Vec<User>> {
        let rows: Vec<Stored<UserRow>> = among!(self.0, select_users!("users.id"), ids, |id| id.0, "")?;
        Ok(readable(rows))
    }

    /// The account with this address, which must be in lower case, as `Email` is.
    ///
    /// # Errors
    /// As every query.
    pub async fn by_email(&mut self, email: &str) -> Result<Option<User>> {
        let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("users.email = $1"), email)?;
        row.map(Stored::value).transpose()
    }

    /// Accounts older than `before`, newest first. Deleted accounts and rows that cannot be read are left out.
    ///
    /// # Errors
    /// As every query.
    pub async fn list(&mut self, before: Option<UserId>, limit: i64) -> Result<Vec<User>> {
        let mut page: PageReader<UserRow> = PageReader::new(before.map(|id| Id(id.0)), limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                select_users!("users.id < $1 ORDER BY users.id DESC LIMIT $2"),
                before.map_or(Uuid::max(), |id| id.0),
                limit,
            )?);
        }
        Ok(page.values())
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
        if self.by_id(id).await?.is_none() {
            return Ok(None);
        }
        execute!(
            self.0,
            "UPDATE users SET role = COALESCE($2, role), disabled = COALESCE($3, disabled) WHERE id = $1",
            id.0,
            role.map(Role::as_str),
            disabled,
        )?;
        self.by_id(id).await
    }

    /// Ends every session that began before `now`, for good.
    ///
    /// # Errors
    /// As every query.
    pub async fn end_sessions(&mut self, id: UserId, now: DateTime<Utc>) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO account_security (user_id, sessions_end) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE \
             SET sessions_end = excluded.sessions_end, kept_session = NULL",
            id.0,
            now,
        )?;
        Ok(())
    }

    /// Replaces the password whose hash is `old`, and ends the account's sessions at `now` but for the kept one. `false`
    /// when the password was changed since it was read.
    ///
    /// # Errors
    /// As every query.
    pub async fn set_password(
        &mut self,
        id: UserId,
        old: &str,
        new: NewPassword<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let changed = execute!(
            self.0,
            "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            id.0,
            old,
            new.hash,
        )?;
        if changed == 0 {
            return Ok(false);
        }
        execute!(
            self.0,
            "INSERT INTO account_security (user_id, sessions_end, kept_session, password_expires_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET sessions_end = excluded.sessions_end, \
             kept_session = excluded.kept_session, password_expires_at = excluded.password_expires_at, \
             password_used_at = NULL",
            id.0,
            now,
            new.kept_session,
            new.one_time_until,
        )?;
        Ok(true)
    }

    /// Holds an account whose password was found right until the end of this transaction, so that no session begins
    /// beside a change that ends them all. `false` when the account was disabled or its password changed meanwhile.
    ///
    /// # Errors
    /// As every query.
    pub async fn hold(&mut self, id: UserId, password_hash: &str) -> Result<bool> {
        let held = execute!(
            self.0,
            "UPDATE users SET disabled = disabled WHERE id = $1 AND password_hash = $2 AND NOT disabled",
            id.0,
            password_hash,
        )?;
        Ok(held == 1)
    }

    /// Uses up a password for one sign-in: `false` when it was used before, so of two at once one is refused.
    ///
    /// # Errors
    /// As every query.
    pub async fn use_one_time_password(&mut self, id: UserId, now: DateTime<Utc>) -> Result<bool> {
        let used = execute!(
            self.0,
            "UPDATE account_security SET password_used_at = $2 WHERE user_id = $1 AND password_used_at IS NULL \
             AND password_expires_at > $2",
            id.0,
            now,
        )?;
        Ok(used == 1)
    }

    /// Deletes an account; `false` when there is none. The row stays, disabled and without address and password: jobs and
    /// audit entries name its id, and the inference role knows by it that tokens are not honoured any more. As with
    /// [`Users::update`], ask [`Users::active_admins`] afterwards.
    ///
    /// # Errors
    /// As every query.
    pub async fn delete(&mut self, id: UserId, now: DateTime<Utc>) -> Result<bool> {
        bump_revision(self.0).await?;
        if self.by_id(id).await?.is_none() {
            return Ok(false);
        }
        execute!(
            self.0,
            "UPDATE users SET email = $2, password_hash = 'deleted', disabled = TRUE WHERE id = $1",
            id.0,
            format!("{id}@deleted.invalid"),
        )?;
        execute!(
            self.0,
            "INSERT INTO account_security (user_id, sessions_end, deleted_at) VALUES ($1, $2, $2) \
             ON CONFLICT (user_id) DO UPDATE SET sessions_end = excluded.sessions_end, kept_session = NULL, \
             password_expires_at = NULL, password_used_at = NULL, deleted_at = excluded.deleted_at",
            id.0,
            now,
        )?;
        execute!(self.0, "DELETE FROM known_addresses WHERE user_id = $1", id.0)?;
        Ok(true)
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
