//! Accounts, sessions and the audit trail as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainyard_domain::{Role, User};
use trainyard_storage::AuditEntry;
use utoipa::ToSchema;
use uuid::Uuid;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoleView {
    /// Predicts and sees models; reads more where `auth.users_may_read` opens it.
    User,
    /// Also uploads, trains, deletes and administers accounts.
    Admin,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<RoleView> for Role {
    fn from(role: RoleView) -> Self {
        match role {
            RoleView::User => Self::User,
            RoleView::Admin => Self::Admin,
        }
    }
}

/// An account as its owner sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// The account's id.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub id: Uuid,
    /// Its e-mail address, in lower case.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// What it may do.
    pub role: RoleView,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.0,
            email: user.email.as_str().to_owned(),
            role: user.role.into(),
            created_at: user.created_at,
        }
    }
}

/// An account as administrators see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountView {
    /// The account.
    #[serde(flatten)]
    pub user: UserView,
    /// A disabled account can't sign in, and the tokens it still holds are refused.
    #[schema(example = false)]
    pub disabled: bool,
}

impl From<&User> for AccountView {
    fn from(user: &User) -> Self {
        Self { user: user.into(), disabled: user.disabled }
    }
}

/// What signing in gives.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// A JWT for the `Authorization: Bearer` header.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9…")]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 3600)]
    pub expires_in: i64,
    /// Buys the next pair of tokens, once. Using it a second time ends the session everywhere.
    #[schema(example = "5b1f0c…")]
    pub refresh_token: String,
    /// Present and true after signing in with a one-time password: it does not sign in again, so set another with
    /// `PUT /me/password`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = false)]
    pub must_change_password: bool,
    /// Who is signed in.
    pub user: UserView,
}

/// An account with the password that an administrator passes on to its owner.
#[derive(Serialize, ToSchema)]
pub struct InvitedView {
    /// The account.
    #[serde(flatten)]
    pub account: AccountView,
    /// Signs in once. Shown here and never again.
    #[schema(example = "k3Jx0rW2pQ9sT7uVbNcM")]
    pub one_time_password: String,
    /// When it stops working, used or not.
    pub one_time_password_expires_at: DateTime<Utc>,
}

impl InvitedView {
    /// `user` with its one-time password.
    pub fn new(user: &User, one_time_password: String, expires_at: DateTime<Utc>) -> Self {
        Self { account: user.into(), one_time_password, one_time_password_expires_at: expires_at }
    }
}

/// One recorded act.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// The record's id.
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The account that did it; `null` for the server itself.
    #[schema(required)]
    pub actor: Option<Uuid>,
    /// What was done.
    #[schema(example = "dataset.create")]
    pub action: String,
    /// To what: a kind and a name or id.
    #[schema(example = "dataset:titanic")]
    pub subject: String,
    /// The request that did it.
    #[schema(required)]
    pub request_id: Option<String>,
    /// What else is worth knowing; depends on the action.
    pub detail: Value,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            actor: entry.actor.map(|actor| actor.0),
            action: entry.action,
            subject: entry.subject,
            request_id: entry.request_id,
            detail: entry.detail,
        }
    }
}
