//! Decides when an expired lease proves anything. While the database was away nobody could renew, so after an outage
//! workers get a moment to do so before their jobs are taken from them.

use std::time::{Duration, Instant};

/// A database that makes a round wait this much longer than planned counts as having been away.
const LATE: Duration = Duration::from_secs(2);

/// What is known of the database's last outage. A new leader knows nothing, and settles first.
#[derive(Default)]
pub(super) struct Settle {
    since: Option<Instant>,
    rested: Option<Instant>,
}

impl Settle {
    /// The database failed.
    pub(super) fn disturbed(&mut self) {
        self.since = None;
    }

    /// A round ended at `now`.
    pub(super) fn rests(&mut self, now: Instant) {
        self.rested = Some(now);
    }

    /// The database answered the first question of a round at `now`: whether leases can be judged in this round. Rounds
    /// are `every` apart; `settle` is the moment that workers get.
    ///
    /// Only the wait before the answer is looked at: a round that takes long by itself must not put judging off for ever.
    pub(super) fn is_settled(&mut self, now: Instant, every: Duration, settle: Duration) -> bool {
        if self.rested.take().is_some_and(|rested| now - rested > every + LATE) {
            self.since = None;
        }
        now - *self.since.get_or_insert(now) >= settle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(1);
    const SETTLE: Duration = Duration::from_secs(5);

    /// Rounds at these seconds; whether leases were judged in each.
    fn rounds(settle: &mut Settle, start: Instant, at: impl IntoIterator<Item = u64>) -> Vec<bool> {
        let round = |second| {
            let now = start + Duration::from_secs(second);
            let settled = settle.is_settled(now, EVERY, SETTLE);
            settle.rests(now);
            settled
        };
        at.into_iter().map(round).collect()
    }

    #[test]
    fn a_new_leader_and_an_outage_give_workers_a_moment() {
        let (mut settle, start) = (Settle::default(), Instant::now());
        assert_eq!(rounds(&mut settle, start, 0..=5), [false, false, false, false, false, true]);
        settle.disturbed();
        assert_eq!(rounds(&mut settle, start, [6, 10, 11]), [false, false, false]);
        assert_eq!(rounds(&mut settle, start, 12..=15), [false, false, false, true]);
    }

    #[test]
    fn a_database_that_hung_without_an_error_counts_as_away() {
        let (mut settle, start) = (Settle::default(), Instant::now());
        rounds(&mut settle, start, 0..=5);
        assert_eq!(rounds(&mut settle, start, [60, 61]), [false, false]);
    }

    #[test]
    fn a_long_round_puts_nothing_off() {
        let (mut settle, start) = (Settle::default(), Instant::now());
        rounds(&mut settle, start, 0..=5);
        settle.rests(start + Duration::from_secs(100));
        assert_eq!(rounds(&mut settle, start, [101]), [true]);
    }
}
