//! The caller of a request.

use axum::extract::FromRequestParts;
use http::request::Parts;
use trainyard_domain::{Role, UserId};
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// An authenticated caller. Handlers of routes that ask for a user or an admin take it as an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose account it is.
    pub user_id: UserId,
    /// Its e-mail address.
    pub email: String,
    /// What it may do.
    pub role: Role,
    /// The session that the token belongs to, if it tells one.
    pub session: Option<Uuid>,
}

impl Principal {
    /// Whether the caller administers.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let principal = parts.extensions.get::<Self>().cloned();
        principal.ok_or_else(|| Problem::new(Code::Unauthenticated, "sign in to call this"))
    }
}
