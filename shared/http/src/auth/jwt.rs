//! Access tokens: JWTs signed with HMAC-SHA-256 (RFC 7519), issued here and verified against an explicit algorithm.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use trainyard_domain::{Role, User, UserId, ids};
use uuid::Uuid;

use super::SessionKeys;

/// Fewest bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Clocks of two hosts may differ by this many seconds.
const LEEWAY_S: i64 = 30;
/// Tokens that are remembered.
const MAX_KNOWN: usize = 1_000;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose it is.
    pub sub: UserId,
    /// The e-mail address when it was issued.
    pub email: String,
    /// The role when it was issued.
    pub role: Role,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it begins to count, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Who issued it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// Its own id.
    pub jti: Uuid,
    /// The session it belongs to: the family of its refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
}

/// Why a token is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It was ours and is over.
    #[error("the token has expired")]
    Expired,
    /// It is not ours, or was changed.
    #[error("the token is not valid")]
    Invalid,
}

/// A signing secret that could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at least {MIN_SECRET_BYTES} bytes, has {0}")]
pub struct WeakSecret(usize);

/// Issues and verifies access tokens.
pub struct Jwt {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    issuer: String,
    audience: String,
    ttl: Duration,
    keys: SessionKeys,
    /// Tokens whose signature was found good: it stays good, and checking it takes longer than anything else about them.
    known: RwLock<HashMap<Box<str>, Claims>>,
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jwt({} for {})", self.issuer, self.audience)
    }
}

impl Jwt {
    /// Signs with `secret` for `issuer` and `audience`; tokens last for `ttl`.
    ///
    /// # Errors
    /// [`WeakSecret`] for a secret under 32 bytes.
    pub fn new(secret: &[u8], issuer: &str, audience: &str, ttl: Duration) -> Result<Self, WeakSecret> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(WeakSecret(secret.len()));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The crate reads the machine's clock; `verify` looks at the one it is given.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self {
            signing: EncodingKey::from_secret(secret),
            verifying: DecodingKey::from_secret(secret),
            validation,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            ttl,
            keys: SessionKeys::derive(secret),
            known: RwLock::default(),
        })
    }

    /// How long a token lasts.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Keys for what else depends on the secret.
    pub fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    /// A token for `user` that belongs to no session, valid from `now`.
    ///
    /// # Errors
    /// When the signature can't be made; not the caller's doing.
    pub fn issue(&self, user: &User, now: DateTime<Utc>) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(user, None, ids::uuid_at(now), now)
    }

    /// The token with the id `jti` of a session, valid from `now`: the same text each time.
    ///
    /// # Errors
    /// As [`Jwt::issue`].
    pub fn issue_in_session(
        &self,
        user: &User,
        session: Uuid,
        jti: Uuid,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(user, Some(session), jti, now)
    }

    fn sign(
        &self,
        user: &User,
        sid: Option<Uuid>,
        jti: Uuid,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: user.id,
            email: user.email.as_str().to_owned(),
            role: user.role,
            iat: now.timestamp(),
            exp: (now + self.ttl).timestamp(),
            nbf: None,
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            jti,
            sid,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// Reads a token as of `now`.
    ///
    /// # Errors
    /// [`AuthError::Expired`] for one of ours that is over, [`AuthError::Invalid`] for everything else: another
    /// algorithm (`none` too), signature, issuer or audience, a critical header, claims that don't read, or a time of
    /// issue or begin that is yet to come.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, AuthError> {
        let claims = self.read(token)?;
        let now = now.timestamp();
        if claims.exp.saturating_add(LEEWAY_S) <= now {
            return Err(AuthError::Expired);
        }
        let begins = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        if begins > now.saturating_add(LEEWAY_S) { Err(AuthError::Invalid) } else { Ok(claims) }
    }

    /// What a token of ours says, in time or not.
    fn read(&self, token: &str) -> Result<Claims, AuthError> {
        if let Some(claims) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(token) {
            return Ok(claims.clone());
        }
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation);
        let decoded = decoded.map_err(|_| AuthError::Invalid)?;
        // No extension of JWS is implemented here, so none that must be understood is (RFC 7515, section 4.1.11).
        if decoded.header.crit.is_some() {
            return Err(AuthError::Invalid);
        }
        let claims = decoded.claims;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(token.into(), claims.clone());
        Ok(claims)
    }
}
