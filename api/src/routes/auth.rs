//! Routes of accounts and sessions: sign-up, sign-in, refresh with rotation, sign-out, password change.

pub mod browser;
pub mod login;
pub mod password;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::access::ReadSection;
use trainyard_domain::session::RefreshDecision;
use trainyard_domain::{Email, FieldError, Password, Role, User};
use trainyard_http::middleware::RequestId;
use trainyard_http::{Code, Json, Principal, Problem};
use utoipa::ToSchema;

use crate::accounts::Signup;
use crate::audit::Actor;
use crate::schemas::account::{MeView, SessionView, UserView};
use crate::sign_in::Client;
use crate::state::ApiState;
use crate::{new_account, session};
use browser::{Cookie, PresentedToken};

/// An e-mail address and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The e-mail address, in any case.
    #[schema(example = "ada@example.com")]
    email: String,
    /// 8 to 72 bytes.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 72, format = Password)]
    password: String,
}

/// A refresh token that the client keeps itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The token from `/login` or from the last `/refresh`.
    refresh_token: String,
}

/// Sign up.
///
/// Creates an account with the role `user`.
#[utoipa::path(
    post, path = "/signup", operation_id = "signup", tag = "accounts",
    request_body = Credentials,
    responses(
        (status = 201, description = "The account is created.", body = UserView),
        (status = 403, description = "Sign-up is closed. An administrator can create an account."),
        (status = 409, description = "The e-mail address is taken."),
        (status = 422, description = "The e-mail address is invalid, or the password has fewer than 8 or more than 72 bytes."),
        (status = 429, description = "Too many sign-ups from this address."),
    )
)]
pub async fn signup(
    _open: SignupIsOpen,
    State(state): State<ApiState>,
    client: Client,
    Json(body): Json<Credentials>,
) -> Result<(StatusCode, Json<UserView>), Problem> {
    let (email, password) = parse(body)?;
    let address = client.address.limit_key();
    let permit = state.passwords.permit(state.sign_in_limits().requester(address)).await?;
    state.sign_in_limits().sign_up(address, state.clock.now())?;
    let password_hash = state.passwords.hash(permit, &password).await?;
    let user = new_account::account(email, password_hash, Role::User, state.clock.now());

    let mut tx = state.db.begin().await?;
    new_account::insert(&mut tx, &user).await?;
    let actor = Actor::account(user.id, &client.request_id);
    actor.record(&mut tx, "account.create", format!("user:{}", user.id), json!({})).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(UserView::from(&user))))
}

/// Exchange a refresh token.
///
/// Exchanges a refresh token for a new pair of tokens. A refresh token works once; a second use ends the session. Within ten
/// seconds the same client gets the same pair once more, so that two tabs can refresh concurrently.
///
/// A browser session sends no body. Its token is in the cookie of the sign-in, and the request has the header
/// `X-Trainyard-CSRF`.
#[utoipa::path(
    post, path = "/refresh", operation_id = "refresh", tag = "accounts",
    params(("X-Trainyard-CSRF" = Option<String>, Header, description = "Any value. Required for a browser session.")),
    request_body(content = RefreshRequest, description = "Left out for a browser session."),
    responses(
        (status = 200, description = "The next pair of tokens.", body = SessionView),
        (status = 401, description = "The token is unknown, expired, revoked or used already."),
        (status = 403, description = "A page of another site used a browser session."),
    )
)]
pub async fn refresh(
    State(state): State<ApiState>,
    client: Client,
    PresentedToken { token: secret, keep }: PresentedToken,
) -> Result<Response, Problem> {
    let invalid = || Problem::new(Code::InvalidCredentials, "the refresh token is not valid; sign in again");
    let (now, keys) = (state.clock.now(), state.jwt.keys());
    let (hash, from) = (keys.token_hash(&secret), keys.address(client.address.limit_key()));
    let mut tx = state.db.begin().await?;
    let mut token = tx.refresh_tokens().by_hash(&hash).await?.ok_or_else(invalid)?;
    let mut presented = token.decide(now, &from);
    // Of two concurrent requests with one token, only the first can mark the token as used.
    if presented == RefreshDecision::Rotate && !tx.refresh_tokens().mark_used(token.id, &from, now).await? {
        token = tx.refresh_tokens().by_hash(&hash).await?.ok_or_else(invalid)?;
        presented = token.decide(now, &from);
    }
    if presented == RefreshDecision::Repeat && !tx.refresh_tokens().mark_repeated(token.id).await? {
        presented = RefreshDecision::Reused;
    }
    let user = tx.users().by_id(token.user_id).await?;
    let is_valid = |user: &User| !user.disabled && !user.security.is_revoked(Some(token.family), 0);
    let user = user.filter(is_valid).ok_or_else(invalid)?;
    let session = match presented {
        RefreshDecision::Rotate => session::renew(&state, &mut tx, &user, token.family, &secret, now).await?,
        RefreshDecision::Repeat => {
            let repeated = session::repeat(&state, &mut tx, &user, &secret, now).await?;
            repeated.ok_or_else(invalid)?
        }
        RefreshDecision::Invalid => return Err(invalid()),
        RefreshDecision::Reused => {
            tx.refresh_tokens().revoke_family(token.family, now).await?;
            let (actor, address) = (Actor::account(token.user_id, &client.request_id), client.address);
            let detail = json!({"family": token.family, "address": address.to_string()});
            actor.record(&mut tx, "session.reuse_detected", format!("user:{}", token.user_id), detail).await?;
            tx.commit().await?;
            tracing::warn!(user_id = %token.user_id, %address, "a refresh token was used twice; the session is revoked");
            return Err(invalid());
        }
    };
    tx.commit().await?;
    Ok(keep.answer(session, state.config.refresh_token_ttl_s))
}

/// Sign out.
///
/// Ends the session of the refresh token. An unknown token is not an error. A browser session sends no body and the header
/// `X-Trainyard-CSRF`, as for `/refresh`; its cookie is removed.
#[utoipa::path(
    post, path = "/logout", operation_id = "logout", tag = "accounts",
    params(("X-Trainyard-CSRF" = Option<String>, Header, description = "Any value. Required for a browser session.")),
    request_body(content = RefreshRequest, description = "Left out for a browser session."),
    responses(
        (status = 204, description = "Signed out."),
        (status = 401, description = "The browser has no session."),
        (status = 403, description = "A page of another site used a browser session."),
    )
)]
pub async fn logout(
    State(state): State<ApiState>,
    request_id: RequestId,
    PresentedToken { token: secret, keep }: PresentedToken,
) -> Result<(StatusCode, Option<Cookie>, ()), Problem> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    if let Some(token) = tx.refresh_tokens().by_hash(&state.jwt.keys().token_hash(&secret)).await?
        && tx.refresh_tokens().revoke_family(token.family, now).await? > 0
    {
        let actor = Actor::account(token.user_id, &request_id);
        actor.record(&mut tx, "session.end", format!("user:{}", token.user_id), json!({})).await?;
        tx.commit().await?;
    }
    Ok((StatusCode::NO_CONTENT, keep.cleared(), ()))
}

/// Get the own account.
///
/// Returns the account of the access token or API key, and the sections that the caller may read. `role` is the effective role
/// of an API key.
#[utoipa::path(
    get, path = "/me", operation_id = "me", tag = "accounts",
    responses((status = 200, description = "The account.", body = MeView))
)]
pub async fn me(State(state): State<ApiState>, principal: Principal) -> Result<Json<MeView>, Problem> {
    let user = state.db.read().await?.users().by_id(principal.user_id).await?;
    let user = user.ok_or_else(|| Problem::new(Code::Unauthenticated, "the account no longer exists"))?;
    let may_read = ReadSection::ALL.into_iter().filter(|section| state.may_read(&principal, *section));
    let may_read = may_read.map(ReadSection::as_str).collect();
    // An API key may have a lower role than its account.
    let user = UserView { role: principal.role.into(), ..UserView::from(&user) };
    Ok(Json(MeView { user, may_read }))
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

/// Refuses the request before its body is read when sign-up is closed.
pub struct SignupIsOpen;

impl FromRequestParts<ApiState> for SignupIsOpen {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        match state.accounts.signup {
            Signup::Open => Ok(Self),
            Signup::Closed => Err(Problem::new(
                Code::Forbidden,
                "sign-up is closed (auth.signup); ask an administrator for an account",
            )),
        }
    }
}
