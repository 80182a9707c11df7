//! Accounts and sessions: sign-up, sign-in, refresh with rotation, sign-out, "who am I".

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::session::Presented;
use trainyard_domain::{Email, FieldError, Password, Role, User, UserId};
use trainyard_http::middleware::RequestId;
use trainyard_http::{Code, Json, Principal, Problem};
use trainyard_storage::StorageError;
use trainyard_telemetry::catalogue;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::session;
use crate::state::ApiState;
use crate::views::account::{SessionView, UserView};

/// An e-mail address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The address; case does not matter.
    #[schema(example = "ada@example.com")]
    email: String,
    /// 8 to 72 bytes.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 72, format = Password)]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// As `/login` or the last `/refresh` gave it.
    refresh_token: String,
}

/// Sign up.
///
/// Opens an account with the role `user`.
#[utoipa::path(
    post, path = "/signup", operation_id = "signup", tag = "accounts",
    request_body = Credentials,
    responses(
        (status = 201, description = "The account is open.", body = UserView),
        (status = 409, description = "The e-mail address is taken."),
        (status = 422, description = "Not an e-mail address, or a password of fewer than 8 or more than 72 bytes."),
    )
)]
pub async fn signup(
    State(state): State<ApiState>,
    request_id: RequestId,
    Json(body): Json<Credentials>,
) -> Result<(StatusCode, Json<UserView>), Problem> {
    let (email, password) = parse(body)?;
    let password_hash = state.passwords.hash(&password).await?;
    let created_at = state.clock.now();
    let id = UserId::at(created_at);
    let user = User { id, email, password_hash, role: Role::User, disabled: false, created_at };

    let mut tx = state.db.begin().await?;
    match tx.users().insert(&user).await {
        Err(StorageError::Conflict) => {
            return Err(Problem::conflict("an account with this e-mail address exists already"));
        }
        inserted => inserted?,
    }
    let actor = Actor::account(id, &request_id);
    actor.did(&mut tx, "account.create", format!("user:{id}"), json!({})).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(UserView::from(&user))))
}

/// Sign in.
///
/// Gives an access token for an hour, and a refresh token that buys the next one.
#[utoipa::path(
    post, path = "/login", operation_id = "login", tag = "accounts",
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in.", body = SessionView),
        (status = 401, description = "Wrong e-mail address or password; which of them is not told."),
    )
)]
pub async fn login(State(state): State<ApiState>, Json(body): Json<Credentials>) -> Result<Json<SessionView>, Problem> {
    let found = match Email::parse(&body.email) {
        Ok(email) => state.db.read().await?.users().by_email(email.as_str()).await?,
        Err(_) => None,
    };
    // Unknown addresses are checked against a dummy hash, so that the time of the answer tells nothing.
    let hash = found.as_ref().map(|user| user.password_hash.as_str());
    let verified = state.passwords.verify_or_dummy(&body.password, hash).await.inspect_err(|_| count("busy"))?;
    let user = match found {
        Some(user) if verified && !user.disabled => user,
        found => {
            count(if verified && found.is_some() { "disabled" } else { "refused" });
            return Err(Problem::new(Code::InvalidCredentials, "the e-mail address or the password is wrong"));
        }
    };

    let mut tx = state.db.begin().await?;
    let session = session::open(&state, &mut tx, &user, None, state.clock.now()).await?;
    tx.commit().await?;
    count("ok");
    Ok(Json(session))
}

/// Exchange a refresh token.
///
/// Exchanges a refresh token for a new pair. Each works once; a second use ends every session that came from it.
#[utoipa::path(
    post, path = "/refresh", operation_id = "refresh", tag = "accounts",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "The next pair of tokens.", body = SessionView),
        (status = 401, description = "The token is unknown, expired, revoked, or was used before."),
    )
)]
pub async fn refresh(
    State(state): State<ApiState>,
    request_id: RequestId,
    Json(body): Json<RefreshRequest>,
) -> Result<Json<SessionView>, Problem> {
    let over = || Problem::new(Code::InvalidCredentials, "the refresh token is not valid; sign in again");
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let token = tx.refresh_tokens().by_hash(&session::hash(&body.refresh_token)).await?.ok_or_else(over)?;
    let first_use = match token.present(now) {
        Presented::Over => return Err(over()),
        Presented::Reused => false,
        // Two requests may present one token at once: the database lets the first of them mark it.
        Presented::Rotate => tx.refresh_tokens().mark_used(token.id, now).await?,
    };
    if !first_use {
        tx.refresh_tokens().revoke_family(token.family, now).await?;
        let actor = Actor::account(token.user_id, &request_id);
        let subject = format!("user:{}", token.user_id);
        actor.did(&mut tx, "session.reuse_detected", subject, json!({"family": token.family})).await?;
        tx.commit().await?;
        tracing::warn!(user_id = %token.user_id, "a refresh token was used twice; its family is revoked");
        return Err(over());
    }
    let user = tx.users().by_id(token.user_id).await?.filter(|user| !user.disabled).ok_or_else(over)?;
    let session = session::open(&state, &mut tx, &user, Some(token.family), now).await?;
    tx.commit().await?;
    Ok(Json(session))
}

/// Sign out.
///
/// Ends the session that the refresh token belongs to. An unknown token is no error: its session is over as well.
#[utoipa::path(
    post, path = "/logout", operation_id = "logout", tag = "accounts",
    request_body = RefreshRequest,
    responses((status = 204, description = "Signed out."))
)]
pub async fn logout(
    State(state): State<ApiState>,
    request_id: RequestId,
    Json(body): Json<RefreshRequest>,
) -> Result<StatusCode, Problem> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    if let Some(token) = tx.refresh_tokens().by_hash(&session::hash(&body.refresh_token)).await?
        && tx.refresh_tokens().revoke_family(token.family, now).await? > 0
    {
        let actor = Actor::account(token.user_id, &request_id);
        actor.did(&mut tx, "session.end", format!("user:{}", token.user_id), json!({})).await?;
        tx.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Who am I.
///
/// The account that the access token belongs to.
#[utoipa::path(
    get, path = "/me", operation_id = "me", tag = "accounts",
    responses((status = 200, description = "The account.", body = UserView))
)]
pub async fn me(State(state): State<ApiState>, principal: Principal) -> Result<Json<UserView>, Problem> {
    let user = state.db.read().await?.users().by_id(principal.user_id).await?;
    let user = user.ok_or_else(|| Problem::new(Code::Unauthenticated, "the account no longer exists"))?;
    Ok(Json(UserView::from(&user)))
}

fn parse(body: Credentials) -> Result<(Email, Password), Problem> {
    match (Email::parse(&body.email), Password::parse(body.password)) {
        (Ok(email), Ok(password)) => Ok((email, password)),
        (email, password) => {
            let email = email.err().map(|message| FieldError::new("email", message));
            let password = password.err().map(|message| FieldError::new("password", message));
            Err(Problem::validation(email.into_iter().chain(password).collect()))
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(catalogue::AUTH_LOGINS_TOTAL, "outcome" => outcome).increment(1);
}
