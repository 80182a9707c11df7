//! The `users` table.

use chrono::{DateTime, Utc};
use trainyard_domain::user::{AccountSecurity, OneTimePassword};
use trainyard_domain::{Email, Role, User, UserId};
use uuid::Uuid;

use crate::bulk::select_in;
use crate::error::Result;
use crate::from_row::from_row;
use crate::models::bump_revision;
use crate::parse;
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

/// Selects accounts with their security columns, without deleted accounts.
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

/// Postgres plans a query with a list of ids at every execution. That takes longer than reading this many accounts by a query
/// for each, which Postgres plans once.
const MAX_SINGLE_READS: usize = 4;

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
            role: parse::role(&self.role)?,
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

/// A new password.
#[derive(Debug, Clone, Copy)]
pub struct NewPassword<'p> {
    /// bcrypt hash.
    pub hash: &'p str,
    /// When a one-time password expires.
    pub one_time_until: Option<DateTime<Utc>>,
    /// The session of the account that stays valid.
    pub kept_session: Option<Uuid>,
}

impl Users<'_> {
    /// Inserts an account. `user.security` marks a one-time password.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the e-mail address is taken.
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

    /// The account with this id, if it is not deleted.
    pub async fn by_id(&mut self, id: UserId) -> Result<Option<User>> {
        let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("users.id = $1"), id.0)?;
        row.map(Stored::value).transpose()
    }

    /// The account with this id, also a deleted one, which is disabled.
    pub(crate) async fn by_id_with_deleted(&mut self, id: UserId) -> Result<Option<User>> {
        let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("", "users.id = $1"), id.0)?;
        row.map(Stored::value).transpose()
    }

    /// The accounts with these ids, in no order. Deleted and unreadable accounts are left out.
    pub async fn by_ids(&mut self, ids: &[UserId]) -> Result<Vec<User>> {
        if ids.len() > MAX_SINGLE_READS {
            let rows: Vec<Stored<UserRow>> = select_in!(self.0, select_users!("users.id"), ids, |id| id.0, "")?;
            return Ok(readable(rows));
        }
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("users.id = $1"), id.0)?;
            rows.extend(row);
        }
        Ok(readable(rows))
    }

    /// The account with this address, in lower case as in `Email`.
    pub async fn by_email(&mut self, email: &str) -> Result<Option<User>> {
        let row: Option<Stored<UserRow>> = optional!(self.0, select_users!("users.email = $1"), email)?;
        row.map(Stored::value).transpose()
    }

    /// Accounts older than `before`, newest first. Deleted and unreadable accounts are left out.
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

    /// Changes the role, the disabled flag, or both. Returns `None` if the account does not exist. The inference role
    /// notices the change by [`crate::Models::revision`].
    ///
    /// To keep the last administrator, update first, then check [`Users::active_admins`], and drop the transaction on 0.
    /// Updates wait for each other, so two administrators cannot demote each other. A check before the update would not
    /// prevent it.
    pub async fn update(&mut self, id: UserId, role: Option<Role>, disabled: Option<bool>) -> Result<Option<User>> {
        // First: concurrent updates wait for each other at this row.
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

    /// Revokes all sessions that began before `now`.
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

    /// Replaces the password with the hash `old`, and revokes the account's sessions except the kept one. Returns `false` if
    /// the password has changed since it was read.
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

    /// Locks an account after its password was verified, until the end of the transaction, so that no session begins during
    /// a revocation of all sessions. Returns `false` if the account was disabled or its password has changed.
    pub async fn lock_verified(&mut self, id: UserId, password_hash: &str) -> Result<bool> {
        let locked = execute!(
            self.0,
            "UPDATE users SET disabled = disabled WHERE id = $1 AND password_hash = $2 AND NOT disabled",
            id.0,
            password_hash,
        )?;
        Ok(locked == 1)
    }

    /// Marks a one-time password as used. Returns `false` if it was used before, so one of two concurrent uses fails.
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

    /// Deletes an account and its API keys; returns `false` if it does not exist. The row stays, disabled and without address
    /// and password, because jobs and audit entries refer to it, and the inference role refuses its tokens by it. Check
    /// [`Users::active_admins`] afterwards, as for [`Users::update`].
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
        self.0.api_keys().delete_of_user(id).await?;
        Ok(true)
    }

    /// Number of administrators that are not disabled.
    pub async fn active_admins(&mut self) -> Result<i64> {
        let (count,): (i64,) = one!(self.0, "SELECT COUNT(*) FROM users WHERE role = 'admin' AND NOT disabled")?;
        Ok(count)
    }

    /// Whether an administrator exists, also a disabled one.
    pub async fn any_admin(&mut self) -> Result<bool> {
        let (any,): (bool,) = one!(self.0, "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin')")?;
        Ok(any)
    }

    /// Accounts whose tokens must be refused.
    pub async fn disabled_ids(&mut self) -> Result<Vec<UserId>> {
        let rows: Vec<(Uuid,)> = all!(self.0, "SELECT id FROM users WHERE disabled ORDER BY id")?;
        Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
    }
}
