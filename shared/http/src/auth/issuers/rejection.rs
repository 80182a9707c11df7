//! Why a token of an external issuer is refused, with the message for the client.

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use crate::problem::{Code, Problem};

/// Most characters of a token that a message quotes.
const MAX_QUOTED: usize = 100;

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::auth) enum Rejection {
    /// Not a token, or a token of this server: the response is that of the own tokens.
    NotExternal,
    /// A header parameter is not supported.
    Header { name: &'static str, why: String },
    /// No configured issuer has this `iss`.
    UnknownIssuer(String),
    /// The issuer has no key for the token.
    UnknownKey { issuer: String, why: String },
    /// The signature or the authentication tag does not match.
    Signature { issuer: String },
    /// `exp` has passed.
    Expired { issuer: String },
    /// A claim is missing or invalid.
    Claim { issuer: String, name: String, why: String },
    /// The issuer's keys could not be fetched.
    KeysUnavailable { issuer: String },
    /// The token is valid, but its user is refused.
    Account { issuer: String, why: String },
}

impl Rejection {
    /// 401 with the failed check, or 503 while keys are unavailable. `None` for the response of the own tokens.
    pub(in crate::auth) fn into_problem(self) -> Option<Problem> {
        let (code, detail) = match self {
            Self::NotExternal => return None,
            Self::KeysUnavailable { issuer } => {
                let detail = format!("the signing keys of issuer {issuer} are unavailable; try again shortly");
                return Some(Problem::new(Code::Unavailable, detail));
            }
            Self::Header { name, why } => {
                (Code::Unauthenticated, format!("the header parameter {name} of the token {why}"))
            }
            Self::UnknownIssuer(iss) if iss.is_empty() => {
                let detail = "the claim iss of the token is missing, and every accepted issuer needs one".to_owned();
                (Code::Unauthenticated, detail)
            }
            Self::UnknownIssuer(iss) => {
                let detail =
                    format!("the claim iss of the token is '{}', which is not an accepted issuer", truncate(&iss));
                (Code::Unauthenticated, detail)
            }
            Self::UnknownKey { issuer, why } => {
                (Code::Unauthenticated, format!("issuer {issuer} has no key for the token: {why}"))
            }
            Self::Signature { issuer } => {
                (Code::Unauthenticated, format!("the signature of the token does not match the key of issuer {issuer}"))
            }
            Self::Expired { issuer } => (
                Code::TokenExpired,
                format!("the token of issuer {issuer} has expired (claim exp); get a new one from the issuer"),
            ),
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

/// `text` as messages quote it: truncated, without control characters.
pub(super) fn truncate(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(MAX_QUOTED).collect()
}
