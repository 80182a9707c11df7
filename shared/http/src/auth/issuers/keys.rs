//! The public keys of an OpenID provider: a JWK set (RFC 7517), of which only keys that can verify signatures are kept.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::jose::Signed;
use super::rejection::cut;

/// Most keys of one set.
const MAX_KEYS: usize = 100;

/// An issuer's keys.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<PublicKey>);

#[derive(Debug)]
struct PublicKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
    /// As it was published, to tell whether a set has changed.
    published: Value,
}

/// What a key set says about a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verified {
    Yes,
    /// The signature is not the key's.
    No,
    /// No key fits; a newer set may have one.
    UnknownKey,
    /// A key fits, but not to this token; a newer set changes nothing.
    Refused(String),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWK set; keys of other kinds and for other uses are left out.
    ///
    /// # Errors
    /// When it is none, or has no usable key.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(text).map_err(|error| format!("no JWK set: {error}"))?;
        let keys: Vec<_> = document.keys.into_iter().take(MAX_KEYS).filter_map(PublicKey::read).collect();
        if keys.is_empty() { Err("no key in it can verify signatures".to_owned()) } else { Ok(Self(keys)) }
    }

    /// Whether both have the same keys.
    pub(super) fn same(&self, other: &Self) -> bool {
        let published = |set: &Self| set.0.iter().map(|key| key.published.clone()).collect::<Vec<_>>();
        published(self) == published(other)
    }

    /// Checks a token's signature with the key that it names, or with the only one that fits where it names none.
    pub(super) fn verify(&self, token: &Signed<'_>) -> Verified {
        let fits = |key: &&PublicKey| key.algorithms.contains(&token.algorithm);
        let key = match &token.kid {
            Some(kid) => {
                let named = || self.0.iter().filter(|key| key.kid.as_ref() == Some(kid));
                match (named().find(fits), named().next()) {
                    (Some(key), _) => key,
                    (None, Some(_)) => {
                        let why = format!("its alg {:?} is not one of key '{}'", token.algorithm, cut(kid));
                        return Verified::Refused(why);
                    }
                    (None, None) => return Verified::UnknownKey,
                }
            }
            None => match (self.0.iter().filter(fits).count(), self.0.iter().find(fits)) {
                (1, Some(key)) => key,
                (0, _) | (_, None) => return Verified::UnknownKey,
                _ => return Verified::Refused("it names none (kid), and several fit".to_owned()),
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

/// What a key of this kind can verify. A symmetric key in a public set verifies nothing: everybody could sign with it.
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
