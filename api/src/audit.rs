//! The audit trail. Each change to an account and each action of an administrator writes a row in the same transaction.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::Value;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{ApiKeyId, UserId};
use trainyard_http::middleware::RequestId;
use trainyard_http::{Principal, Problem};
use trainyard_storage::{AuditEntry, Tx};

/// The account and the request that make a change. As an extractor: the caller of the request.
#[derive(Debug, Clone)]
pub struct Actor {
    user: Option<UserId>,
    request_id: Option<String>,
    /// The API key that authenticated the request.
    api_key: Option<ApiKeyId>,
}

impl Actor {
    /// An account that has no token yet, for example at sign-up.
    pub(crate) fn account(user: UserId, request: &RequestId) -> Self {
        Self { user: Some(user), request_id: Some(request.as_str().to_owned()), api_key: None }
    }

    /// A client that is not signed in.
    pub(crate) fn anonymous(request: &RequestId) -> Self {
        Self { user: None, request_id: Some(request.as_str().to_owned()), api_key: None }
    }

    /// An account whose request is carried out later.
    pub(crate) fn stored(user: UserId, request_id: Option<String>) -> Self {
        Self { user: Some(user), request_id, api_key: None }
    }

    /// The server itself.
    pub(crate) fn server() -> Self {
        Self { user: None, request_id: None, api_key: None }
    }

    /// The account; `None` for the server itself and for clients that are not signed in.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.user
    }

    /// The id of the request.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.request_id.clone()
    }

    /// Records that this actor did `action` (`<kind>.<verb>`) to `subject` (`<kind>:<name or id>`). The detail also contains
    /// the id of the API key, if the request was authenticated by one.
    pub(crate) async fn record(
        &self,
        tx: &mut Tx,
        action: &str,
        subject: String,
        mut detail: Value,
    ) -> Result<(), trainyard_storage::StorageError> {
        if let (Some(key), Some(fields)) = (self.api_key, detail.as_object_mut()) {
            fields.insert("api_key".to_owned(), key.to_string().into());
        }
        // The database's time orders the records of all replicas.
        let now = tx.now().await?;
        let entry = AuditEntry {
            id: uuid_at(now),
            at: now,
            actor: self.user,
            action: action.to_owned(),
            subject,
            request_id: self.request_id(),
            detail,
        };
        tx.audit().insert(&entry).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, state).await?;
        let request_id = RequestId::from_request_parts(parts, state).await?;
        Ok(Self { api_key: principal.api_key, ..Self::account(principal.user_id, &request_id) })
    }
}
