//! Authenticates API keys without a database query for each request.
//!
//! Verified keys are cached with their accounts. Once a second a task reads the revision of the database, which a deleted key
//! and a changed account increase, and reads the cached keys again if the revision has changed. So every process notices a
//! revocation within [`CONFIRMED_WITHIN`]. A key that is not cached is looked up in a batch with other such keys.
//!
//! The database holds the SHA-256 of a key. A slow hash such as bcrypt protects secrets that can be guessed; a key has 238
//! random bits. An HMAC with the token secret would end all keys when the secret is replaced.

mod cache;
mod lookup;
mod refresh;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use tokio::time::Instant;
use trainyard_domain::{ApiKeyText, Clock};
use trainyard_storage::Db;

use super::Principal;
use crate::problem::{Code, Problem};
use cache::{Cached, Entry, KeyCache};
use lookup::Lookups;

/// A cached key is accepted for this long after the start of the last read that confirmed it. A process that can't reach the
/// database therefore refuses a revoked key as soon as all others.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(4);
/// Timeout of a query. It is short, because a hanging query delays the next confirmation.
const QUERY_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The SHA-256 of a key, by which the database and the cache find the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyHash([u8; SHA256_OUTPUT_LEN]);

impl ApiKeyHash {
    /// The hash of `key`.
    pub fn of(key: &ApiKeyText) -> Self {
        let mut hash = [0; SHA256_OUTPUT_LEN];
        hash.copy_from_slice(digest(&SHA256, key.reveal().as_bytes()).as_ref());
        Self(hash)
    }
}

/// 64 hexadecimal digits, as in the database.
impl fmt::Display for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(…)")
    }
}

/// Authenticates API keys. Clones share the cache. Dropping the last clone stops its task.
#[derive(Debug, Clone)]
pub struct ApiKeys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Db,
    clock: Clock,
    cache: KeyCache,
    lookups: Lookups,
    max_unconfirmed: Duration,
}

impl ApiKeys {
    /// Reads keys from `db`, and starts to refresh them. While the database can't be read, cached keys are accepted for
    /// `max_outage` after the last confirmation. Call it within a Tokio runtime.
    pub fn start(db: Db, clock: Clock, max_outage: Duration) -> Self {
        let keys = Self::without_refresh(db, clock, max_outage);
        tokio::spawn(refresh::run(Arc::downgrade(&keys.0)));
        keys
    }

    fn without_refresh(db: Db, clock: Clock, max_outage: Duration) -> Self {
        let lookups = Lookups::start(db.clone());
        let max_unconfirmed = max_outage.max(CONFIRMED_WITHIN);
        Self(Arc::new(Shared { db, clock, cache: KeyCache::default(), lookups, max_unconfirmed }))
    }

    /// The caller with the key `text`.
    ///
    /// # Errors
    /// 401 for an unknown, deleted or expired key and for the key of a disabled account, 503 if a key that is not cached
    /// can't be read.
    pub(super) async fn principal(&self, text: &str) -> Result<Principal, Problem> {
        let Some(key) = ApiKeyText::parse(text) else { return Err(refused("the API key is not valid")) };
        let hash = ApiKeyHash::of(&key);
        let entry = match self.0.cache.get(&hash, Instant::now(), self.0.max_unconfirmed) {
            Cached::Known(entry) => Some(entry),
            Cached::Unknown => None,
            Cached::Absent => self.look_up(hash).await?,
        };
        let entry = entry.ok_or_else(|| refused("the API key does not exist; it may have been deleted"))?;
        let grant = &entry.grant;
        let role = grant.role_at(self.0.clock.now()).map_err(|refusal| refused(&refusal.to_string()))?;
        entry.usage.note_use();
        let email = grant.email.as_str().to_owned();
        Ok(Principal { user_id: grant.user_id, email, role, session: None, api_key: Some(grant.id) })
    }

    async fn look_up(&self, hash: ApiKeyHash) -> Result<Option<Arc<Entry>>, Problem> {
        let found = self.0.lookups.find(hash).await?;
        Ok(self.0.cache.store(hash, found, Instant::now()))
    }
}

fn refused(why: &str) -> Problem {
    let problem = Problem::new(Code::Unauthenticated, why);
    problem.header(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#))
}
