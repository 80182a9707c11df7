//! The runs this process holds a lease on, and the one way to stop one. Shared by the heartbeat thread, the cancel
//! listener, the drain and the jobs themselves.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use trainyard_domain::JobId;

/// Why a run is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody cancelled the job.
    Cancelled,
    /// The job belongs to another claim now: nothing of this run may be written.
    LeaseLost,
    /// The worker drains and its grace is over.
    Drained,
}

/// Stops one run; clones share it. The first reason stands, except that a lost lease outranks the others.
#[derive(Debug, Clone)]
pub(crate) struct StopSignal(Arc<watch::Sender<Option<Stop>>>);

impl StopSignal {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Asks the run to stop.
    pub(crate) fn raise(&self, why: Stop) {
        self.0.send_if_modified(|now| {
            let news = now.is_none() || (why == Stop::LeaseLost && *now != Some(Stop::LeaseLost));
            if news {
                *now = Some(why);
            }
            news
        });
    }

    /// Why the run was asked to stop, if it was.
    pub(crate) fn get(&self) -> Option<Stop> {
        *self.0.borrow()
    }

    /// Waits until the run is asked to stop.
    pub(crate) async fn raised(&self) -> Stop {
        let mut changes = self.0.subscribe();
        loop {
            if let Some(why) = *changes.borrow_and_update() {
                return why;
            }
            if changes.changed().await.is_err() {
                // Not reached: `self` holds the sender.
                std::future::pending::<()>().await;
            }
        }
    }
}

struct Held {
    claim: i64,
    stop: StopSignal,
}

/// Every run this process holds. Clones share the list.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    held: Arc<Mutex<HashMap<JobId, Held>>>,
    /// Jobs that a delivery is claiming.
    claiming: Arc<Mutex<HashSet<JobId>>>,
    count: Arc<watch::Sender<usize>>,
}

impl Runs {
    /// Sets a job aside for one delivery to claim; `None` while another one does. So an id that was delivered twice is
    /// claimed once, and the run of a claim whose answer was lost is found by one delivery alone.
    pub(crate) fn begin_claim(&self, job: JobId) -> Option<Claiming> {
        let mut claiming = self.claiming.lock().unwrap_or_else(PoisonError::into_inner);
        claiming.insert(job).then(|| Claiming { runs: self.clone(), job })
    }

    /// The claims that want renewing.
    pub(crate) fn claims(&self) -> Vec<(JobId, i64)> {
        self.lock().iter().map(|(job, held)| (*job, held.claim)).collect()
    }

    /// The claim this process holds on `job`.
    pub(crate) fn claim_of(&self, job: JobId) -> Option<i64> {
        self.lock().get(&job).map(|held| held.claim)
    }

    /// Stops the run of `job` if it is still the one with this claim.
    pub(crate) fn stop(&self, job: JobId, claim: i64, why: Stop) {
        if let Some(held) = self.lock().get(&job).filter(|held| held.claim == claim) {
            held.stop.raise(why);
        }
    }

    /// Stops every run.
    pub(crate) fn stop_all(&self, why: Stop) {
        self.lock().values().for_each(|held| held.stop.raise(why));
    }

    /// How many run, now and from now on.
    pub(crate) fn count(&self) -> watch::Receiver<usize> {
        let (held, count) = (self.lock(), self.count.subscribe());
        self.tell(held.len());
        count
    }

    /// How many run.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Tells whoever counts, if anybody does: waking nobody takes time too. Call it with the list locked.
    fn tell(&self, count: usize) {
        if self.count.receiver_count() > 0 {
            self.count.send_replace(count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Held>> {
        // The map is whole between any two statements, so a panic elsewhere does not spoil it.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that one delivery is claiming; another one may when this is dropped.
pub(crate) struct Claiming {
    runs: Runs,
    job: JobId,
}

impl Claiming {
    /// Enters the run that was claimed; it leaves the list when the guard is dropped, and its lease is renewed until then.
    pub(crate) fn enter(self, claim: i64) -> Entered {
        let (runs, job, stop) = (self.runs.clone(), self.job, StopSignal::new());
        let mut held = runs.lock();
        held.insert(job, Held { claim, stop: stop.clone() });
        runs.tell(held.len());
        drop(held);
        // `self` is dropped last: the run is on the list before another delivery of its job is looked at.
        Entered { runs, job, claim, stop }
    }
}

impl Drop for Claiming {
    fn drop(&mut self) {
        self.runs.claiming.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job);
    }
}

/// A run that is on the list of [`Runs`].
pub(crate) struct Entered {
    runs: Runs,
    job: JobId,
    claim: i64,
    pub(crate) stop: StopSignal,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut runs = self.runs.lock();
        if runs.get(&self.job).is_some_and(|held| held.claim == self.claim) {
            runs.remove(&self.job);
            self.runs.tell(runs.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_lost_lease_outranks_a_cancel_and_nothing_outranks_it() {
        let signal = StopSignal::new();
        signal.raise(Stop::Cancelled);
        signal.raise(Stop::Drained);
        assert_eq!(signal.get(), Some(Stop::Cancelled));
        signal.raise(Stop::LeaseLost);
        signal.raise(Stop::Cancelled);
        assert_eq!(signal.get(), Some(Stop::LeaseLost));
    }

    #[test]
    fn a_stop_for_an_older_claim_leaves_the_present_run_alone() {
        let runs = Runs::default();
        let job = JobId::at(DateTime::UNIX_EPOCH);
        let (entered, count) = (runs.begin_claim(job).unwrap().enter(2), runs.count());
        assert_eq!(*count.borrow(), 1);
        runs.stop(job, 1, Stop::LeaseLost);
        assert_eq!(entered.stop.get(), None);
        runs.stop(job, 2, Stop::LeaseLost);
        assert_eq!(entered.stop.get(), Some(Stop::LeaseLost));
        drop(entered);
        assert_eq!((runs.len(), *count.borrow()), (0, 0));
    }

    #[test]
    fn a_job_is_claimed_by_one_delivery_at_a_time() {
        let runs = Runs::default();
        let job = JobId::at(DateTime::UNIX_EPOCH);
        let first = runs.begin_claim(job).unwrap();
        assert!(runs.begin_claim(job).is_none(), "delivered twice");
        assert!(runs.begin_claim(JobId::at(DateTime::UNIX_EPOCH)).is_some(), "another job");
        let entered = first.enter(1);
        assert_eq!(runs.claim_of(job), Some(1));
        let next = runs.begin_claim(job).unwrap();
        drop(entered);
        drop(next);
        assert!(runs.begin_claim(job).is_some());
    }
}
