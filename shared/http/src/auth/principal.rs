//! The caller of a request.

use axum::extract::FromRequestParts;
use http::request::Parts;
use trainyard_domain::{ApiKeyId, Role, UserId};
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// An authenticated caller: an extractor for routes with authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub user_id: UserId,
    /// The e-mail address.
    pub email: String,
    /// The role.
    pub role: Role,
    /// The session of the token, if there is one.
    pub session: Option<Uuid>,
    /// The API key, if the caller is authenticated by one. The role is then the effective role of the key.
    pub api_key: Option<ApiKeyId>,
}

impl Principal {
    /// Whether the caller is an administrator.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Self>().cloned();
        principal.ok_or_else(|| Problem::new(Code::Unauthenticated, "this request needs an access token or an API key"))
    }
}
