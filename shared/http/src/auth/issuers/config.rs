//! Settings of an outside token issuer: one table of `[[auth.issuers]]`.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::fetch::is_permitted;

/// Fewest bytes of a shared secret: as many as HMAC-SHA-256 has (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Longest name of an issuer.
const MAX_NAME: usize = 32;

/// How an issuer's tokens are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerKind {
    /// Auth.js or NextAuth: session tokens under a shared secret, encrypted or signed with HS256.
    AuthJs,
    /// An OpenID provider: tokens signed with the keys that it publishes.
    Oidc,
}

/// What happens to users without an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountPolicy {
    /// Their first token makes one.
    #[default]
    Create,
    /// Their tokens are refused.
    Existing,
}

/// Settings of one issuer. `docs/sign-in.md` explains each.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Names the issuer in messages.
    pub name: String,
    /// How its tokens are made.
    pub kind: IssuerKind,
    /// The tokens' `iss`. Required for `oidc`.
    #[serde(default)]
    pub issuer: String,
    /// Values of `aud`, one of which a token must have. Required for `oidc`.
    #[serde(default, deserialize_with = "one_or_many")]
    pub audience: Vec<String>,
    /// Clients whose tokens are accepted, by `azp` or `client_id`; any when empty.
    #[serde(default, deserialize_with = "one_or_many")]
    pub authorized_parties: Vec<String>,
    /// The shared secret (`authjs`).
    #[serde(default)]
    pub secret: String,
    /// File with the shared secret (`authjs`).
    #[serde(default)]
    pub secret_file: PathBuf,
    /// The secret before the current one, while sessions under it last (`authjs`).
    #[serde(default)]
    pub previous_secret: String,
    /// Names of the session cookie, which Auth.js derives keys from (`authjs`).
    #[serde(default = "default_cookie_names", deserialize_with = "one_or_many")]
    pub cookie_names: Vec<String>,
    /// Where the keys are (`oidc`); found by discovery when empty.
    #[serde(default)]
    pub jwks_url: String,
    /// File with authorities, in PEM, that may have signed the provider's certificate, besides the system's (`oidc`).
    #[serde(default)]
    pub tls_ca: PathBuf,
    /// The claim with the e-mail address; the address is made up when empty.
    #[serde(default = "default_email_claim")]
    pub email_claim: String,
    /// The claim that decides the role, as a path with dots; administrators set roles here when empty.
    #[serde(default)]
    pub role_claim: String,
    /// Values of `role_claim` that make an administrator.
    #[serde(default, deserialize_with = "one_or_many")]
    pub admin_values: Vec<String>,
    /// What happens to users without an account.
    #[serde(default)]
    pub accounts: AccountPolicy,
    /// Whether a verified e-mail address leads to the account that has it.
    #[serde(default)]
    pub link_by_email: bool,
}

/// A setting that can't be used: its key and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} must {expected}")]
pub struct IssuerConfigError {
    key: String,
    expected: String,
}

impl std::fmt::Debug for IssuerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerConfig").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl IssuerConfig {
    /// What identities of this issuer are stored under: `iss`, or the name where tokens carry none.
    pub(super) fn identity_issuer(&self) -> &str {
        if self.issuer.is_empty() { &self.name } else { &self.issuer }
    }

    /// Checks the settings of the issuer at `index`, but for what stands in files. `insecure` allows plain HTTP beyond this
    /// machine; it is for development.
    fn check(&self, index: usize, insecure: bool) -> Result<(), IssuerConfigError> {
        let refuse = |key: &str, expected: &str| Err(refusal(index, key, expected));
        let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let hyphens = self.name.starts_with('-') || self.name.ends_with('-');
        if self.name.is_empty() || self.name.len() > MAX_NAME || hyphens || !self.name.chars().all(named) {
            return refuse("name", "have 1 to 32 lower-case letters, digits and inner hyphens");
        }
        if self.role_claim.is_empty() != self.admin_values.is_empty() {
            return refuse("admin_values", "be set together with role_claim");
        }
        match self.kind {
            IssuerKind::AuthJs => self.check_auth_js(index),
            IssuerKind::Oidc => self.check_oidc(index, insecure),
        }
    }

    fn check_auth_js(&self, index: usize) -> Result<(), IssuerConfigError> {
        let refuse = |key: &str, expected: &str| Err(refusal(index, key, expected));
        if !self.jwks_url.is_empty() || !self.tls_ca.as_os_str().is_empty() {
            return refuse("jwks_url", "be empty, and tls_ca too, unless kind is oidc");
        }
        match (self.secret.is_empty(), self.secret_file.as_os_str().is_empty()) {
            (false, true) => check_length(index, &self.secret)?,
            (true, false) => {}
            _ => return refuse("secret", "be set, or secret_file in its place"),
        }
        if !self.previous_secret.is_empty() && self.previous_secret.len() < MIN_SECRET_BYTES {
            return refuse("previous_secret", "have at least 32 bytes, or be empty");
        }
        if self.cookie_names.is_empty() || self.cookie_names.iter().any(String::is_empty) {
            return refuse("cookie_names", "name the session cookie, such as authjs.session-token");
        }
        Ok(())
    }

    fn check_oidc(&self, index: usize, insecure: bool) -> Result<(), IssuerConfigError> {
        let refuse = |key: &str, expected: &str| Err(refusal(index, key, expected));
        let secrets = [&self.secret, &self.previous_secret];
        if secrets.iter().any(|secret| !secret.is_empty()) || !self.secret_file.as_os_str().is_empty() {
            return refuse("secret", "be empty unless kind is authjs; a provider's keys are public");
        }
        let usable = |url: &str| Url::parse(url).is_ok_and(|url| is_permitted(&url, insecure));
        if !usable(&self.issuer) {
            return refuse("issuer", "be the provider's https URL, as its tokens have it in iss");
        }
        if !self.jwks_url.is_empty() && !usable(&self.jwks_url) {
            return refuse("jwks_url", "be an https URL, or empty to find it by discovery");
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return refuse("audience", "name what tokens for Trainyard have in aud");
        }
        Ok(())
    }

    /// Reads the secret from its file, if it has one.
    ///
    /// # Errors
    /// When the file can't be read, or the secret in it is too short.
    pub(super) fn read_secret(&mut self, index: usize) -> Result<(), IssuerConfigError> {
        if self.secret_file.as_os_str().is_empty() {
            return Ok(());
        }
        let text = std::fs::read_to_string(&self.secret_file).map_err(|error| {
            refusal(index, "secret_file", &format!("be a readable file; {}: {error}", self.secret_file.display()))
        })?;
        self.secret = text.trim_end_matches(['\r', '\n']).to_owned();
        check_length(index, &self.secret)
    }
}

/// What the issuers' settings are checked against.
#[derive(Clone, Copy)]
pub struct OwnTokens<'a> {
    /// `iss` of our own access tokens.
    pub issuer: &'a str,
    /// The secret that signs them; empty while it is not known.
    pub secret: &'a str,
}

impl std::fmt::Debug for OwnTokens<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnTokens({})", self.issuer)
    }
}

/// Checks the settings of all issuers, but for what stands in files.
///
/// # Errors
/// The first setting that can't be used.
pub fn check(configs: &[IssuerConfig], own: OwnTokens<'_>, insecure: bool) -> Result<(), IssuerConfigError> {
    for (index, config) in configs.iter().enumerate() {
        config.check(index, insecure)?;
        check_own_secret(index, config, own)?;
        let before = &configs[..index];
        if before.iter().any(|other| other.name == config.name) {
            return Err(refusal(index, "name", "be another than the other issuers'"));
        }
        // The issuer of a token is found by its `iss`, and accounts are linked by it.
        let issuer = config.identity_issuer();
        if issuer == own.issuer || before.iter().any(|other| other.identity_issuer() == issuer) {
            return Err(refusal(index, "issuer", "be another than auth.issuer and the other issuers'"));
        }
    }
    Ok(())
}

/// Whoever shares the secret of our own tokens could sign in as anybody.
pub(super) fn check_own_secret(
    index: usize,
    config: &IssuerConfig,
    own: OwnTokens<'_>,
) -> Result<(), IssuerConfigError> {
    let shared = [&config.secret, &config.previous_secret].into_iter().any(|secret| secret == own.secret);
    if shared && !own.secret.is_empty() {
        return Err(refusal(index, "secret", "be another than auth.jwt_secret"));
    }
    Ok(())
}

fn check_length(index: usize, secret: &str) -> Result<(), IssuerConfigError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(refusal(index, "secret", "have at least 32 bytes; `npx auth secret` makes one"));
    }
    Ok(())
}

/// The refusal of `key` of the issuer at `index`.
pub(super) fn refusal(index: usize, key: &str, expected: &str) -> IssuerConfigError {
    IssuerConfigError { key: format!("auth.issuers[{index}].{key}"), expected: expected.to_owned() }
}

fn default_cookie_names() -> Vec<String> {
    ["authjs.session-token", "__Secure-authjs.session-token"].map(String::from).to_vec()
}

fn default_email_claim() -> String {
    "email".to_owned()
}

/// Reads a text or a list of texts.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    })
}
