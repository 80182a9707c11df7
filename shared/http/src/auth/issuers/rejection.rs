//! Why a token of an outside issuer is refused, as the client reads it.

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use crate::problem::{Code, Problem};

/// Longest piece of a token that a message repeats, in characters.
const MAX_ECHO: usize = 100;

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::auth) enum Rejection {
    /// It is no token, or one of our own: the answer is the one that our own tokens get.
    NotForeign,
    /// The header has a parameter that is not accepted.
    Header { name: &'static str, why: String },
    /// `iss` names nobody that is configured.
    UnknownIssuer(String),
    /// No key of the issuer verifies or decrypts it.
    UnknownKey { issuer: String, why: String },
    /// The signature, or the tag of an encrypted token, does not match.
    Signature { issuer: String },
    /// `exp` has passed.
    Expired { issuer: String },
    /// A claim is missing or wrong.
    Claim { issuer: String, name: String, why: String },
    /// The issuer's keys could not be fetched.
    KeysUnavailable { issuer: String },
    /// The token is good, but its user may not come in.
    Account { issuer: String, why: String },
}

impl Rejection {
    /// The answer: 401 that names what failed, or 503 while the keys are out of reach. `None` where the answer is the one
    /// that our own tokens get.
    pub(in crate::auth) fn into_problem(self) -> Option<Problem> {
        let (code, detail) = match self {
            Self::NotForeign => return None,
            Self::KeysUnavailable { issuer } => {
                let detail = format!("the signing keys of issuer {issuer} are unavailable; try again shortly");
                return Some(Problem::new(Code::Unavailable, detail));
            }
            Self::Header { name, why } => (Code::Unauthenticated, format!("the token's header {name} {why}")),
            Self::UnknownIssuer(iss) if iss.is_empty() => {
                let detail = "the token's claim iss is missing, and no issuer is accepted without it".to_owned();
                (Code::Unauthenticated, detail)
            }
            Self::UnknownIssuer(iss) => {
                let detail = format!("the token's claim iss names '{}', which is not an accepted issuer", cut(&iss));
                (Code::Unauthenticated, detail)
            }
            Self::UnknownKey { issuer, why } => {
                (Code::Unauthenticated, format!("issuer {issuer} has no key for the token: {why}"))
            }
            Self::Signature { issuer } => {
                (Code::Unauthenticated, format!("the token's signature is not one of issuer {issuer}"))
            }
            Self::Expired { issuer } => {
                (Code::TokenExpired, format!("the token of issuer {issuer} has expired: claim exp has passed"))
            }
            Self::Claim { issuer, name, why } => {
                (Code::Unauthenticated, format!("the token of issuer {issuer}: claim {name} {why}"))
            }
            Self::Account { issuer, why } => {
                (Code::Unauthenticated, format!("the token of issuer {issuer} is valid, but {why}"))
            }
        };
        let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
        Some(Problem::new(code, detail).header(WWW_AUTHENTICATE, challenge))
    }
}

/// `text` as a message may repeat it.
pub(super) fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(MAX_ECHO).collect()
}
