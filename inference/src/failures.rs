//! Failed loads and their backoff. A broken artifact must not be fetched at every poll.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model_record::{Key, ModelRecord};

/// The backoff after a failed load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backoff {
    /// The store is unavailable or the transfer failed: half a second to 30 seconds.
    Short,
    /// The artifact is complete but unusable: ten seconds to ten minutes.
    Long,
}

#[derive(Debug)]
struct Failure {
    sha256: String,
    count: u32,
    retry_at: Instant,
}

/// The versions that failed to load.
#[derive(Debug, Default)]
pub(crate) struct Failures(HashMap<Key, Failure>);

impl Failures {
    /// Records a failure. Each further failure in a row doubles the backoff.
    pub(crate) fn record(&mut self, record: &ModelRecord, backoff: Backoff, now: Instant) {
        let (first, longest) = match backoff {
            Backoff::Short => (Duration::from_millis(500), Duration::from_secs(30)),
            Backoff::Long => (Duration::from_secs(10), Duration::from_secs(600)),
        };
        let known = self.0.get(&record.key()).filter(|failure| failure.sha256 == record.sha256);
        let count = known.map_or(0, |failure| failure.count + 1);
        let wait = first.saturating_mul(1 << count.min(16)).min(longest);
        self.0.insert(record.key(), Failure { sha256: record.sha256.clone(), count, retry_at: now + wait });
    }

    /// Time until the next attempt: `None` without a failure, zero if the attempt is due.
    pub(crate) fn retry_in(&self, record: &ModelRecord, now: Instant) -> Option<Duration> {
        let failure = self.0.get(&record.key()).filter(|failure| failure.sha256 == record.sha256)?;
        Some(failure.retry_at.saturating_duration_since(now))
    }

    /// Removes the failure of a version that has loaded.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Removes the failures of versions that are no longer wanted.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&Key) -> bool) {
        self.0.retain(|key, _| wanted(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sha256: &str) -> ModelRecord {
        ModelRecord {
            model: "m".into(),
            version: 2,
            aliases: vec![],
            sha256: sha256.into(),
            artifact_key: String::new(),
            traceparent: None,
        }
    }

    #[test]
    fn the_backoff_doubles_up_to_a_maximum_and_belongs_to_an_artifact() {
        let now = Instant::now();
        let mut failures = Failures::default();
        assert_eq!(failures.retry_in(&record("a"), now), None);
        let mut waits = Vec::new();
        for _ in 0..40 {
            failures.record(&record("a"), Backoff::Short, now);
            waits.push(failures.retry_in(&record("a"), now).unwrap());
        }
        assert_eq!(waits[..3], [500, 1_000, 2_000].map(Duration::from_millis));
        assert_eq!(waits.last(), Some(&Duration::from_secs(30)));
        assert_eq!(
            failures.retry_in(&record("b"), now),
            None,
            "another artifact with the same version number has no failures"
        );
        assert_eq!(failures.retry_in(&record("a"), now + Duration::from_secs(31)), Some(Duration::ZERO));
        failures.remove(&record("a").key());
        assert_eq!(failures.retry_in(&record("a"), now), None);
    }
}
