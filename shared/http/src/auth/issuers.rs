//! External token issuers (`[[auth.issuers]]`): Auth.js with a shared secret, OpenID providers with published keys.
//!
//! ```text
//! token ─▶ jose (parts, header) ─▶ authjs or jwks (signature, decryption) ─▶ claims ─▶ ExternalToken
//! ```
//! The `iss` of a signed token selects the issuer, whose key must verify the signature. The issuer of an encrypted token
//! is the one whose key decrypts the token. `docs/sign-in.md` is the manual.

mod authjs;
mod claims;
mod config;
mod fetch;
mod jose;
mod jwks;
mod keys;
mod rejection;
mod verified;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use trainyard_domain::{Clock, LinkRules};

pub(super) use claims::ExternalToken;
pub use config::{AccountPolicy, IssuerConfig, IssuerConfigError, IssuerKind, OwnTokens, check};
pub(super) use rejection::Rejection;

use authjs::{AuthJsKeys, Decrypted};
use claims::ClaimRules;
use config::{check_own_secret, refusal};
use fetch::Fetcher;
use jose::{Compact, Encrypted, Signed};
use jwks::{Jwks, Source};
use verified::{VerifiedToken, VerifiedTokens, digest_of};

/// The external issuers whose tokens are accepted; none by default.
#[derive(Debug, Default)]
pub struct Issuers {
    all: Vec<Issuer>,
    own_issuer: String,
    verified: VerifiedTokens,
}

/// One external issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) name: String,
    /// The issuer that its identities are stored with.
    pub(super) identity_issuer: String,
    pub(super) link_rules: LinkRules,
    rules: ClaimRules,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Shared(AuthJsKeys),
    Published(Jwks),
}

impl Issuers {
    /// Creates the issuers from their settings, and starts to fetch the keys of OpenID providers. `insecure` allows plain HTTP
    /// to other hosts, for development. Call it within a Tokio runtime.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn start(
        mut configs: Vec<IssuerConfig>,
        own: OwnTokens<'_>,
        insecure: bool,
        clock: &Clock,
    ) -> Result<Self, IssuerConfigError> {
        check(&configs, own, insecure)?;
        let mut all = Vec::new();
        for (index, config) in configs.iter_mut().enumerate() {
            config.read_secret(index)?;
            check_own_secret(index, config, own)?;
            all.push(Issuer::new(index, config, insecure, clock)?);
        }
        all.iter().for_each(Issuer::keep_fresh);
        Ok(Self { all, own_issuer: own.issuer.to_owned(), verified: VerifiedTokens::default() })
    }

    /// Whether there is no issuer.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Verifies a token at the time `now`, and returns its issuer and content.
    ///
    /// # Errors
    /// The fault of the token; [`Rejection::NotExternal`] for a text that is not a token, and for a token of this server.
    pub(super) async fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(&Issuer, Arc<ExternalToken>), Rejection> {
        let digest = digest_of(token);
        if let Some(known) = self.verified.get(&digest) {
            let issuer = &self.all[known.issuer];
            issuer.keep_fresh();
            if known.generation == issuer.generation() {
                if known.token.is_expired(now) {
                    return Err(Rejection::Expired { issuer: issuer.name.clone() });
                }
                return Ok((issuer, known.token));
            }
        }
        let (index, generation, claims) = match Compact::parse(token)? {
            Compact::Signed(token) => self.check_signature(token).await?,
            Compact::Encrypted(token) => self.decrypt(&token)?,
        };
        let issuer = &self.all[index];
        let token = Arc::new(issuer.rules.read(&claims, now)?);
        let remembered = VerifiedToken { issuer: index, generation, token: Arc::clone(&token) };
        self.verified.insert(digest, remembered);
        Ok((issuer, token))
    }

    async fn check_signature(&self, token: Signed<'_>) -> Result<(usize, u64, Map<String, Value>), Rejection> {
        let iss = match token.claims.get("iss") {
            Some(Value::String(iss)) if *iss == self.own_issuer => return Err(Rejection::NotExternal),
            Some(Value::String(iss)) => iss.as_str(),
            Some(_) => return Err(Rejection::UnknownIssuer("a value that is not a text".to_owned())),
            None => "",
        };
        // Every issuer without a configured `iss` is a candidate for a token without `iss`.
        let candidates: Vec<_> = (0..self.all.len()).filter(|&index| self.all[index].rules.issuer() == iss).collect();
        let mut refused = Rejection::UnknownIssuer(iss.to_owned());
        for index in candidates {
            let issuer = &self.all[index];
            // Read before the check, so that keys that change during the check invalidate the cached token.
            let generation = issuer.generation();
            match issuer.check_signature(&token).await {
                Ok(()) => return Ok((index, generation, token.claims)),
                Err(rejection) => refused = rejection,
            }
        }
        Err(refused)
    }

    fn decrypt(&self, token: &Encrypted<'_>) -> Result<(usize, u64, Map<String, Value>), Rejection> {
        for (index, issuer) in self.all.iter().enumerate() {
            let Keys::Shared(keys) = &issuer.keys else { continue };
            match keys.decrypt(token) {
                Decrypted::Claims(claims) => return Ok((index, issuer.generation(), claims)),
                Decrypted::Broken => return Err(Rejection::Signature { issuer: issuer.name.clone() }),
                Decrypted::NoKey => {}
            }
        }
        let why = "no combination of secret and cookie name of the authjs issuers gives the key of the token";
        Err(Rejection::Header { name: "kid", why: format!("names an unknown key: {why}") })
    }
}

impl Issuer {
    fn new(index: usize, config: &IssuerConfig, insecure: bool, clock: &Clock) -> Result<Self, IssuerConfigError> {
        let keys = match config.kind {
            IssuerKind::AuthJs => {
                let derived = AuthJsKeys::derive(config);
                Keys::Shared(derived.map_err(|_| refusal(index, "secret", "be usable for key derivation"))?)
            }
            IssuerKind::Oidc => Keys::Published(published(index, config, insecure, clock)?),
        };
        Ok(Self {
            name: config.name.clone(),
            identity_issuer: config.identity_issuer().to_owned(),
            link_rules: LinkRules {
                create: config.accounts == AccountPolicy::Create,
                link_by_email: config.link_by_email,
            },
            rules: ClaimRules::new(config),
            keys,
        })
    }

    fn keep_fresh(&self) {
        if let Keys::Published(jwks) = &self.keys {
            jwks.keep_fresh();
        }
    }

    fn generation(&self) -> u64 {
        match &self.keys {
            Keys::Shared(_) => 0,
            Keys::Published(jwks) => jwks.generation(),
        }
    }

    async fn check_signature(&self, token: &Signed<'_>) -> Result<(), Rejection> {
        match &self.keys {
            Keys::Shared(keys) if keys.verify(token) => Ok(()),
            Keys::Shared(_) => Err(Rejection::Signature { issuer: self.name.clone() }),
            Keys::Published(jwks) => jwks.verify(token).await,
        }
    }
}

fn published(index: usize, config: &IssuerConfig, insecure: bool, clock: &Clock) -> Result<Jwks, IssuerConfigError> {
    let unusable = |why: String| refusal(index, "tls_ca", &format!("be a file with certificates in PEM; {why}"));
    let pem = match config.tls_ca.as_os_str().is_empty() {
        true => None,
        false => Some(std::fs::read(&config.tls_ca).map_err(|error| unusable(error.to_string()))?),
    };
    let fetcher = Fetcher::new(pem.as_deref(), insecure).map_err(|error| unusable(error.to_string()))?;
    let source = Source::of(&config.issuer, &config.jwks_url)
        .map_err(|error| refusal(index, "issuer", &format!("be a URL; {error}")))?;
    Ok(Jwks::new(&config.name, source, fetcher, insecure, clock.clone()))
}
