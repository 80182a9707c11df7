//! Validates the claims of a token, and reads the user from the claims.

use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Number, Value};
use trainyard_domain::{Email, Role};

use super::config::IssuerConfig;
use super::rejection::{Rejection, truncate};

/// Leeway for the clocks of issuer and server, in seconds.
const LEEWAY_S: i64 = 30;
/// Longest user id, in characters (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// The content of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::auth) struct ExternalToken {
    pub(in crate::auth) subject: String,
    pub(in crate::auth) email: Email,
    pub(in crate::auth) email_verified: bool,
    /// The role from the claims; `None` where administrators set roles.
    pub(in crate::auth) role: Option<Role>,
    /// `iat`, or the time of the first request with the token.
    pub(in crate::auth) issued_at: DateTime<Utc>,
    /// `exp`, in seconds since 1970.
    expires_at: i64,
}

impl ExternalToken {
    pub(super) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        is_past(self.expires_at, now.timestamp())
    }
}

/// The claims that an issuer's tokens must have.
#[derive(Debug)]
pub(super) struct ClaimRules {
    name: String,
    /// The issuer that identities are stored with. Placeholder addresses are derived from it.
    identity_issuer: String,
    issuer: Option<String>,
    audience: Vec<String>,
    authorized_parties: Vec<String>,
    email_claim: Option<String>,
    role_claim: Option<String>,
    admin_values: Vec<String>,
}

impl ClaimRules {
    pub(super) fn new(config: &IssuerConfig) -> Self {
        let set = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            name: config.name.clone(),
            identity_issuer: config.identity_issuer().to_owned(),
            issuer: set(&config.issuer),
            audience: config.audience.clone(),
            authorized_parties: config.authorized_parties.clone(),
            email_claim: set(&config.email_claim),
            role_claim: set(&config.role_claim),
            admin_values: config.admin_values.clone(),
        }
    }

    /// The required `iss`; empty where tokens must not have one.
    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or_default()
    }

    /// Reads the claims of a token with a verified signature.
    ///
    /// # Errors
    /// The first missing or invalid claim.
    pub(super) fn read(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<ExternalToken, Rejection> {
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        self.check_party(claims)?;
        let (issued_at, expires_at) = self.check_times(claims, now.timestamp())?;
        let subject = self.subject(claims)?;
        Ok(ExternalToken {
            email: self.email(claims, &subject)?,
            email_verified: matches!(present(claims, "email_verified"), Some(Value::Bool(true)))
                || present(claims, "email_verified").and_then(Value::as_str) == Some("true"),
            role: self.role(claims),
            issued_at: issued_at.and_then(|at| DateTime::from_timestamp(at, 0)).unwrap_or(now),
            expires_at,
            subject,
        })
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), Rejection> {
        match (&self.issuer, present(claims, "iss")) {
            (None, None) => Ok(()),
            (Some(expected), Some(Value::String(iss))) if iss == expected => Ok(()),
            (Some(expected), None) => Err(self.refuse("iss", format!("is missing; expected '{expected}'"))),
            (Some(expected), Some(iss)) => {
                Err(self.refuse("iss", format!("must be '{expected}', not '{}'", shown(iss))))
            }
            (None, Some(_)) => Err(self.refuse("iss", "is set, but the settings of the issuer have no issuer")),
        }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), Rejection> {
        let expected = || self.audience.join("' or '");
        match (self.audience.is_empty(), present(claims, "aud")) {
            (true, None) => Ok(()),
            // A token with an audience must be refused by every other recipient (RFC 7519, section 4.1.3).
            (true, Some(_)) => Err(self.refuse("aud", "is set, but the settings of the issuer have no audience")),
            (false, None) => Err(self.refuse("aud", format!("is missing; expected '{}'", expected()))),
            (false, Some(aud)) if texts(aud).any(|one| self.audience.iter().any(|known| known == one)) => Ok(()),
            (false, Some(aud)) => {
                Err(self.refuse("aud", format!("must contain '{}', not '{}'", expected(), shown(aud))))
            }
        }
    }

    /// `azp`, or `client_id` in access tokens (RFC 9068), is the client that the token was issued to.
    fn check_party(&self, claims: &Map<String, Value>) -> Result<(), Rejection> {
        if self.authorized_parties.is_empty() {
            return Ok(());
        }
        match present(claims, "azp").or_else(|| present(claims, "client_id")) {
            Some(Value::String(party)) if self.authorized_parties.contains(party) => Ok(()),
            Some(party) => {
                Err(self.refuse("azp", format!("is '{}', which authorized_parties does not list", shown(party))))
            }
            None => Err(self.refuse("azp", "and client_id are missing")),
        }
    }

    fn check_times(&self, claims: &Map<String, Value>, now: i64) -> Result<(Option<i64>, i64), Rejection> {
        let Some(expires_at) = self.time(claims, "exp")? else { return Err(self.refuse("exp", "is missing")) };
        let issued_at = self.time(claims, "iat")?;
        let starts = [("nbf", self.time(claims, "nbf")?), ("iat", issued_at)];
        if is_past(expires_at, now) {
            return Err(Rejection::Expired { issuer: self.name.clone() });
        }
        for (name, at) in starts {
            if at.is_some_and(|at| at > now.saturating_add(LEEWAY_S)) {
                return Err(self.refuse(name, "is in the future"));
            }
        }
        Ok((issued_at, expires_at))
    }

    fn time(&self, claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Rejection> {
        match present(claims, name) {
            None => Ok(None),
            Some(Value::Number(at)) => Ok(Some(seconds(at))),
            Some(other) => Err(self.refuse(name, format!("must be a number of seconds, not '{}'", shown(other)))),
        }
    }

    fn subject(&self, claims: &Map<String, Value>) -> Result<String, Rejection> {
        let (name, subject) = match (present(claims, "sub"), present(claims, "id")) {
            (Some(sub), _) => ("sub", sub),
            (None, Some(id)) => ("id", id),
            (None, None) => return Err(self.refuse("sub", "and id are missing")),
        };
        let text = match subject {
            Value::String(text) => text.clone(),
            Value::Number(number) if !number.is_f64() => number.to_string(),
            other => return Err(self.refuse(name, format!("must be a text, not '{}'", shown(other)))),
        };
        // The database can't store a NUL character.
        if text.is_empty() || text.chars().count() > MAX_SUBJECT || text.contains('\0') {
            return Err(self.refuse(name, "must have 1 to 255 characters without NUL"));
        }
        Ok(text)
    }

    fn email(&self, claims: &Map<String, Value>, subject: &str) -> Result<Email, Rejection> {
        let (name, text) = match &self.email_claim {
            None => ("sub", self.placeholder_address(subject)),
            Some(name) => match claim_at(claims, name) {
                Some(Value::String(text)) => (name.as_str(), text.clone()),
                Some(other) => {
                    return Err(self.refuse(name, format!("must be an e-mail address, not '{}'", shown(other))));
                }
                None => return Err(self.refuse(name, "is missing")),
            },
        };
        Email::parse(&text).map_err(|why| self.refuse(name, format!("{why}, not '{}'", truncate(&text))))
    }

    /// An address without a mailbox, for users without an address such as service accounts.
    fn placeholder_address(&self, subject: &str) -> String {
        let digest = digest(&SHA256, format!("{}\0{subject}", self.identity_issuer).as_bytes());
        let id: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{id}@{}.invalid", self.name)
    }

    /// The role from the claim: administrator if `admin_values` contains one of its values, else user.
    fn role(&self, claims: &Map<String, Value>) -> Option<Role> {
        let claim = self.role_claim.as_ref()?;
        let listed = |value: &str| self.admin_values.iter().any(|admin| admin == value);
        let admin = match claim_at(claims, claim) {
            // `scope` is one text with its values separated by spaces (RFC 8693, section 4.2).
            Some(Value::String(text)) => listed(text) || text.split_ascii_whitespace().any(listed),
            Some(list) => texts(list).any(listed),
            None => false,
        };
        Some(if admin { Role::Admin } else { Role::User })
    }

    fn refuse(&self, name: &str, why: impl Into<String>) -> Rejection {
        Rejection::Claim { issuer: self.name.clone(), name: name.to_owned(), why: why.into() }
    }
}

fn is_past(expires_at: i64, now: i64) -> bool {
    expires_at.saturating_add(LEEWAY_S) <= now
}

/// The claim, unless it is missing or null.
fn present<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    claims.get(name).filter(|value| !value.is_null())
}

/// The claim with this name, or else at this dotted path.
fn claim_at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    present(claims, path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        let found = rest.split('.').try_fold(claims.get(first)?, |value, name| value.get(name));
        found.filter(|value| !value.is_null())
    })
}

/// The text, or each text of the list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let many = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(many.iter().filter_map(Value::as_str))
}

/// Truncates to whole seconds: dates may have fractions (RFC 7519, section 2). The conversion saturates.
fn seconds(number: &Number) -> i64 {
    number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or(f64::MAX) as i64)
}

/// The value of a claim as messages quote it.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| truncate(&value.to_string()), truncate)
}
