//! Schemas of API keys.

use chrono::{DateTime, Utc};
use serde::Serialize;
use trainyard_domain::{ApiKey, ApiKeyText};
use utoipa::ToSchema;
use uuid::Uuid;

use super::account::RoleView;

/// An API key, without the key itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKeyView {
    /// The id, for the deletion.
    #[schema(example = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11")]
    pub id: Uuid,
    /// The name that the owner gave.
    #[schema(example = "shop-backend")]
    pub name: String,
    /// The first characters of the key, to recognize it.
    #[schema(example = "ty_AbCd")]
    pub prefix: String,
    /// The highest role of the key. While the account has a lower role, the lower role applies.
    pub role: RoleView,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
    /// When the key expires; `null` for never.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    /// When the key was last used, with a precision of about a minute; `null` for never.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<&ApiKey> for ApiKeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.0,
            name: key.name.as_str().to_owned(),
            prefix: key.prefix.clone(),
            role: key.role.into(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A new API key.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKeyView {
    /// The key's properties.
    #[serde(flatten)]
    pub properties: ApiKeyView,
    /// The key itself, for the header `Authorization: Bearer`. It is shown only in this response.
    #[schema(example = "ty_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ABCD")]
    pub key: String,
}

impl CreatedApiKeyView {
    /// The response with the text of a new key.
    pub fn new(key: &ApiKey, text: &ApiKeyText) -> Self {
        Self { properties: key.into(), key: text.reveal().to_owned() }
    }
}
