//! Which versions could not be loaded, and when to try again: a broken artifact must not be fetched five times a second.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::record::{Key, Record};

/// How soon a failed load is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hope {
    /// The store is away or the transfer broke: from half a second to half a minute.
    Soon,
    /// The bytes are what was published and still no good: from ten seconds to ten minutes.
    Late,
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
    /// Remembers a failure; each one in a row doubles the wait.
    pub(crate) fn record(&mut self, record: &Record, hope: Hope, now: Instant) {
        let (first, longest) = match hope {
            Hope::Soon => (Duration::from_millis(500), Duration::from_secs(30)),
            Hope::Late => (Duration::from_secs(10), Duration::from_secs(600)),
        };
        let known = self.0.get(&record.key()).filter(|failure| failure.sha256 == record.sha256);
        let count = known.map_or(0, |failure| failure.count + 1);
        let wait = first.saturating_mul(1 << count.min(16)).min(longest);
        self.0.insert(record.key(), Failure { sha256: record.sha256.clone(), count, retry_at: now + wait });
    }

    /// How long the next try is away; `None` when the version has not failed, zero when the try is due.
    pub(crate) fn wait(&self, record: &Record, now: Instant) -> Option<Duration> {
        let failure = self.0.get(&record.key()).filter(|failure| failure.sha256 == record.sha256)?;
        Some(failure.retry_at.saturating_duration_since(now))
    }

    /// Forgets a version that loaded after all.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Forgets versions that nobody wants any more.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&Key) -> bool) {
        self.0.retain(|key, _| wanted(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sha256: &str) -> Record {
        Record {
            model: "m".into(),
            version: 2,
            aliases: vec![],
            sha256: sha256.into(),
            artifact_key: String::new(),
            traceparent: None,
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_belong_to_the_artifact() {
        let now = Instant::now();
        let mut failures = Failures::default();
        assert_eq!(failures.wait(&record("a"), now), None);
        let mut waits = Vec::new();
        for _ in 0..40 {
            failures.record(&record("a"), Hope::Soon, now);
            waits.push(failures.wait(&record("a"), now).unwrap());
        }
        assert_eq!(waits[..3], [500, 1_000, 2_000].map(Duration::from_millis));
        assert_eq!(waits.last(), Some(&Duration::from_secs(30)));
        assert_eq!(failures.wait(&record("b"), now), None, "a new artifact under the same number starts clean");
        assert_eq!(failures.wait(&record("a"), now + Duration::from_secs(31)), Some(Duration::ZERO));
        failures.forget(&record("a").key());
        assert_eq!(failures.wait(&record("a"), now), None);
    }
}
