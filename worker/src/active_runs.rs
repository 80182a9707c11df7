//! The jobs that this worker is running, and the signal that stops a run. Shared by the heartbeat thread, the cancel
//! listener, the drain and the runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use trainyard_domain::JobId;

/// How long a finished model or result may still be published after the drain has stopped the runs. Shorter than the time until
/// the process ends: a run that can't publish must still return its job to the queue.
const PUBLISH_LIMIT: Duration = Duration::from_secs(12);

/// Why a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// A user cancelled the job.
    Cancelled,
    /// Another claim owns the job, so this run must write nothing.
    LeaseLost,
    /// The worker drains and its grace period is over.
    Drained,
}

/// Stops one run. Clones share the signal. The first reason is kept, except that a lost lease replaces any other.
#[derive(Debug, Clone)]
pub(crate) struct StopSignal(Arc<watch::Sender<Option<Stop>>>);

/// A raised signal.
#[derive(Debug, Clone, Copy)]
struct Stop {
    reason: StopReason,
    at: Instant,
}

impl StopSignal {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Requests that the run stops.
    pub(crate) fn raise(&self, reason: StopReason) {
        self.0.send_if_modified(|current| {
            let changed = match (current.as_ref().map(|stop| stop.reason), reason) {
                (None, _) => true,
                (Some(earlier), StopReason::LeaseLost) => earlier != StopReason::LeaseLost,
                (Some(earlier), StopReason::Cancelled) => earlier == StopReason::Drained,
                (Some(_), StopReason::Drained) => false,
            };
            if changed {
                *current = Some(Stop { reason, at: Instant::now() });
            }
            changed
        });
    }

    /// The signal for the publication of a finished model or result.
    pub(crate) fn for_publication(&self) -> PublicationStop<'_> {
        PublicationStop(self)
    }

    /// The reason to stop, if there is one.
    pub(crate) fn get(&self) -> Option<StopReason> {
        self.0.borrow().map(|stop| stop.reason)
    }

    /// Waits for a reason to stop.
    pub(crate) async fn raised(&self) -> StopReason {
        self.raised_except(None).await
    }

    /// Waits for a reason to stop besides `known`.
    pub(crate) async fn raised_except(&self, known: Option<StopReason>) -> StopReason {
        let mut changes = self.0.subscribe();
        loop {
            let stop = *changes.borrow_and_update();
            if let Some(Stop { reason, .. }) = stop
                && known != Some(reason)
            {
                return reason;
            }
            if changes.changed().await.is_err() {
                // Not reached: `self` holds the sender.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The [`StopSignal`] for the publication of a finished model or result. A drain stops the publication only after
/// [`PUBLISH_LIMIT`], because the next run would do all the work again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicationStop<'s>(&'s StopSignal);

impl PublicationStop<'_> {
    /// The reason to stop, if there is one.
    pub(crate) fn get(self) -> Option<StopReason> {
        let stop = (*self.0.0.borrow())?;
        (stop.reason != StopReason::Drained || stop.at.elapsed() >= PUBLISH_LIMIT).then_some(stop.reason)
    }

    /// Waits for a reason to stop.
    pub(crate) async fn raised(self) -> StopReason {
        let Self(signal) = self;
        signal.raised().await;
        let stop = *signal.0.borrow();
        let Some(Stop { reason: StopReason::Drained, at }) = stop else { return signal.raised().await };
        tokio::select! {
            reason = signal.raised_except(Some(StopReason::Drained)) => reason,
            () = sleep_until(at + PUBLISH_LIMIT) => StopReason::Drained,
        }
    }
}

struct ActiveRun {
    claim: i64,
    stop: StopSignal,
}

/// The active runs of this process. Clones share the list.
#[derive(Clone, Default)]
pub(crate) struct ActiveRuns {
    runs: Arc<Mutex<HashMap<JobId, ActiveRun>>>,
    /// Jobs with a claim in progress.
    claiming: Arc<Mutex<HashSet<JobId>>>,
    count: Arc<watch::Sender<usize>>,
}

impl ActiveRuns {
    /// Reserves a job for the claim of one delivery; `None` while another delivery is claiming it. An id that was delivered
    /// twice is therefore claimed once, also after a claim whose answer was lost.
    pub(crate) fn begin_claim(&self, job: JobId) -> Option<ClaimGuard> {
        let mut claiming = self.claiming.lock().unwrap_or_else(PoisonError::into_inner);
        claiming.insert(job).then(|| ClaimGuard { runs: self.clone(), job })
    }

    /// The claims whose leases must be renewed.
    pub(crate) fn claims(&self) -> Vec<(JobId, i64)> {
        self.lock().iter().map(|(job, run)| (*job, run.claim)).collect()
    }

    /// The claim of this process on `job`.
    pub(crate) fn claim_of(&self, job: JobId) -> Option<i64> {
        self.lock().get(&job).map(|run| run.claim)
    }

    /// Stops the run of `job` if it has this claim.
    pub(crate) fn stop(&self, job: JobId, claim: i64, reason: StopReason) {
        if let Some(run) = self.lock().get(&job).filter(|run| run.claim == claim) {
            run.stop.raise(reason);
        }
    }

    /// Stops every run.
    pub(crate) fn stop_all(&self, reason: StopReason) {
        self.lock().values().for_each(|run| run.stop.raise(reason));
    }

    /// Watches the number of active runs.
    pub(crate) fn count(&self) -> watch::Receiver<usize> {
        let (runs, count) = (self.lock(), self.count.subscribe());
        self.publish_count(runs.len());
        count
    }

    /// The number of active runs.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Publishes the count to its watchers, if there are any. Call it while the list is locked.
    fn publish_count(&self, count: usize) {
        if self.count.receiver_count() > 0 {
            self.count.send_replace(count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, ActiveRun>> {
        // The map is consistent between any two statements, so it may be used after a panic.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The exclusive right of one delivery to claim a job, until it is dropped.
pub(crate) struct ClaimGuard {
    runs: ActiveRuns,
    job: JobId,
}

impl ClaimGuard {
    /// Adds the claimed run to the active runs. Its lease is renewed until the guard is dropped.
    pub(crate) fn add_run(self, claim: i64) -> RunGuard {
        let (runs, job, stop) = (self.runs.clone(), self.job, StopSignal::new());
        let mut active = runs.lock();
        active.insert(job, ActiveRun { claim, stop: stop.clone() });
        runs.publish_count(active.len());
        drop(active);
        // `self` is dropped last, so the run is in the list before another delivery may claim the job.
        RunGuard { runs, job, claim, stop }
    }
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        self.runs.claiming.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job);
    }
}

/// Keeps a run in [`ActiveRuns`] until it is dropped.
pub(crate) struct RunGuard {
    runs: ActiveRuns,
    job: JobId,
    claim: i64,
    pub(crate) stop: StopSignal,
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        let mut runs = self.runs.lock();
        if runs.get(&self.job).is_some_and(|run| run.claim == self.claim) {
            runs.remove(&self.job);
            self.runs.publish_count(runs.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_lost_lease_replaces_a_cancel_and_is_never_replaced() {
        let signal = StopSignal::new();
        signal.raise(StopReason::Cancelled);
        signal.raise(StopReason::Drained);
        assert_eq!(signal.get(), Some(StopReason::Cancelled));
        signal.raise(StopReason::LeaseLost);
        signal.raise(StopReason::Cancelled);
        assert_eq!(signal.get(), Some(StopReason::LeaseLost));
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_stops_a_publication_late_and_a_cancellation_at_once() {
        for (reason, expected) in [(None, PUBLISH_LIMIT), (Some(StopReason::Cancelled), Duration::ZERO)] {
            let (signal, start) = (StopSignal::new(), Instant::now());
            signal.raise(StopReason::Drained);
            let publication = signal.for_publication();
            assert_eq!((publication.get(), signal.get()), (None, Some(StopReason::Drained)));
            reason.into_iter().for_each(|reason| signal.raise(reason));
            let found = publication.raised().await;
            assert_eq!((found, publication.get()), (reason.unwrap_or(StopReason::Drained), Some(found)));
            assert_eq!(start.elapsed().as_secs(), expected.as_secs());
        }
    }

    #[test]
    fn a_stop_for_an_older_claim_does_not_stop_the_current_run() {
        let runs = ActiveRuns::default();
        let job = JobId::at(DateTime::UNIX_EPOCH);
        let (guard, count) = (runs.begin_claim(job).unwrap().add_run(2), runs.count());
        assert_eq!(*count.borrow(), 1);
        runs.stop(job, 1, StopReason::LeaseLost);
        assert_eq!(guard.stop.get(), None);
        runs.stop(job, 2, StopReason::LeaseLost);
        assert_eq!(guard.stop.get(), Some(StopReason::LeaseLost));
        drop(guard);
        assert_eq!((runs.len(), *count.borrow()), (0, 0));
    }

    #[test]
    fn a_job_is_claimed_by_one_delivery_at_a_time() {
        let runs = ActiveRuns::default();
        let job = JobId::at(DateTime::UNIX_EPOCH);
        let first = runs.begin_claim(job).unwrap();
        assert!(runs.begin_claim(job).is_none(), "delivered twice");
        assert!(runs.begin_claim(JobId::at(DateTime::UNIX_EPOCH)).is_some(), "another job");
        let guard = first.add_run(1);
        assert_eq!(runs.claim_of(job), Some(1));
        let next = runs.begin_claim(job).unwrap();
        drop(guard);
        drop(next);
        assert!(runs.begin_claim(job).is_some());
    }
}
