//! The public keys of an OpenID provider: the keys of a JWK set (RFC 7517) that can verify signatures.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::jose::Signed;
use super::rejection::truncate;

const MAX_KEYS: usize = 100;

#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<PublicKey>);

#[derive(Debug)]
struct PublicKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
    /// The published JWK, to detect changes of a set.
    published: Value,
}

/// The result of a verification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verified {
    Yes,
    /// The signature does not match the key.
    No,
    /// The set has no key for the token; a newer set may have one.
    UnknownKey,
    /// The token can't be verified with any set.
    Refused(String),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses a JWK set, without keys of other kinds and for other uses.
    ///
    /// # Errors
    /// A text that is not a JWK set, or a set without a usable key.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(text).map_err(|error| format!("not a JWK set: {error}"))?;
        let keys: Vec<_> = document.keys.into_iter().take(MAX_KEYS).filter_map(PublicKey::read).collect();
        if keys.is_empty() { Err("no key of the set can verify signatures".to_owned()) } else { Ok(Self(keys)) }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        let published = |set: &Self| set.0.iter().map(|key| key.published.clone()).collect::<Vec<_>>();
        published(self) == published(other)
    }

    /// Verifies a token with the key of `kid`. Without `kid`, exactly one key must support the algorithm.
    pub(super) fn verify(&self, token: &Signed<'_>) -> Verified {
        let supports = |key: &&PublicKey| key.algorithms.contains(&token.algorithm);
        let key = match &token.kid {
            Some(kid) => {
                let named = || self.0.iter().filter(|key| key.kid.as_ref() == Some(kid));
                match (named().find(supports), named().next()) {
                    (Some(key), _) => key,
                    (None, Some(_)) => {
                        let why = format!("the key '{}' does not support its alg {:?}", truncate(kid), token.algorithm);
                        return Verified::Refused(why);
                    }
                    (None, None) => return Verified::UnknownKey,
                }
            }
            None => match (self.0.iter().filter(supports).count(), self.0.iter().find(supports)) {
                (1, Some(key)) => key,
                (0, _) | (_, None) => return Verified::UnknownKey,
                _ => return Verified::Refused("the token has no kid, and several keys support its alg".to_owned()),
            },
        };
        let message = token.message.as_bytes();
        match jsonwebtoken::crypto::verify(token.signature, message, &key.key, token.algorithm) {
            Ok(true) => Verified::Yes,
            Ok(false) | Err(_) => Verified::No,
        }
    }
}

impl PublicKey {
    fn read(published: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(published.clone()).ok()?;
        let for_signatures = match &jwk.common.public_key_use {
            Some(PublicKeyUse::Signature) => true,
            None => jwk.common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify)),
            Some(_) => false,
        };
        let mut algorithms = algorithms(&jwk.algorithm);
        if let Some(named) = published.get("alg").and_then(Value::as_str) {
            algorithms.retain(|algorithm| named.parse() == Ok(*algorithm));
        }
        if !for_signatures || algorithms.is_empty() {
            return None;
        }
        Some(Self { kid: jwk.common.key_id.clone(), algorithms, key: DecodingKey::from_jwk(&jwk).ok()?, published })
    }
}

/// The algorithms of a key. A symmetric key of a public set has none, since everybody could sign with it.
fn algorithms(parameters: &AlgorithmParameters) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match parameters {
        AlgorithmParameters::RSA(_) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => vec![EdDSA],
        _ => Vec::new(),
    }
}
