//! The keys that an OpenID provider publishes: found by discovery, cached, fetched again when they are old or when a token
//! names an unknown one.
//!
//! One fetch runs at a time, in a task of its own, and fetches keep a distance: tokens with made-up key ids can't make
//! this process flood the provider. Only a token whose key is unknown waits for a fetch. While the provider is away its
//! last keys go on verifying.

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
use super::rejection::{Rejection, cut};

/// How long keys are used before they are fetched again, where the provider does not say, and the bounds for what it says.
const DEFAULT_MAX_AGE: TimeDelta = TimeDelta::minutes(10);
const MIN_MAX_AGE: TimeDelta = TimeDelta::minutes(1);
const MAX_MAX_AGE: TimeDelta = TimeDelta::hours(1);
/// Least distance of two fetches, once there are keys.
const MIN_DISTANCE: TimeDelta = TimeDelta::seconds(10);
/// The same before there are any.
const MIN_DISTANCE_AT_FIRST: TimeDelta = TimeDelta::seconds(2);

/// The keys of one provider. Cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct Jwks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The issuer's name, for messages.
    name: String,
    source: Source,
    fetcher: Fetcher,
    insecure: bool,
    clock: Clock,
    loaded: ArcSwapOption<Loaded>,
    fetches: Mutex<Fetches>,
}

/// Where the address of the keys is from.
#[derive(Debug)]
pub(super) enum Source {
    /// The settings.
    Explicit(Url),
    /// The document at `url`, which must be `issuer`'s.
    Discovery { url: Url, issuer: String },
}

#[derive(Debug)]
struct Loaded {
    keys: KeySet,
    fresh_until: DateTime<Utc>,
    /// Changes when the keys do.
    generation: u64,
}

#[derive(Debug, Default)]
struct Fetches {
    last: Option<DateTime<Utc>>,
    /// Closed when the fetch under way has ended.
    under_way: Option<watch::Receiver<()>>,
}

/// What discovery says (OpenID Connect Discovery, section 3), as far as it matters here.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// The settings' address, or else the one where `issuer` describes itself.
    ///
    /// # Errors
    /// When either is no URL.
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

    /// Fetches the keys in the background if there are none, or if they are old. Call it within a Tokio runtime.
    pub(super) fn keep_fresh(&self) {
        let now = self.0.clock.now();
        if self.0.loaded.load().as_ref().is_none_or(|loaded| loaded.fresh_until <= now) {
            self.fetch(now);
        }
    }

    /// Changes whenever the keys do: what was verified with a key that is gone must be verified again.
    pub(super) fn generation(&self) -> u64 {
        self.0.loaded.load().as_ref().map_or(0, |loaded| loaded.generation)
    }

    /// Checks a token's signature.
    ///
    /// # Errors
    /// When it is none of the provider's, or while the provider's keys are out of reach and none was ever there.
    pub(super) async fn verify(&self, token: &Signed<'_>) -> Result<(), Rejection> {
        self.keep_fresh();
        for last_try in [false, true] {
            let loaded = self.0.loaded.load_full();
            let verified = loaded.as_ref().map_or(Verified::UnknownKey, |loaded| loaded.keys.verify(token));
            match verified {
                Verified::Yes => return Ok(()),
                Verified::No => return Err(Rejection::Signature { issuer: self.0.name.clone() }),
                Verified::Refused(why) => return Err(self.unknown_key(why)),
                Verified::UnknownKey if last_try => return Err(self.without_key(token, loaded.as_deref())),
                Verified::UnknownKey => {
                    if let Some(mut under_way) = self.fetch(self.0.clock.now()) {
                        // An error means that the fetch has ended.
                        let _ = under_way.changed().await;
                    }
                }
            }
        }
        Err(Rejection::NotForeign)
    }

    fn unknown_key(&self, why: String) -> Rejection {
        Rejection::UnknownKey { issuer: self.0.name.clone(), why }
    }

    fn without_key(&self, token: &Signed<'_>, loaded: Option<&Loaded>) -> Rejection {
        match (loaded, &token.kid) {
            (None, _) => Rejection::KeysUnavailable { issuer: self.0.name.clone() },
            (Some(_), Some(kid)) => self.unknown_key(format!("its kid '{}' is not among the published keys", cut(kid))),
            (Some(_), None) => self.unknown_key(format!("no published key is for its alg {:?}", token.algorithm)),
        }
    }

    /// Starts a fetch, or joins the one under way; the answer closes when the fetch has ended. `None` when the last one was
    /// too short ago.
    fn fetch(&self, now: DateTime<Utc>) -> Option<watch::Receiver<()>> {
        let mut fetches = self.0.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = fetches.under_way.as_ref().filter(|under_way| under_way.has_changed().is_ok()) {
            return Some(under_way.clone());
        }
        let distance = if self.0.loaded.load().is_some() { MIN_DISTANCE } else { MIN_DISTANCE_AT_FIRST };
        if fetches.last.is_some_and(|last| (now - last).abs() < distance) {
            return None;
        }
        let (running, under_way) = watch::channel(());
        *fetches = Fetches { last: Some(now), under_way: Some(under_way.clone()) };
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            inner.update().await;
            drop(running);
        });
        Some(under_way)
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
                    tracing::info!(issuer = self.name, generation, "signing keys of an outside issuer loaded");
                }
                let fresh_until = self.clock.now() + max_age;
                self.loaded.store(Some(Arc::new(Loaded { keys, fresh_until, generation })));
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(issuer = self.name, error, "signing keys of an outside issuer can't be fetched");
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
            return Err(unusable(format!("it is issuer '{}', not '{issuer}'", cut(&found.issuer))));
        }
        let keys = Url::parse(&found.jwks_uri).ok().filter(|keys| is_permitted(keys, self.insecure));
        keys.ok_or_else(|| unusable(format!("its jwks_uri '{}' is no https URL", cut(&found.jwks_uri))))
    }
}

/// How long keys are used, by what the provider says.
fn bounded(max_age: Option<Duration>) -> TimeDelta {
    let said = max_age.map(|age| TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX));
    said.unwrap_or(DEFAULT_MAX_AGE).clamp(MIN_MAX_AGE, MAX_MAX_AGE)
}
