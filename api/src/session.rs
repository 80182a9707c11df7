//! Pairs of tokens: issued at sign-in, exchanged at refresh.
//!
//! A refresh token is 32 random bytes that only its holder knows; the database keeps the SHA-256 of it. Sessions go by
//! the API's own clock, as the access tokens do.

use chrono::{DateTime, Duration, Utc};
use rand::Rng;
use sha2::{Digest, Sha256};
use trainyard_domain::User;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::session::RefreshToken;
use trainyard_http::Problem;
use trainyard_storage::Tx;
use uuid::Uuid;

use crate::state::ApiState;
use crate::views::account::SessionView;

/// Opens a session for `user`: in the family of the token it continues, or in a new one.
pub(crate) async fn open(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    family: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<SessionView, Problem> {
    let secret = hex::encode(rand::rng().random::<[u8; 32]>());
    let token = RefreshToken {
        id: uuid_at(now),
        family: family.unwrap_or_else(|| uuid_at(now)),
        user_id: user.id,
        token_hash: hash(&secret),
        created_at: now,
        expires_at: now + Duration::seconds(state.config.refresh_token_ttl_s),
        used_at: None,
        revoked_at: None,
    };
    tx.refresh_tokens().insert(&token).await?;
    Ok(SessionView {
        access_token: state.jwt.issue(user, now)?,
        token_type: "Bearer",
        expires_in: state.jwt.ttl().num_seconds(),
        refresh_token: secret,
        user: user.into(),
    })
}

/// What the database keeps of a refresh token. The token is random, so a plain digest can't be guessed back.
pub(crate) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
