//! Parses compact tokens: JWS with three parts (RFC 7515) and JWE with five (RFC 7516). Checks their headers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::rejection::{Rejection, truncate};

const MAX_TOKEN: usize = 16 * 1024;
/// The values of `typ` that authenticate a user or a client (RFC 7519, RFC 9068). Tokens with another one, such as
/// `logout+jwt`, must not authenticate (RFC 8725, section 3.11).
const TYPES: &[&str] = &["jwt", "at+jwt"];

/// A token with an accepted header. Nothing else is verified yet.
#[derive(Debug)]
pub(super) enum Compact<'t> {
    Signed(Signed<'t>),
    Encrypted(Encrypted<'t>),
}

#[derive(Debug)]
pub(super) struct Signed<'t> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// The signed text: header and payload as they were sent.
    pub(super) message: &'t str,
    pub(super) signature: &'t str,
    /// The payload, which is not trusted before the signature is verified.
    pub(super) claims: Map<String, Value>,
}

#[derive(Debug)]
pub(super) struct Encrypted<'t> {
    pub(super) encryption: Encryption,
    pub(super) kid: Option<String>,
    /// The header as it was sent, which the tag authenticates.
    pub(super) protected: &'t str,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// The encryption of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Auth.js.
    A256CbcHs512,
    /// NextAuth 4.
    A256Gcm,
}

impl<'t> Compact<'t> {
    /// Splits a token and checks its header.
    ///
    /// # Errors
    /// [`Rejection::NotExternal`] for a text that is not a token, [`Rejection::Header`] for an unsupported header.
    pub(super) fn parse(token: &'t str) -> Result<Self, Rejection> {
        let parts: Vec<&str> = if token.len() > MAX_TOKEN { Vec::new() } else { token.split('.').collect() };
        match parts.as_slice() {
            [header, payload, signature] => {
                let header = Header::parse(header)?;
                let message = &token[..token.len() - signature.len() - 1];
                let algorithm = header.algorithm()?;
                let claims = object(payload).ok_or(Rejection::NotExternal)?;
                Ok(Self::Signed(Signed { algorithm, kid: header.kid()?, message, signature, claims }))
            }
            [protected, key, iv, ciphertext, tag] => {
                let header = Header::parse(protected)?;
                let encryption = header.encryption(key)?;
                let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Rejection::NotExternal);
                Ok(Self::Encrypted(Encrypted {
                    encryption,
                    kid: header.kid()?,
                    protected,
                    iv: bytes(iv)?,
                    ciphertext: bytes(ciphertext)?,
                    tag: bytes(tag)?,
                }))
            }
            _ => Err(Rejection::NotExternal),
        }
    }
}

struct Header(Map<String, Value>);

impl Header {
    fn parse(part: &str) -> Result<Self, Rejection> {
        let header = Self(object(part).ok_or(Rejection::NotExternal)?);
        if header.0.contains_key("crit") {
            return Err(refused("crit", "lists extensions, and none is supported"));
        }
        match header.0.get("typ").map(Value::as_str) {
            None => Ok(header),
            Some(Some(typ)) => {
                let bare = typ.to_ascii_lowercase();
                if TYPES.contains(&bare.strip_prefix("application/").unwrap_or(&bare)) {
                    return Ok(header);
                }
                Err(refused("typ", format!("must be JWT or at+jwt, not '{}'", truncate(typ))))
            }
            Some(None) => Err(refused("typ", "must be JWT or at+jwt")),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn algorithm(&self) -> Result<Algorithm, Rejection> {
        let name = self.text("alg");
        name.parse().map_err(|_| refused("alg", format!("is '{}', which is not a supported algorithm", truncate(name))))
    }

    /// The encryption of the token. `key`, the encrypted key, must be empty: the shared key is used directly.
    fn encryption(&self, key: &str) -> Result<Encryption, Rejection> {
        if self.text("alg") != "dir" || !key.is_empty() {
            return Err(refused(
                "alg",
                format!("of an encrypted token must be dir, not '{}'", truncate(self.text("alg"))),
            ));
        }
        if self.0.contains_key("zip") {
            return Err(refused("zip", "is set, but compression is not supported"));
        }
        match self.text("enc") {
            "A256CBC-HS512" => Ok(Encryption::A256CbcHs512),
            "A256GCM" => Ok(Encryption::A256Gcm),
            other => Err(refused("enc", format!("must be A256CBC-HS512 or A256GCM, not '{}'", truncate(other)))),
        }
    }

    fn kid(&self) -> Result<Option<String>, Rejection> {
        match self.0.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) => Ok(Some(kid.clone())),
            Some(_) => Err(refused("kid", "must be a text")),
        }
    }
}

fn refused(name: &'static str, why: impl Into<String>) -> Rejection {
    Rejection::Header { name, why: why.into() }
}

/// Decodes a part that contains a JSON object.
fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
