//! Exponential backoff with jitter, from 100 ms to 2 s.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// The number of consecutive failures.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Resets the count; `true` if there were failures.
    pub(crate) fn succeeded(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Counts a failure and returns the number of consecutive failures.
    pub(crate) fn failed(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// The delay before the next attempt: 100 ms, doubled with each failure up to 2 s, minus up to half of it at random.
    pub(crate) fn delay(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(8);
        let ceiling = (FIRST * (1 << doublings)).min(LONGEST);
        ceiling.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_two_seconds_and_start_over_after_a_success() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.failed(), 1);
        assert!(backoff.delay() <= FIRST);
        for _ in 0..100 {
            backoff.failed();
        }
        assert!(backoff.delay() >= LONGEST / 2 && backoff.delay() <= LONGEST);
        assert!(backoff.succeeded());
        assert!(!backoff.succeeded());
        assert_eq!(backoff.failed(), 1);
    }
}
