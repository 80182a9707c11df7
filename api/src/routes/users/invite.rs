//! One-time passwords, for new accounts and for forgotten passwords.
//!
//! A one-time password works for one sign-in until it expires. The owner then sets a password with `PUT /me/password`. Until
//! then nobody can sign in again, including the administrator who saw the one-time password.

use axum::extract::State;
use axum::http::StatusCode;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::user::OneTimePassword;
use trainyard_domain::{Email, Password, Role, UserId};
use trainyard_http::auth::Requester;
use trainyard_http::{ClientAddress, Json, Path, Problem};
use trainyard_storage::NewPassword;
use utoipa::ToSchema;

use super::missing;
use crate::audit::Actor;
use crate::new_account;
use crate::schemas::account::{InvitedView, RoleView};
use crate::state::ApiState;

/// Length of a one-time password: 119 bits of randomness.
const LENGTH: usize = 20;

/// An invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The e-mail address, in any case.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The role of the account; `user` when left out.
    role: Option<RoleView>,
}

/// Invite a person.
///
/// Creates an account with a one-time password, which is shown only in this response. The one-time password works for one
/// sign-in within `auth.one_time_password_ttl_s` seconds. The owner then sets a password with `PUT /me/password`.
#[utoipa::path(
    post, path = "/admin/users", operation_id = "invite_account", tag = "administration",
    request_body = Invitation,
    responses(
        (status = 201, description = "The account is created.", body = InvitedView),
        (status = 409, description = "The e-mail address is taken."),
        (status = 422, description = "The e-mail address or the role is invalid."),
    )
)]
pub async fn invite(
    State(state): State<ApiState>,
    address: ClientAddress,
    actor: Actor,
    Json(body): Json<Invitation>,
) -> Result<(StatusCode, Json<InvitedView>), Problem> {
    let email = Email::parse(&body.email).map_err(|message| Problem::field("email", message))?;
    let (password, hash) = one_time_password(&state, address).await?;
    let created_at = state.clock.now();
    let expires_at = created_at + state.accounts.one_time_password_ttl();
    let mut user = new_account::account(email, hash, body.role.map_or(Role::User, Role::from), created_at);
    user.security.one_time = Some(OneTimePassword { expires_at, used_at: None });
    let mut tx = state.db.begin().await?;
    new_account::insert(&mut tx, &user).await?;
    actor.record(&mut tx, "account.invite", format!("user:{}", user.id), json!({"role": user.role})).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(InvitedView::new(&user, password, expires_at))))
}

/// Reset a password.
///
/// Replaces the password of an account with a one-time password, which is shown only in this response. All sessions of the
/// account end.
#[utoipa::path(
    post, path = "/admin/users/{id}/reset-password", operation_id = "reset_password", tag = "administration",
    params(("id" = Uuid, Path, description = "The account.")),
    responses(
        (status = 200, description = "The account with its one-time password.", body = InvitedView),
        (status = 404, description = "The account does not exist."),
        (status = 409, description = "The password was changed concurrently."),
    )
)]
pub async fn reset_password(
    State(state): State<ApiState>,
    address: ClientAddress,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<Json<InvitedView>, Problem> {
    let user = state.db.read().await?.users().by_id(id).await?.ok_or_else(missing)?;
    let (password, hash) = one_time_password(&state, address).await?;
    let now = state.clock.now();
    let expires_at = now + state.accounts.one_time_password_ttl();
    let mut tx = state.db.begin().await?;
    let new = NewPassword { hash: &hash, one_time_until: Some(expires_at), kept_session: None };
    if !tx.users().set_password(id, &user.password_hash, new, now).await? {
        return Err(Problem::conflict("the password was changed concurrently; try again"));
    }
    tx.refresh_tokens().revoke_user(id, None, now).await?;
    actor.record(&mut tx, "account.reset_password", format!("user:{id}"), json!({})).await?;
    tx.commit().await?;
    Ok(Json(InvitedView::new(&user, password, expires_at)))
}

/// A random one-time password.
pub(crate) fn random_password() -> String {
    rand::rng().sample_iter(Alphanumeric).take(LENGTH).map(char::from).collect()
}

async fn one_time_password(state: &ApiState, address: ClientAddress) -> Result<(String, String), Problem> {
    let text = random_password();
    let password = Password::parse(text.clone()).map_err(Problem::internal)?;
    let requester = Requester { known: true, ..state.sign_in_limits().requester(address.limit_key()) };
    let permit = state.passwords.permit(requester).await?;
    Ok((text, state.passwords.hash(permit, &password).await?))
}
