//! `POST /login`: an e-mail address and a password for a pair of tokens.

use axum::extract::State;
use trainyard_http::{Json, Problem};

use super::Credentials;
use crate::session;
use crate::sign_in::{self, Client};
use crate::state::ApiState;
use crate::views::account::SessionView;

/// Sign in.
///
/// Gives an access token for an hour, and a refresh token that buys the next one.
#[utoipa::path(
    post, path = "/login", operation_id = "login", tag = "accounts",
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in.", body = SessionView),
        (status = 401, description = "Wrong e-mail address or password; the answer does not tell which."),
        (status = 429, description = "Too many failed sign-ins, at this account or from this address."),
    )
)]
pub async fn login(
    State(state): State<ApiState>,
    client: Client,
    Json(body): Json<Credentials>,
) -> Result<Json<SessionView>, Problem> {
    let user = sign_in::verify(&state, &client, &body.email, &body.password).await?;
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // The account may have changed while its password was checked.
    if !tx.users().hold(user.id, &user.password_hash).await? {
        return Err(sign_in::wrong());
    }
    if user.security.one_time.is_some() && !tx.users().use_one_time_password(user.id, now).await? {
        return Err(sign_in::wrong());
    }
    let known_until = now + state.accounts.known_address_ttl();
    let address = state.jwt.keys().address(client.address.limited_as());
    tx.known_addresses().remember(user.id, &address, known_until).await?;
    let session = session::open(&state, &mut tx, &user, now).await?;
    tx.commit().await?;
    sign_in::count("ok");
    Ok(Json(session))
}
