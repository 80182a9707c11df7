//! Pairs of access and refresh tokens, issued at sign-in and exchanged at refresh.
//!
//! A refresh token is 32 bytes. The database holds only a keyed hash. The first token of a session is random. Each successor
//! is derived from its predecessor and a key of the server, so two tabs that refresh concurrently, at two replicas, get the
//! same pair without storing it. Sessions and access tokens use the API's own clock.

use chrono::{DateTime, Duration, Utc};
use rand::Rng;
use trainyard_domain::User;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::session::RefreshToken;
use trainyard_http::Problem;
use trainyard_storage::Tx;
use uuid::Uuid;

use crate::schemas::account::SessionView;
use crate::state::ApiState;

/// Opens a session for `user`.
pub(crate) async fn open(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    now: DateTime<Utc>,
) -> Result<SessionView, Problem> {
    let secret = hex::encode(rand::rng().random::<[u8; 32]>());
    issue(state, tx, user, uuid_at(now), secret, now).await
}

/// The pair after the used refresh token `spent` of a token family.
pub(crate) async fn renew(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    family: Uuid,
    spent: &str,
    now: DateTime<Utc>,
) -> Result<SessionView, Problem> {
    issue(state, tx, user, family, state.jwt.keys().successor(spent), now).await
}

/// The pair that [`renew`] returned for `spent`; `None` when it is expired or revoked.
pub(crate) async fn repeat(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    spent: &str,
    now: DateTime<Utc>,
) -> Result<Option<SessionView>, Problem> {
    let keys = state.jwt.keys();
    let secret = keys.successor(spent);
    let found = tx.refresh_tokens().by_hash(&keys.token_hash(&secret)).await?;
    let token = found.filter(|token| token.revoked_at.is_none() && now < token.expires_at);
    token.map(|token| view(state, user, &token, secret, now)).transpose()
}

async fn issue(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    family: Uuid,
    secret: String,
    now: DateTime<Utc>,
) -> Result<SessionView, Problem> {
    let token = RefreshToken {
        id: uuid_at(now),
        family,
        user_id: user.id,
        token_hash: state.jwt.keys().token_hash(&secret),
        created_at: now,
        expires_at: now + Duration::seconds(state.config.refresh_token_ttl_s),
        used_at: None,
        used_from: None,
        repeated: false,
        revoked_at: None,
    };
    tx.refresh_tokens().insert(&token).await?;
    view(state, user, &token, secret, now)
}

/// The same stored token gives the same access token.
fn view(
    state: &ApiState,
    user: &User,
    token: &RefreshToken,
    secret: String,
    now: DateTime<Utc>,
) -> Result<SessionView, Problem> {
    let ends_at = token.created_at + state.jwt.ttl();
    Ok(SessionView {
        access_token: state.jwt.issue_in_session(user, token.family, token.id, token.created_at)?,
        token_type: "Bearer",
        expires_in: (ends_at - now).num_seconds().max(0),
        refresh_token: Some(secret),
        must_change_password: user.security.one_time.is_some(),
        user: user.into(),
    })
}
