//! The cache of API keys: keys that exist, and hashes that no key has. Both parts are bounded separately, so that unknown keys
//! never displace known ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use tokio::time::Instant;
use trainyard_domain::ApiKeyGrant;

use super::ApiKeyHash;

const MAX_KNOWN: usize = 10_000;
const MAX_UNKNOWN: usize = 10_000;
/// Time until an unknown hash is looked up again. No key ever gets this hash, unless the database is restored.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
/// Minimum time between two records of the use of a key.
pub(super) const RECORD_EVERY: TimeDelta = TimeDelta::seconds(60);

/// The state of a key in the database at one moment.
#[derive(Debug, Clone)]
pub(super) struct KeyState {
    /// `None` if no such key exists.
    pub(super) grant: Option<ApiKeyGrant>,
    /// The revision of the database at the read.
    pub(super) revision: i64,
    /// The start of the read.
    pub(super) read_at: Instant,
}

/// A key that exists.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) grant: ApiKeyGrant,
    pub(super) usage: Arc<Usage>,
    pub(super) revision: i64,
    pub(super) read_at: Instant,
}

/// The result of [`KeyCache::get`].
#[derive(Debug)]
pub(super) enum Cached {
    Known(Arc<Entry>),
    /// No such key exists.
    Unknown,
    /// The key is not cached, or was not confirmed for too long.
    Absent,
}

/// A revision of the database, and the start of the last read that found this revision.
#[derive(Debug)]
struct Confirmation {
    revision: i64,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct KeyCache {
    known: Cache<ApiKeyHash, Arc<Entry>>,
    /// The time at which each unknown hash expires.
    unknown: Cache<ApiKeyHash, Instant>,
    confirmation: ArcSwapOption<Confirmation>,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self { known: Cache::new(MAX_KNOWN), unknown: Cache::new(MAX_UNKNOWN), confirmation: ArcSwapOption::empty() }
    }
}

impl KeyCache {
    /// The key with this hash, if it was confirmed within `max_unconfirmed`.
    pub(super) fn get(&self, hash: &ApiKeyHash, now: Instant, max_unconfirmed: Duration) -> Cached {
        if let Some(entry) = self.known.get(hash) {
            let fresh = now.saturating_duration_since(self.confirmed_at(&entry)) <= max_unconfirmed;
            return if fresh { Cached::Known(entry) } else { Cached::Absent };
        }
        match self.unknown.get(hash) {
            Some(until) if now < until => Cached::Unknown,
            _ => Cached::Absent,
        }
    }

    /// The start of the last read at which the key had the cached state.
    fn confirmed_at(&self, entry: &Entry) -> Instant {
        let confirmation = self.confirmation.load();
        match &*confirmation {
            Some(last) if last.revision == entry.revision => last.at.max(entry.read_at),
            _ => entry.read_at,
        }
    }

    /// Stores the state of a key. Returns the entry of an existing key.
    pub(super) fn store(&self, hash: ApiKeyHash, state: KeyState, now: Instant) -> Option<Arc<Entry>> {
        let KeyState { grant, revision, read_at } = state;
        let Some(grant) = grant else {
            self.known.remove(&hash);
            self.unknown.insert(hash, now + UNKNOWN_FOR);
            return None;
        };
        let usage = match self.known.get(&hash) {
            Some(entry) => Arc::clone(&entry.usage),
            None => Arc::new(Usage::recorded(grant.last_used_at)),
        };
        self.unknown.remove(&hash);
        let entry = Arc::new(Entry { grant, usage, revision, read_at });
        self.known.insert(hash, Arc::clone(&entry));
        Some(entry)
    }

    /// All existing keys.
    pub(super) fn entries(&self) -> Vec<(ApiKeyHash, Arc<Entry>)> {
        self.known.iter().collect()
    }

    /// Confirms the keys of this revision. Call it after storing the keys that were read again.
    pub(super) fn confirm(&self, revision: i64, at: Instant) {
        self.confirmation.store(Some(Arc::new(Confirmation { revision, at })));
    }
}

/// Whether a key was used since its use was recorded.
#[derive(Debug)]
pub(super) struct Usage {
    used: AtomicBool,
    /// The last record or attempt, in microseconds since 1970.
    recorded_us: AtomicI64,
}

impl Usage {
    fn recorded(at: Option<DateTime<Utc>>) -> Self {
        let recorded_us = at.map_or(i64::MIN, |at| at.timestamp_micros());
        Self { used: AtomicBool::new(false), recorded_us: AtomicI64::new(recorded_us) }
    }

    /// Notes a use. A load is cheaper than a store for concurrent requests with one key.
    pub(super) fn note_use(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a use must be recorded at `now`. Takes the use: the next answer is `false` until the next use, and for
    /// [`RECORD_EVERY`].
    pub(super) fn take_due(&self, now: DateTime<Utc>) -> bool {
        let recent = (now - RECORD_EVERY).timestamp_micros();
        let due = self.recorded_us.load(Ordering::Relaxed) <= recent && self.used.swap(false, Ordering::Relaxed);
        if due {
            self.recorded_us.store(now.timestamp_micros(), Ordering::Relaxed);
        }
        due
    }
}
