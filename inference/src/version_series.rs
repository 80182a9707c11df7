//! The versions with metric series of their own. Requests can load many versions one after the other, and a series stays
//! for an hour after its last use, so the number of these versions is limited. Further versions share the series of
//! [`OTHER`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use trainyard_telemetry::VERSION_SERIES_IDLE;

use crate::model_record::Key;

/// The label values of versions without series of their own.
const OTHER: &str = "other";

/// The versions with series of their own. Clones share the list.
#[derive(Clone)]
pub(crate) struct VersionSeries(Arc<Mutex<Versions>>);

struct Versions {
    max: usize,
    by_key: HashMap<Key, Use>,
}

/// How often a version is loaded, and when it was unloaded.
struct Use {
    loaded: usize,
    unloaded_at: Instant,
}

/// The labels of one loaded version.
pub(crate) struct SeriesLabels {
    /// The label `model`.
    pub(crate) model: String,
    /// The label `version`.
    pub(crate) version: String,
    /// The list and the key in it; `None` for a version without series of its own.
    own: Option<(VersionSeries, Key)>,
}

impl VersionSeries {
    /// An empty list for at most `max` versions.
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Mutex::new(Versions { max, by_key: HashMap::new() })))
    }

    /// The labels of a version that has been loaded. The version leaves the list when its series have expired after the
    /// labels were dropped.
    pub(crate) fn labels(&self, key: &Key, now: Instant) -> SeriesLabels {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        versions.by_key.retain(|_, one| one.loaded > 0 || now - one.unloaded_at < VERSION_SERIES_IDLE);
        if versions.by_key.len() >= versions.max && !versions.by_key.contains_key(key) {
            return SeriesLabels { model: OTHER.to_owned(), version: OTHER.to_owned(), own: None };
        }
        versions.by_key.entry(key.clone()).or_insert(Use { loaded: 0, unloaded_at: now }).loaded += 1;
        let own = Some((self.clone(), key.clone()));
        SeriesLabels { model: key.0.clone(), version: key.1.to_string(), own }
    }

    fn unloaded(&self, key: &Key, now: Instant) {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = versions.by_key.get_mut(key) {
            one.loaded -= 1;
            one.unloaded_at = now;
        }
    }
}

impl SeriesLabels {
    /// Whether the version has series of its own.
    pub(crate) fn are_own(&self) -> bool {
        self.own.is_some()
    }
}

impl Drop for SeriesLabels {
    fn drop(&mut self) {
        if let Some((series, key)) = &self.own {
            series.unloaded(key, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version: i64) -> Key {
        ("m".to_owned(), version)
    }

    #[test]
    fn further_versions_share_series_until_others_have_expired() {
        let (series, now) = (VersionSeries::new(2), Instant::now());
        let (first, second) = (series.labels(&key(1), now), series.labels(&key(2), now));
        assert_eq!((first.model.as_str(), second.version.as_str()), ("m", "2"));
        let third = series.labels(&key(3), now);
        assert_eq!((third.model.as_str(), third.version.as_str(), third.are_own()), ("other", "other", false));
        assert!(series.labels(&key(1), now).are_own(), "a version that is loaded again");
        drop((first, third));
        let unloaded = Instant::now();
        assert!(!series.labels(&key(3), unloaded).are_own(), "the series of version 1 still exist");
        let later = unloaded + VERSION_SERIES_IDLE;
        assert!(series.labels(&key(3), later).are_own());
        assert!(!series.labels(&key(1), later).are_own(), "version 2 is still loaded");
        assert!(second.are_own());
    }
}
