//! The settings of an external token issuer: one table of `[[auth.issuers]]`.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::fetch::is_permitted;

/// Minimum length of a shared secret: the length of HMAC-SHA-256 (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;
const MAX_NAME: usize = 32;

/// The kind of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuerKind {
    /// Auth.js or NextAuth: session tokens that are encrypted, or signed with HS256, with a shared secret.
    AuthJs,
    /// An OpenID provider: tokens that are signed with published keys.
    Oidc,
}

/// The policy for users without an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountPolicy {
    /// The first token creates an account.
    #[default]
    Create,
    /// Tokens of users without an account are refused.
    Existing,
}

/// The settings of one issuer. `docs/sign-in.md` describes all of them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The name of the issuer in messages.
    pub name: String,
    /// The kind of the issuer.
    pub kind: IssuerKind,
    /// The `iss` of the tokens. Required for `oidc`.
    #[serde(default)]
    pub issuer: String,
    /// The accepted values of `aud`. Required for `oidc`.
    #[serde(default, deserialize_with = "one_or_many")]
    pub audience: Vec<String>,
    /// The accepted values of `azp` or `client_id`; empty accepts all clients.
    #[serde(default, deserialize_with = "one_or_many")]
    pub authorized_parties: Vec<String>,
    /// The shared secret (`authjs`).
    #[serde(default)]
    pub secret: String,
    /// File with the shared secret (`authjs`).
    #[serde(default)]
    pub secret_file: PathBuf,
    /// The previous secret, for sessions from before a rotation (`authjs`).
    #[serde(default)]
    pub previous_secret: String,
    /// The names of the session cookie, from which Auth.js derives keys (`authjs`).
    #[serde(default = "default_cookie_names", deserialize_with = "one_or_many")]
    pub cookie_names: Vec<String>,
    /// The URL of the keys (`oidc`); empty for discovery.
    #[serde(default)]
    pub jwks_url: String,
    /// PEM file with certificate authorities to trust in addition to those of the system (`oidc`).
    #[serde(default)]
    pub tls_ca: PathBuf,
    /// The claim with the e-mail address; empty for a placeholder address.
    #[serde(default = "default_email_claim")]
    pub email_claim: String,
    /// The dotted path of the claim with the role; empty where administrators set roles.
    #[serde(default)]
    pub role_claim: String,
    /// The values of `role_claim` of administrators.
    #[serde(default, deserialize_with = "one_or_many")]
    pub admin_values: Vec<String>,
    /// The policy for users without an account.
    #[serde(default)]
    pub accounts: AccountPolicy,
    /// Whether a verified e-mail address links the user to the account with this address.
    #[serde(default)]
    pub link_by_email: bool,
}

/// An invalid setting: the key and the expected value.
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
    /// The issuer that identities are stored with: `iss`, or the name where tokens have no `iss`.
    pub(super) fn identity_issuer(&self) -> &str {
        if self.issuer.is_empty() { &self.name } else { &self.issuer }
    }

    /// Checks the settings of the issuer at `index`, without files. `insecure` allows plain HTTP to other hosts, for
    /// development.
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
            return refuse("jwks_url", "be empty, like tls_ca, unless kind is oidc");
        }
        match (self.secret.is_empty(), self.secret_file.as_os_str().is_empty()) {
            (false, true) => check_length(index, &self.secret)?,
            (true, false) => {}
            _ => return refuse("secret", "be set, or else secret_file; set exactly one of them"),
        }
        if !self.previous_secret.is_empty() && self.previous_secret.len() < MIN_SECRET_BYTES {
            return refuse("previous_secret", "have at least 32 bytes, or be empty");
        }
        if self.cookie_names.is_empty() || self.cookie_names.iter().any(String::is_empty) {
            return refuse("cookie_names", "contain the name of the session cookie, such as authjs.session-token");
        }
        Ok(())
    }

    fn check_oidc(&self, index: usize, insecure: bool) -> Result<(), IssuerConfigError> {
        let refuse = |key: &str, expected: &str| Err(refusal(index, key, expected));
        let secrets = [&self.secret, &self.previous_secret];
        if secrets.iter().any(|secret| !secret.is_empty()) || !self.secret_file.as_os_str().is_empty() {
            return refuse("secret", "be empty unless kind is authjs; the keys of a provider are public");
        }
        let usable = |url: &str| Url::parse(url).is_ok_and(|url| is_permitted(&url, insecure));
        if !usable(&self.issuer) {
            return refuse("issuer", "be the https URL of the provider, equal to iss of its tokens");
        }
        if !self.jwks_url.is_empty() && !usable(&self.jwks_url) {
            return refuse("jwks_url", "be an https URL, or empty to find it by discovery");
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return refuse("audience", "contain the aud of tokens for Trainyard");
        }
        Ok(())
    }

    /// Reads the secret from `secret_file`, if it is set.
    ///
    /// # Errors
    /// A file that can't be read, or a secret that is too short.
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

/// The issuer and the secret of the server's own tokens, which issuers must not reuse.
#[derive(Clone, Copy)]
pub struct OwnTokens<'a> {
    /// The `iss` of the access tokens.
    pub issuer: &'a str,
    /// The signing secret; empty while it is not known.
    pub secret: &'a str,
}

impl std::fmt::Debug for OwnTokens<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnTokens({})", self.issuer)
    }
}

/// Checks the settings of all issuers, without files.
///
/// # Errors
/// The first invalid setting.
pub fn check(configs: &[IssuerConfig], own: OwnTokens<'_>, insecure: bool) -> Result<(), IssuerConfigError> {
    for (index, config) in configs.iter().enumerate() {
        config.check(index, insecure)?;
        check_own_secret(index, config, own)?;
        let before = &configs[..index];
        if before.iter().any(|other| other.name == config.name) {
            return Err(refusal(index, "name", "differ from the names of the other issuers"));
        }
        // `iss` selects the issuer of a token, and accounts are linked by `iss`.
        let issuer = config.identity_issuer();
        if issuer == own.issuer || before.iter().any(|other| other.identity_issuer() == issuer) {
            return Err(refusal(index, "issuer", "differ from auth.issuer and from the other issuers"));
        }
    }
    Ok(())
}

/// An issuer with the secret of the own tokens could sign in as any user.
pub(super) fn check_own_secret(
    index: usize,
    config: &IssuerConfig,
    own: OwnTokens<'_>,
) -> Result<(), IssuerConfigError> {
    let shared = [&config.secret, &config.previous_secret].into_iter().any(|secret| secret == own.secret);
    if shared && !own.secret.is_empty() {
        return Err(refusal(index, "secret", "differ from auth.jwt_secret"));
    }
    Ok(())
}

fn check_length(index: usize, secret: &str) -> Result<(), IssuerConfigError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(refusal(index, "secret", "have at least 32 bytes; `npx auth secret` makes one"));
    }
    Ok(())
}

/// The error for `key` of the issuer at `index`.
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
