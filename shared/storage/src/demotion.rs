//! When a Postgres server was found to take no writes any more.
//!
//! After a failover the old primary may go on as a standby: its connections stand, and every write on them is refused.
//! New connections reach the new primary, so those opened before that moment are closed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A server that stays read-only makes connections be opened anew no more often than this.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

/// The last time that a server refused a write as read-only.
#[derive(Debug, Default)]
pub(crate) struct Demotion(Mutex<Option<Instant>>);

impl Demotion {
    /// Records a refusal; `false` when one was recorded just before.
    pub(crate) fn record(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.duration_since(last) < REOPEN_EVERY) {
            return false;
        }
        *last = Some(now);
        true
    }

    /// Whether a connection opened at `opened` leads to the server that refused.
    pub(crate) fn is_after(&self, opened: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| opened < last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_from_before_a_refusal_are_outdated_and_reopened_at_most_once_a_second() {
        let (demotion, start) = (Demotion::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!demotion.is_after(start));
        assert!(demotion.record(at(10)) && demotion.is_after(at(9)) && !demotion.is_after(at(10)));
        assert!(!demotion.record(at(900)) && !demotion.is_after(at(800)));
        assert!(demotion.record(at(1_010)) && demotion.is_after(at(800)));
    }
}
