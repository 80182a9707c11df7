//! The grace period for leases after a database outage. Workers can't renew leases during an outage, so the sweep waits
//! before it ends expired leases.

use std::time::{Duration, Instant};

/// A round that starts this much later than planned indicates an outage.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// The time since the last outage. The grace period of a new leader starts with its first round.
#[derive(Default)]
pub(super) struct LeaseGrace {
    started: Option<Instant>,
    last_round_ended: Option<Instant>,
}

impl LeaseGrace {
    /// Restarts the grace period after a database error.
    pub(super) fn restart(&mut self) {
        self.started = None;
    }

    /// Records the end of a round.
    pub(super) fn round_ended(&mut self, now: Instant) {
        self.last_round_ended = Some(now);
    }

    /// Whether the grace period is over, at the first answer of the database in a round. Rounds start `every` apart; `grace`
    /// is the length of the period.
    ///
    /// Only the delay before the first answer indicates an outage. A long round must not restart the period.
    pub(super) fn is_over(&mut self, now: Instant, every: Duration, grace: Duration) -> bool {
        if self.last_round_ended.take().is_some_and(|ended| now - ended > every + MAX_DELAY) {
            self.started = None;
        }
        now - *self.started.get_or_insert(now) >= grace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(1);
    const GRACE: Duration = Duration::from_secs(5);

    /// Runs rounds at these seconds, and returns for each whether the grace period was over.
    fn rounds(grace: &mut LeaseGrace, start: Instant, at: impl IntoIterator<Item = u64>) -> Vec<bool> {
        let round = |second| {
            let now = start + Duration::from_secs(second);
            let is_over = grace.is_over(now, EVERY, GRACE);
            grace.round_ended(now);
            is_over
        };
        at.into_iter().map(round).collect()
    }

    #[test]
    fn a_new_leader_and_an_outage_start_a_grace_period() {
        let (mut grace, start) = (LeaseGrace::default(), Instant::now());
        assert_eq!(rounds(&mut grace, start, 0..=5), [false, false, false, false, false, true]);
        grace.restart();
        assert_eq!(rounds(&mut grace, start, [6, 10, 11]), [false, false, false]);
        assert_eq!(rounds(&mut grace, start, 12..=15), [false, false, false, true]);
    }

    #[test]
    fn a_hanging_database_restarts_the_grace_period() {
        let (mut grace, start) = (LeaseGrace::default(), Instant::now());
        rounds(&mut grace, start, 0..=5);
        assert_eq!(rounds(&mut grace, start, [60, 61]), [false, false]);
    }

    #[test]
    fn a_long_round_does_not_restart_the_grace_period() {
        let (mut grace, start) = (LeaseGrace::default(), Instant::now());
        rounds(&mut grace, start, 0..=5);
        grace.round_ended(start + Duration::from_secs(100));
        assert_eq!(rounds(&mut grace, start, [101]), [true]);
    }
}
