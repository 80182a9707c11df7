//! The published keys of an OpenID provider: found by discovery, cached, and fetched again when they expire or when a token
//! has an unknown key id.
//!
//! At most one fetch runs at a time, in its own task. A minimum interval between fetches protects the provider from tokens
//! with invented key ids. Only a token with an unknown key waits for a fetch. While the provider is unavailable, the last
//! keys remain in use.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::watch;
use trainyard_domain::Clock;
use url::Url;

use super::fetch::{FetchError, Fetcher, is_permitted};
use super::jose::Signed;
use super::keys::{KeySet, Verified};
use super::rejection::{Rejection, truncate};

/// Time to live of keys without `max-age`, and the bounds of `max-age`.
const DEFAULT_MAX_AGE: TimeDelta = TimeDelta::minutes(10);
const MIN_MAX_AGE: TimeDelta = TimeDelta::minutes(1);
const MAX_MAX_AGE: TimeDelta = TimeDelta::hours(1);
/// Minimum interval between two fetches while there are keys.
const MIN_FETCH_INTERVAL: TimeDelta = TimeDelta::seconds(10);
/// Minimum interval between two fetches before the first success.
const MIN_FIRST_FETCH_INTERVAL: TimeDelta = TimeDelta::seconds(2);

/// The keys of one provider. Clones share the keys.
#[derive(Debug, Clone)]
pub(super) struct Jwks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    source: Source,
    fetcher: Fetcher,
    insecure: bool,
    clock: Clock,
    loaded: ArcSwapOption<Loaded>,
    fetches: Mutex<Fetches>,
}

/// The source of the URL of the keys.
#[derive(Debug)]
pub(super) enum Source {
    /// The settings.
    Explicit(Url),
    /// The discovery document at `url`, whose issuer must be `issuer`.
    Discovery { url: Url, issuer: String },
}

#[derive(Debug)]
struct Loaded {
    keys: KeySet,
    fresh_until: DateTime<Utc>,
    /// Increases when the keys change.
    generation: u64,
}

#[derive(Debug, Default)]
struct Fetches {
    last: Option<DateTime<Utc>>,
    /// Closed when the active fetch has ended.
    active: Option<watch::Receiver<()>>,
}

/// The used fields of a discovery document (OpenID Connect Discovery, section 3).
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// `jwks_url`, or the discovery document of `issuer` where `jwks_url` is empty.
    ///
    /// # Errors
    /// An invalid URL.
    pub(super) fn of(issuer: &str, jwks_url: &str) -> Result<Self, url::ParseError> {
        if !jwks_url.is_empty() {
            return Ok(Self::Explicit(jwks_url.parse()?));
        }
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')).parse()?;
        Ok(Self::Discovery { url, issuer: issuer.to_owned() })
    }
}

impl Jwks {
    pub(super) fn new(name: &str, source: Source, fetcher: Fetcher, insecure: bool, clock: Clock) -> Self {
        let (name, loaded, fetches) = (name.to_owned(), ArcSwapOption::empty(), Mutex::default());
        Self(Arc::new(Inner { name, source, fetcher, insecure, clock, loaded, fetches }))
    }

    /// Fetches missing or expired keys in the background. Call it within a Tokio runtime.
    pub(super) fn keep_fresh(&self) {
        let now = self.0.clock.now();
        if self.0.loaded.load().as_ref().is_none_or(|loaded| loaded.fresh_until <= now) {
            self.fetch(now);
        }
    }

    /// Increases when the keys change: cached tokens of an older generation must be verified again.
    pub(super) fn generation(&self) -> u64 {
        self.0.loaded.load().as_ref().map_or(0, |loaded| loaded.generation)
    }

    /// Verifies the signature of a token.
    ///
    /// # Errors
    /// A signature that no key of the provider made, or no keys because all fetches failed.
    pub(super) async fn verify(&self, token: &Signed<'_>) -> Result<(), Rejection> {
        self.keep_fresh();
        for is_retry in [false, true] {
            let loaded = self.0.loaded.load_full();
            let verified = loaded.as_ref().map_or(Verified::UnknownKey, |loaded| loaded.keys.verify(token));
            match verified {
                Verified::Yes => return Ok(()),
                Verified::No => return Err(Rejection::Signature { issuer: self.0.name.clone() }),
                Verified::Refused(why) => return Err(self.unknown_key(why)),
                Verified::UnknownKey if is_retry => return Err(self.without_key(token, loaded.as_deref())),
                Verified::UnknownKey => {
                    if let Some(mut active) = self.fetch(self.0.clock.now()) {
                        // The error means that the fetch has ended.
                        let _ = active.changed().await;
                    }
                }
            }
        }
        Err(Rejection::NotExternal)
    }

    fn unknown_key(&self, why: String) -> Rejection {
        Rejection::UnknownKey { issuer: self.0.name.clone(), why }
    }

    fn without_key(&self, token: &Signed<'_>, loaded: Option<&Loaded>) -> Rejection {
        match (loaded, &token.kid) {
            (None, _) => Rejection::KeysUnavailable { issuer: self.0.name.clone() },
            (Some(_), Some(kid)) => self.unknown_key(format!("no published key has the kid '{}'", truncate(kid))),
            (Some(_), None) => self.unknown_key(format!("no published key supports the alg {:?}", token.algorithm)),
        }
    }

    /// Starts a fetch, or joins the active one. The channel closes when the fetch has ended. `None` within the minimum
    /// interval after the last fetch.
    fn fetch(&self, now: DateTime<Utc>) -> Option<watch::Receiver<()>> {
        let mut fetches = self.0.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(active) = fetches.active.as_ref().filter(|active| active.has_changed().is_ok()) {
            return Some(active.clone());
        }
        let interval = if self.0.loaded.load().is_some() { MIN_FETCH_INTERVAL } else { MIN_FIRST_FETCH_INTERVAL };
        if fetches.last.is_some_and(|last| (now - last).abs() < interval) {
            return None;
        }
        let (running, active) = watch::channel(());
        *fetches = Fetches { last: Some(now), active: Some(active.clone()) };
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            inner.update().await;
            drop(running);
        });
        Some(active)
    }
}

impl Inner {
    async fn update(&self) {
        let before = self.loaded.load_full();
        match self.fetch_keys().await {
            Ok((keys, max_age)) => {
                let unchanged = before.as_ref().is_some_and(|before| before.keys.same(&keys));
                let generation = before.map_or(0, |before| before.generation) + u64::from(!unchanged);
                if !unchanged {
                    tracing::info!(issuer = self.name, generation, "loaded the signing keys of an external issuer");
                }
                let fresh_until = self.clock.now() + max_age;
                self.loaded.store(Some(Arc::new(Loaded { keys, fresh_until, generation })));
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(issuer = self.name, error, "failed to fetch the signing keys of an external issuer");
            }
        }
    }

    async fn fetch_keys(&self) -> Result<(KeySet, TimeDelta), FetchError> {
        let discovered;
        let url = match &self.source {
            Source::Explicit(url) => url,
            Source::Discovery { url, issuer } => {
                discovered = self.discover(url, issuer).await?;
                &discovered
            }
        };
        let fetched = self.fetcher.get(url).await?;
        let keys = KeySet::parse(&fetched.body).map_err(|why| FetchError::Content(url.clone(), why))?;
        Ok((keys, bounded(fetched.max_age)))
    }

    async fn discover(&self, url: &Url, issuer: &str) -> Result<Url, FetchError> {
        let unusable = |why: String| FetchError::Content(url.clone(), why);
        let fetched = self.fetcher.get(url).await?;
        let found: Discovered = serde_json::from_slice(&fetched.body).map_err(|error| unusable(error.to_string()))?;
        if found.issuer != issuer {
            return Err(unusable(format!("its issuer is '{}', not '{issuer}'", truncate(&found.issuer))));
        }
        let keys = Url::parse(&found.jwks_uri).ok().filter(|keys| is_permitted(keys, self.insecure));
        keys.ok_or_else(|| unusable(format!("its jwks_uri '{}' is not an https URL", truncate(&found.jwks_uri))))
    }
}

fn bounded(max_age: Option<Duration>) -> TimeDelta {
    let said = max_age.map(|age| TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX));
    said.unwrap_or(DEFAULT_MAX_AGE).clamp(MIN_MAX_AGE, MAX_MAX_AGE)
}
