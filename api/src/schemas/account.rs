//! Schemas of accounts, sessions and the audit trail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainyard_domain::{Role, User};
use trainyard_storage::AuditEntry;
use utoipa::ToSchema;
use uuid::Uuid;

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoleView {
    /// May predict and read models, and read the sections in `auth.users_may_read`.
    User,
    /// May also upload, train, delete and administer accounts.
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

/// An account, for its owner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    /// The id of the account.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub id: Uuid,
    /// The e-mail address, in lower case.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// The role of the account.
    pub role: RoleView,
    /// When the account was created.
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

/// The account of the caller.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MeView {
    /// The account.
    #[serde(flatten)]
    pub user: UserView,
    /// The sections that the account may read besides models and its own jobs: `training`, `datasets`, `schedules`,
    /// `webhooks`, `queue`. Administrators may read all.
    #[schema(value_type = Vec<String>, example = json!(["training"]))]
    pub may_read: Vec<&'static str>,
}

/// An account, for administrators.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountView {
    /// The account.
    #[serde(flatten)]
    pub user: UserView,
    /// Whether the account is disabled: sign-ins and tokens of the account are refused.
    #[schema(example = false)]
    pub disabled: bool,
}

impl From<&User> for AccountView {
    fn from(user: &User) -> Self {
        Self { user: user.into(), disabled: user.disabled }
    }
}

/// A session: an access token and a refresh token.
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
    /// Exchanged once for the next pair of tokens. A second use ends the session. Absent in a browser session, whose cookie
    /// contains the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "5b1f0c…")]
    pub refresh_token: Option<String>,
    /// Present and `true` after a sign-in with a one-time password, which does not work again. Set a password with
    /// `PUT /me/password`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = false)]
    pub must_change_password: bool,
    /// The account that signed in.
    pub user: UserView,
}

/// An account with a one-time password for its owner.
#[derive(Serialize, ToSchema)]
pub struct InvitedView {
    /// The account.
    #[serde(flatten)]
    pub account: AccountView,
    /// Works for one sign-in. It is shown only in this response.
    #[schema(example = "k3Jx0rW2pQ9sT7uVbNcM")]
    pub one_time_password: String,
    /// When the one-time password expires.
    pub one_time_password_expires_at: DateTime<Utc>,
}

impl InvitedView {
    /// The response with the one-time password of `user`.
    pub fn new(user: &User, one_time_password: String, expires_at: DateTime<Utc>) -> Self {
        Self { account: user.into(), one_time_password, one_time_password_expires_at: expires_at }
    }
}

/// One record of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// The id of the record.
    pub id: Uuid,
    /// When the action happened.
    pub at: DateTime<Utc>,
    /// The account that did the action; `null` for the server itself.
    #[schema(required)]
    pub actor: Option<Uuid>,
    /// The action.
    #[schema(example = "dataset.create")]
    pub action: String,
    /// The object of the action: a kind with a name or an id.
    #[schema(example = "dataset:titanic")]
    pub subject: String,
    /// The id of the request.
    #[schema(required)]
    pub request_id: Option<String>,
    /// More fields, which depend on the action.
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
