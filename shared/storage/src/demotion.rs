//! Demotion of a Postgres primary.
//!
//! After a failover the old primary may continue as a standby that refuses writes on open connections. New connections
//! reach the new primary, so connections from before the refusal are closed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Minimum time between two closings of all connections, for a server that stays read-only.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

/// The time of the last read-only refusal.
#[derive(Debug, Default)]
pub(crate) struct Demotion(Mutex<Option<Instant>>);

impl Demotion {
    /// Records a refusal. Returns `false` within [`REOPEN_EVERY`] of the last one.
    pub(crate) fn record(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.duration_since(last) < REOPEN_EVERY) {
            return false;
        }
        *last = Some(now);
        true
    }

    /// Whether a connection was opened before the refusal, at `opened`.
    pub(crate) fn is_after(&self, opened: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| opened < last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_from_before_a_refusal_are_outdated() {
        let (demotion, start) = (Demotion::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!demotion.is_after(start));
        assert!(demotion.record(at(10)) && demotion.is_after(at(9)) && !demotion.is_after(at(10)));
        assert!(!demotion.record(at(900)) && !demotion.is_after(at(800)));
        assert!(demotion.record(at(1_010)) && demotion.is_after(at(800)));
    }
}
