//! Routes of API keys: create, list, delete. Each account manages its own keys.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::api_key::{check_expiry, check_role};
use trainyard_domain::{ApiKey, ApiKeyId, ApiKeyName, ApiKeyText, FieldError, Role, UserId};
use trainyard_http::auth::ApiKeyHash;
use trainyard_http::page::PageParams;
use trainyard_http::{Code, Json, List, Page, Path, Principal, Problem};
use trainyard_storage::ApiKeyInsertion;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::schemas::account::RoleView;
use crate::schemas::api_key::{ApiKeyView, CreatedApiKeyView};
use crate::state::ApiState;

/// A new API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRequest {
    /// A name to recognize the key by. Two keys may have the same name.
    #[schema(example = "shop-backend", min_length = 1, max_length = 64)]
    name: String,
    /// The highest role of the key, at most the role of the account; `user` when left out.
    role: Option<RoleView>,
    /// When the key expires; never when left out.
    #[schema(example = "2027-01-31T12:00:00Z")]
    expires_at: Option<DateTime<Utc>>,
}

impl ApiKeyRequest {
    /// The key of the account `user_id` with the role `owner`, and the text of the key.
    fn parse(self, user_id: UserId, owner: Role, now: DateTime<Utc>) -> Result<(ApiKey, ApiKeyText), Problem> {
        let name = ApiKeyName::parse(&self.name);
        let role = check_role(self.role.map_or(Role::User, Role::from), owner);
        // The precision of the database.
        let expires_at = self.expires_at.map(|at| check_expiry(at.trunc_subsecs(6), now)).transpose();
        match (name, role, expires_at) {
            (Ok(name), Ok(role), Ok(expires_at)) => {
                let text = ApiKeyText::generate(&mut rand::rng());
                let (id, prefix) = (ApiKeyId::at(now), text.prefix().to_owned());
                let key = ApiKey { id, user_id, name, prefix, role, created_at: now, expires_at, last_used_at: None };
                Ok((key, text))
            }
            (name, role, expires_at) => {
                let refused = [("name", name.err()), ("role", role.err()), ("expires_at", expires_at.err())];
                let errors = refused.into_iter().filter_map(|(field, why)| Some(FieldError::new(field, why?)));
                Err(Problem::validation(errors.collect()))
            }
        }
    }
}

/// Create an API key.
///
/// Creates a key for scripts and services of the own account. The key is shown only in this response; the server stores a
/// hash. Send it as `Authorization: Bearer ty_…`, like an access token. A key can't change accounts, passwords or keys, so
/// this request needs an access token.
#[utoipa::path(
    post, path = "/api-keys", operation_id = "create_api_key", tag = "accounts",
    request_body = ApiKeyRequest,
    responses(
        (status = 201, description = "The key is created.", body = CreatedApiKeyView),
        (status = 403, description = "The request is authenticated by an API key."),
        (status = 409, description = "The account has the maximum number of keys."),
        (status = 422, description = "The name is invalid, the role is higher than the role of the account, or the expiry is in the past."),
    )
)]
pub async fn create(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    Json(body): Json<ApiKeyRequest>,
) -> Result<(StatusCode, Json<CreatedApiKeyView>), Problem> {
    let (key, text) = body.parse(principal.user_id, principal.role, state.clock.now())?;
    let mut tx = state.db.begin().await?;
    let max = state.accounts.max_api_keys_per_user;
    match tx.api_keys().insert_within(&key, &ApiKeyHash::of(&text).to_string(), max).await? {
        ApiKeyInsertion::Inserted => {}
        ApiKeyInsertion::LimitReached => {
            return Err(Problem::conflict(format!(
                "the limit of {max} API keys (auth.max_api_keys_per_user) is reached; delete one first"
            )));
        }
        ApiKeyInsertion::NoOwner => {
            return Err(Problem::new(Code::Unauthenticated, "the account is disabled or no longer exists"));
        }
    }
    let detail = json!({"name": key.name.as_str(), "role": key.role, "expires_at": key.expires_at});
    actor.record(&mut tx, "api_key.create", format!("api_key:{}", key.id), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedApiKeyView::new(&key, &text))))
}

/// List API keys.
///
/// Lists the keys of the own account, newest first, without the keys themselves.
#[utoipa::path(
    get, path = "/api-keys", operation_id = "list_api_keys", tag = "accounts",
    params(PageParams),
    responses((status = 200, description = "A page of keys.", body = List<ApiKeyView>))
)]
pub async fn list(
    State(state): State<ApiState>,
    principal: Principal,
    page: Page<ApiKeyId>,
) -> Result<Json<List<ApiKeyView>>, Problem> {
    let keys = state.db.read().await?.api_keys().list(principal.user_id, page.cursor, page.fetch()).await?;
    Ok(Json(page.list(keys, |key| key.id, |key| ApiKeyView::from(&key))))
}

/// Delete an API key.
///
/// Revokes a key of the own account. Every process refuses the key within five seconds.
#[utoipa::path(
    delete, path = "/api-keys/{id}", operation_id = "delete_api_key", tag = "accounts",
    params(("id" = Uuid, Path, description = "The key.")),
    responses(
        (status = 204, description = "The key is deleted."),
        (status = 403, description = "The request is authenticated by an API key."),
        (status = 404, description = "The account has no such key."),
    )
)]
pub async fn delete(
    State(state): State<ApiState>,
    principal: Principal,
    actor: Actor,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let mut tx = state.db.begin().await?;
    let deleted = tx.api_keys().delete(principal.user_id, id).await?;
    let name = deleted.ok_or_else(|| Problem::not_found("this account has no API key with this id"))?;
    actor.record(&mut tx, "api_key.delete", format!("api_key:{id}"), json!({"name": name.as_str()})).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
