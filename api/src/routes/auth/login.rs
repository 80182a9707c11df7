//! `POST /login`: exchanges an e-mail address and a password for a pair of tokens.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use trainyard_http::{Json, Problem, Query};

use super::Credentials;
use super::browser::LoginQuery;
use crate::schemas::account::SessionView;
use crate::session;
use crate::sign_in::{self, Client};
use crate::state::ApiState;

/// Sign in.
///
/// Returns an access token and a refresh token for the next access token. With `session=cookie` the response has no refresh
/// token: the browser keeps it in an HttpOnly cookie.
#[utoipa::path(
    post, path = "/login", operation_id = "login", tag = "accounts",
    params(LoginQuery),
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in.", body = SessionView),
        (status = 401, description = "The e-mail address or the password is wrong."),
        (status = 429, description = "Too many failed sign-ins for this account or from this address."),
    )
)]
pub async fn login(
    State(state): State<ApiState>,
    client: Client,
    Query(query): Query<LoginQuery>,
    headers: HeaderMap,
    Json(body): Json<Credentials>,
) -> Result<Response, Problem> {
    let user = sign_in::verify(&state, &client, &body.email, &body.password).await?;
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // The account may have changed while the password was checked.
    if !tx.users().lock_verified(user.id, &user.password_hash).await? {
        return Err(sign_in::invalid_credentials());
    }
    if user.security.one_time.is_some() && !tx.users().use_one_time_password(user.id, now).await? {
        return Err(sign_in::invalid_credentials());
    }
    let known_until = now + state.accounts.known_address_ttl();
    let address = state.jwt.keys().address(client.address.limit_key());
    tx.known_addresses().remember(user.id, &address, known_until).await?;
    let session = session::open(&state, &mut tx, &user, now).await?;
    tx.commit().await?;
    sign_in::count("ok");
    Ok(query.keep(&headers).answer(session, state.config.refresh_token_ttl_s))
}
