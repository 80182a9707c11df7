//! `PUT /me/password`: changes the password of the caller.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::Password;
use trainyard_http::auth::Requester;
use trainyard_http::{Json, Principal, Problem};
use trainyard_storage::NewPassword;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::sign_in::{self, Client};
use crate::state::ApiState;

/// The current and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The current password, or the one-time password of the sign-in.
    #[schema(example = "correct horse battery", format = Password)]
    current_password: String,
    /// 8 to 72 bytes.
    #[schema(example = "another horse battery", min_length = 8, max_length = 72, format = Password)]
    new_password: String,
}

/// Change the password.
///
/// Changes the password and ends all other sessions of the account. A wrong current password counts as a failed sign-in.
#[utoipa::path(
    put, path = "/me/password", operation_id = "change_password", tag = "accounts",
    request_body = PasswordChange,
    responses(
        (status = 204, description = "The password is changed. All other sessions have ended."),
        (status = 401, description = "The current password is wrong, or the caller is not signed in."),
        (status = 409, description = "The password was changed concurrently."),
        (status = 422, description = "The new password has fewer than 8 or more than 72 bytes, or equals the current one."),
        (status = 429, description = "Too many failed sign-ins for this account or from this address."),
    )
)]
pub async fn put(
    State(state): State<ApiState>,
    principal: Principal,
    client: Client,
    actor: Actor,
    Json(body): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let refuse = |message: &str| Problem::field("new_password", message);
    let password = Password::parse(body.new_password).map_err(refuse)?;
    if password.reveal() == body.current_password {
        return Err(refuse("must differ from the current password"));
    }
    let user = sign_in::verify_own(&state, &client, &principal, &body.current_password).await?;
    let requester = Requester { known: true, ..state.sign_in_limits().requester(client.address.limit_key()) };
    let permit = state.passwords.permit(requester).await?;
    let hash = state.passwords.hash(permit, &password).await?;

    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let new = NewPassword { hash: &hash, one_time_until: None, kept_session: principal.session };
    if !tx.users().set_password(user.id, &user.password_hash, new, now).await? {
        return Err(Problem::conflict("the password was changed concurrently; sign in again"));
    }
    tx.refresh_tokens().revoke_user(user.id, principal.session, now).await?;
    let detail = json!({"address": client.address.to_string()});
    actor.record(&mut tx, "account.change_password", format!("user:{}", user.id), detail).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
