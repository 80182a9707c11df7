//! Counts the predictions of guarded versions. The leader of the sweep decides by the sum over all processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use trainyard_domain::{GuardCounts, GuardId};

use crate::model_record::{Key, ServedGuard};

/// What this process has counted for one guard.
#[derive(Debug)]
pub(crate) struct GuardCounter {
    guard: ServedGuard,
    requests: AtomicI64,
    failed: AtomicI64,
    slow: AtomicI64,
}

impl GuardCounter {
    fn new(guard: ServedGuard) -> Self {
        Self { guard, requests: AtomicI64::new(0), failed: AtomicI64::new(0), slow: AtomicI64::new(0) }
    }

    /// The guard.
    pub(crate) fn id(&self) -> GuardId {
        self.guard.id
    }

    /// The counts since this process knows the guard.
    pub(crate) fn counts(&self) -> GuardCounts {
        let [requests, failed, slow] =
            [&self.requests, &self.failed, &self.slow].map(|counter| counter.load(Ordering::Relaxed));
        GuardCounts { requests, failed, slow }
    }
}

/// The counters of one version. Without a guard, recording reads one flag.
#[derive(Debug, Default)]
pub(crate) struct VersionGuards {
    is_guarded: AtomicBool,
    counters: ArcSwap<Vec<Arc<GuardCounter>>>,
}

impl VersionGuards {
    /// Records an answered request.
    pub(crate) fn record_answer(&self, took: Duration) {
        self.each(|counter| {
            counter.requests.fetch_add(1, Ordering::Relaxed);
            if counter.guard.max_p99.is_some_and(|limit| took > limit) {
                counter.slow.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// Records a request that failed by a defect.
    pub(crate) fn record_failure(&self) {
        self.each(|counter| {
            counter.requests.fetch_add(1, Ordering::Relaxed);
            counter.failed.fetch_add(1, Ordering::Relaxed);
        });
    }

    fn each(&self, record: impl Fn(&GuardCounter)) {
        if self.is_guarded.load(Ordering::Relaxed) {
            self.counters.load().iter().for_each(|counter| record(counter));
        }
    }

    fn replace(&self, counters: Vec<Arc<GuardCounter>>) {
        let current = self.counters.load();
        let is_same = current.len() == counters.len() && current.iter().zip(&counters).all(|(a, b)| Arc::ptr_eq(a, b));
        if !is_same {
            self.is_guarded.store(!counters.is_empty(), Ordering::Relaxed);
            self.counters.store(Arc::new(counters));
        }
    }
}

/// The counters of all guards.
#[derive(Debug, Default)]
pub(crate) struct GuardCounters(Vec<Arc<GuardCounter>>);

impl GuardCounters {
    /// Replaces the guards. A guard that is known keeps its counts. Returns whether the guards have changed.
    pub(crate) fn set(&mut self, guards: &[ServedGuard]) -> bool {
        if self.0.iter().map(|counter| &counter.guard).eq(guards) {
            return false;
        }
        let counter = |guard: &ServedGuard| {
            let known = self.0.iter().find(|counter| counter.guard == *guard).cloned();
            known.unwrap_or_else(|| Arc::new(GuardCounter::new(guard.clone())))
        };
        self.0 = guards.iter().map(counter).collect();
        true
    }

    /// All counters.
    pub(crate) fn all(&self) -> Vec<Arc<GuardCounter>> {
        self.0.clone()
    }

    /// Connects a version with its counters.
    pub(crate) fn attach(&self, key: &Key, version: &VersionGuards) {
        let own = self.0.iter().filter(|counter| counter.guard.has_key(key));
        version.replace(own.cloned().collect());
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn guard(id: GuardId, version: i64) -> ServedGuard {
        ServedGuard { id, model: "m".into(), version, max_p99: Some(Duration::from_millis(50)) }
    }

    #[test]
    fn answers_and_failures_are_counted_while_a_version_is_guarded() {
        let (first, second) = (GuardId::at(DateTime::UNIX_EPOCH), GuardId::at(DateTime::UNIX_EPOCH));
        let (mut counters, version, other) =
            (GuardCounters::default(), VersionGuards::default(), VersionGuards::default());
        let attach = |counters: &GuardCounters| {
            counters.attach(&("m".into(), 4), &version);
            counters.attach(&("m".into(), 5), &other);
        };
        version.record_answer(Duration::from_secs(1));
        assert!(counters.set(&[guard(first, 4)]));
        attach(&counters);
        version.record_answer(Duration::from_millis(50));
        version.record_answer(Duration::from_millis(51));
        version.record_failure();
        other.record_failure();
        let counts = |n: usize, counters: &GuardCounters| counters.all()[n].counts();
        assert_eq!(counts(0, &counters), GuardCounts { requests: 3, failed: 1, slow: 1 });

        assert!(!counters.set(&[guard(first, 4)]));
        assert!(counters.set(&[guard(first, 4), guard(second, 4)]));
        attach(&counters);
        version.record_failure();
        assert_eq!(counts(0, &counters), GuardCounts { requests: 4, failed: 2, slow: 1 }, "a known guard counts on");
        assert_eq!(counts(1, &counters), GuardCounts { requests: 1, failed: 1, slow: 0 });

        let before = counters.all();
        assert!(counters.set(&[]));
        attach(&counters);
        version.record_failure();
        assert_eq!(before[1].counts().requests, 1, "the guard has ended");
    }
}
