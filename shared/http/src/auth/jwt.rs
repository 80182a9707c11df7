//! Access tokens: JWTs (RFC 7519) signed with HMAC-SHA-256. No other algorithm is accepted.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use trainyard_domain::{Role, User, UserId, ids};
use uuid::Uuid;

use super::SessionKeys;
use super::jws::install_jws_provider;

/// Minimum length of a secret: the length of the hash (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Leeway for the clocks of different hosts, in seconds.
const LEEWAY_S: i64 = 30;
const MAX_CACHED: usize = 1_000;

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: UserId,
    /// The e-mail address at the time of issue.
    pub email: String,
    /// The role at the time of issue.
    pub role: Role,
    /// The time of issue, in seconds since 1970.
    pub iat: i64,
    /// The time of expiry, in seconds since 1970.
    pub exp: i64,
    /// The token is not valid before this time, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The issuer.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The id of the token.
    pub jti: Uuid,
    /// The session of the token, which refresh tokens continue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is signed by this server and has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not signed by this server, or it was modified.
    #[error("the token is not valid")]
    Invalid,
}

/// A signing secret that is too short.
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
    /// Claims of tokens with a verified signature: the signature is the most expensive check.
    verified: Cache<Box<str>, Arc<Claims>>,
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jwt({} for {})", self.issuer, self.audience)
    }
}

impl Jwt {
    /// Signs with `secret` for `issuer` and `audience`. Tokens expire after `ttl`.
    ///
    /// # Errors
    /// [`WeakSecret`] for a secret under 32 bytes.
    pub fn new(secret: &[u8], issuer: &str, audience: &str, ttl: Duration) -> Result<Self, WeakSecret> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(WeakSecret(secret.len()));
        }
        install_jws_provider();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // `verify` checks the times itself, with the time that the caller passes.
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
            verified: Cache::new(MAX_CACHED),
        })
    }

    /// The lifetime of a token.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Further keys that are derived from the secret.
    pub fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    /// A token for `user` without a session, valid from `now`.
    ///
    /// # Errors
    /// A failure to sign, which the caller can't cause.
    pub fn issue(&self, user: &User, now: DateTime<Utc>) -> Result<String, jsonwebtoken::errors::Error> {
        self.sign(user, None, ids::uuid_at(now), now)
    }

    /// A token of a session with the id `jti`, valid from `now`. Equal arguments give an equal token.
    ///
    /// # Errors
    /// A failure to sign, which the caller can't cause.
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

    /// Verifies a token at the time `now`.
    ///
    /// # Errors
    /// [`AuthError::Expired`] for a valid token that has expired. [`AuthError::Invalid`] for another algorithm (also
    /// `none`), signature, issuer or audience, for a critical header, invalid claims, and for `iat` or `nbf` in the future.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Claims>, AuthError> {
        let claims = self.verified_claims(token)?;
        let now = now.timestamp();
        if claims.exp.saturating_add(LEEWAY_S) <= now {
            return Err(AuthError::Expired);
        }
        let valid_from = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        if valid_from > now.saturating_add(LEEWAY_S) { Err(AuthError::Invalid) } else { Ok(claims) }
    }

    /// The claims of a token with a valid signature, without a check of its times.
    fn verified_claims(&self, token: &str) -> Result<Arc<Claims>, AuthError> {
        if let Some(claims) = self.verified.get(token) {
            return Ok(claims);
        }
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation);
        let decoded = decoded.map_err(|_| AuthError::Invalid)?;
        // No extension of JWS is implemented, so a token with a critical one is refused (RFC 7515, section 4.1.11).
        if decoded.header.crit.is_some() {
            return Err(AuthError::Invalid);
        }
        let claims = Arc::new(decoded.claims);
        self.verified.insert(token.into(), claims.clone());
        Ok(claims)
    }
}
