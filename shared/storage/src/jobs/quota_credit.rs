//! Quota that a process has reserved for its next submissions.
//!
//! A submission that adds to the quota rows locks them until its transaction is on disk, so such submissions are stored one
//! after the other. A process therefore reserves quota for many jobs at once. A submission within this credit takes only
//! shared locks, which concurrent submissions hold at the same time.
//!
//! A count of the active jobs (see [`super::quota`]) does not contain the credit of any process. The count therefore
//! increases the epoch of the row, and the statement of a submission refuses credit of an earlier epoch. The credit of a
//! process that ends is lost until the next count: the rows contain upper bounds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// The key of the total in place of an owner.
pub(super) const TOTAL: Uuid = Uuid::nil();
/// Maximum number of jobs that a process reserves ahead.
const MAX_AHEAD: i64 = 512;
/// A process reserves at most this part of the free quota ahead, so that a few processes do not use up a small limit.
const FREE_SHARE: i64 = 16;
/// Maximum number of owners with credit. Above it all credit is dropped.
const MAX_OWNERS: usize = 10_000;

/// The credit of a process: for each user, and for all users together.
#[derive(Debug, Default)]
pub struct QuotaCredit(Mutex<HashMap<Uuid, Credit>>);

#[derive(Debug, Clone, Copy)]
struct Credit {
    epoch: i64,
    jobs: i64,
    /// Free quota after the last reservation.
    free: i64,
}

/// Quota that a transaction has reserved ahead. It becomes credit after the commit.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[must_use = "call QuotaCredit::add after the commit"]
pub struct Reservation(pub(super) Vec<Reserved>);

/// The reservation in one quota row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reserved {
    pub(super) owner: Uuid,
    pub(super) epoch: i64,
    /// Number of jobs reserved ahead.
    pub(super) ahead: i64,
    /// Free quota after the reservation.
    pub(super) free: i64,
}

impl QuotaCredit {
    /// Adds a reservation. Call it only after the commit of the transaction.
    pub fn add(&self, reservation: Reservation) {
        let mut credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if credits.len() + reservation.0.len() > MAX_OWNERS {
            credits.clear();
        }
        for Reserved { owner, epoch, ahead, free } in reservation.0 {
            let credit = credits.entry(owner).or_insert(Credit { epoch, jobs: 0, free });
            if credit.epoch < epoch {
                *credit = Credit { epoch, jobs: 0, free };
            }
            if credit.epoch == epoch {
                (credit.jobs, credit.free) = (credit.jobs + ahead, free);
            }
        }
    }

    /// Takes credit for all `demands` (owner, number of jobs) and returns the epoch of each, or takes nothing.
    pub(super) fn take(&self, demands: &[(Uuid, i64)]) -> Option<Vec<i64>> {
        let mut credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let epochs = demands
            .iter()
            .map(|(owner, jobs)| credits.get(owner).filter(|credit| credit.jobs >= *jobs).map(|credit| credit.epoch));
        let epochs = epochs.collect::<Option<Vec<_>>>()?;
        for (owner, jobs) in demands {
            credits.entry(*owner).and_modify(|credit| credit.jobs -= jobs);
        }
        Some(epochs)
    }

    /// Number of jobs to reserve ahead for an owner: none before the free quota is known.
    pub(super) fn ahead(&self, owner: Uuid) -> i64 {
        let credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        credits.get(&owner).map_or(0, |credit| (credit.free / FREE_SHARE).clamp(0, MAX_AHEAD))
    }

    /// Drops the credit of these owners, because the database has refused it.
    pub(super) fn drop_credit(&self, owners: impl IntoIterator<Item = Uuid>) {
        let mut credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for owner in owners {
            credits.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Uuid = Uuid::from_u128(1);

    fn reserved(epoch: i64, ahead: i64) -> Reservation {
        Reservation(vec![Reserved { owner: ANN, epoch, ahead, free: 1_600 }])
    }

    #[test]
    fn credit_is_taken_whole_or_not_at_all() {
        let credit = QuotaCredit::default();
        assert_eq!(credit.take(&[(ANN, 1)]), None, "nothing is reserved");
        credit.add(reserved(3, 5));
        assert_eq!(credit.take(&[(ANN, 1), (TOTAL, 1)]), None, "nothing is reserved in the total");
        assert_eq!(credit.take(&[(ANN, 4)]), Some(vec![3]));
        assert_eq!(credit.take(&[(ANN, 2)]), None, "one is left");
        assert_eq!(credit.take(&[(ANN, 1)]), Some(vec![3]));
    }

    #[test]
    fn credit_of_an_earlier_epoch_is_worthless() {
        let credit = QuotaCredit::default();
        credit.add(reserved(3, 5));
        credit.add(reserved(4, 2));
        credit.add(reserved(3, 7));
        assert_eq!(credit.take(&[(ANN, 3)]), None);
        assert_eq!(credit.take(&[(ANN, 2)]), Some(vec![4]));
    }

    #[test]
    fn little_is_reserved_near_the_limit() {
        let credit = QuotaCredit::default();
        assert_eq!(credit.ahead(ANN), 0, "the free quota is not known");
        for (free, ahead) in [(1_600, 100), (15, 0), (-3, 0), (i64::MAX, MAX_AHEAD)] {
            credit.add(Reservation(vec![Reserved { owner: ANN, epoch: 0, ahead: 0, free }]));
            assert_eq!(credit.ahead(ANN), ahead);
        }
        credit.drop_credit([ANN]);
        assert_eq!(credit.ahead(ANN), 0);
    }
}
