//! Watches jobs for event streams and long polls. One task reads all watched jobs in one query per poll and wakes the
//! subscribers of the jobs that changed. The cost depends on the number of watched jobs, not on the number of subscribers.
//!
//! Polls are numbered. A new subscriber waits for a poll that began after the subscription: an earlier observation may be
//! outdated, for example when the job was retried since.

mod poll;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trainyard_domain::{Job, JobId};
use trainyard_storage::{Db, NumberedLine};

/// A watched job with its log, as the last poll read them.
#[derive(Debug)]
pub(crate) struct WatchedJob {
    pub(crate) job: Job,
    /// The database's time of the poll.
    pub(crate) at: DateTime<Utc>,
    /// The log lines read so far, oldest first, one slice per read. Empty while only long polls subscribe.
    pub(crate) log: Vec<Arc<[NumberedLine]>>,
    /// The number of the last log line read.
    pub(crate) last_seq: i64,
    /// Whether the log was read to its end.
    pub(crate) log_complete: bool,
}

/// The state of a watched job.
#[derive(Debug, Clone)]
pub(crate) enum Observation {
    /// No poll has read the job yet.
    Pending,
    /// The database did not answer the first poll. The next poll tries again.
    Unavailable,
    /// The job does not exist.
    Missing,
    /// The job exists.
    Found(Arc<WatchedJob>),
}

/// An observation and the number of the poll that made it.
#[derive(Debug, Clone)]
struct Polled {
    poll: u64,
    observation: Observation,
}

/// A subscription to one job.
pub(crate) struct JobSubscription {
    polled: watch::Receiver<Polled>,
    /// The first poll that begins after the subscription.
    first_poll: u64,
}

impl JobSubscription {
    /// The job with its complete log, as read by a poll that began after the subscription.
    ///
    /// # Errors
    /// When the watcher is gone.
    pub(crate) async fn first(&mut self) -> Result<Observation, watch::error::RecvError> {
        let first_poll = self.first_poll;
        let is_complete = |observation: &Observation| match observation {
            Observation::Found(watched) => watched.log_complete,
            Observation::Pending => false,
            Observation::Missing | Observation::Unavailable => true,
        };
        let is_first = |polled: &Polled| polled.poll >= first_poll && is_complete(&polled.observation);
        Ok(self.polled.wait_for(is_first).await?.observation.clone())
    }

    /// Waits for an observation that satisfies `condition`.
    pub(crate) async fn wait_for(&mut self, condition: impl Fn(&Observation) -> bool) {
        let _ = self.polled.wait_for(|polled| condition(&polled.observation)).await;
    }

    /// Makes the next [`JobSubscription::changed`] return the current observation at once.
    pub(crate) fn mark_changed(&mut self) {
        self.polled.mark_changed();
    }

    /// Waits for the next observation; `None` when the watcher is gone.
    pub(crate) async fn changed(&mut self) -> Option<Observation> {
        self.polled.changed().await.ok()?;
        Some(self.polled.borrow_and_update().observation.clone())
    }
}

/// The watcher. Clones share one task.
#[derive(Clone)]
pub(crate) struct JobWatcher(Arc<Shared>);

struct Shared {
    db: Db,
    interval: Duration,
    state: Mutex<State>,
    /// Notified by every new subscription.
    subscribed: Notify,
}

#[derive(Default)]
struct State {
    jobs: HashMap<JobId, Entry>,
    /// The number of the last poll that began.
    poll: u64,
    /// Runs while there are subscriptions.
    task: Option<JoinHandle<()>>,
}

struct Entry {
    polled: watch::Sender<Polled>,
    wants_log: bool,
    /// Whether a subscription began since the last poll began.
    has_new_subscriber: bool,
}

/// A job to poll, with what the last poll read.
struct Target {
    id: JobId,
    wants_log: bool,
    /// Whether a subscriber waits for this poll.
    has_new_subscriber: bool,
    last: Option<Arc<WatchedJob>>,
}

impl Target {
    /// Whether a subscriber waits for its first observation.
    fn is_new(&self) -> bool {
        self.has_new_subscriber || self.last.as_ref().is_none_or(|last| self.wants_log && !last.log_complete)
    }
}

impl JobWatcher {
    /// A watcher that polls `db` once per `interval`.
    pub(crate) fn new(db: Db, interval: Duration) -> Self {
        Self(Arc::new(Shared { db, interval, state: Mutex::default(), subscribed: Notify::new() }))
    }

    /// Watches a job, with or without its log, until the subscription is dropped. Call it within a Tokio runtime.
    pub(crate) fn subscribe(&self, id: JobId, with_log: bool) -> JobSubscription {
        let mut state = self.0.state();
        let first_poll = state.poll + 1;
        let pending = Polled { poll: 0, observation: Observation::Pending };
        let entry = state.jobs.entry(id).or_insert_with(|| Entry {
            polled: watch::Sender::new(pending),
            wants_log: false,
            has_new_subscriber: false,
        });
        entry.wants_log |= with_log;
        entry.has_new_subscriber = true;
        let polled = entry.polled.subscribe();
        // A task that panicked is finished as well, and is replaced here.
        if state.task.as_ref().is_none_or(JoinHandle::is_finished) {
            state.task = Some(tokio::spawn(run(Arc::clone(&self.0))));
        }
        self.0.subscribed.notify_one();
        JobSubscription { polled, first_poll }
    }
}

/// Polls until the last subscription is dropped.
async fn run(watcher: Arc<Shared>) {
    let mut only_new = false;
    let mut next_poll = Instant::now();
    while let Some((poll, mut targets)) = watcher.begin_poll() {
        if only_new {
            targets.retain(Target::is_new);
        } else {
            next_poll = Instant::now() + watcher.interval;
        }
        match poll::read_changed(&watcher.db, &targets).await {
            Ok(changed) => watcher.publish(poll, changed),
            Err(error) => {
                tracing::debug!(%error, "watched jobs could not be read");
                watcher.publish_unavailable(poll, &targets);
            }
        }
        // A new subscriber gets its first observation at once. The other jobs wait for the next regular poll.
        only_new = tokio::select! {
            biased;
            () = tokio::time::sleep_until(next_poll) => false,
            () = watcher.subscribed.notified() => true,
        };
    }
}

impl Shared {
    /// Begins a poll: its number and the jobs that still have subscribers. Without any, the task ends: `None`.
    fn begin_poll(&self) -> Option<(u64, Vec<Target>)> {
        let mut state = self.state();
        state.jobs.retain(|_, entry| entry.polled.receiver_count() > 0);
        if state.jobs.is_empty() {
            state.task = None;
            return None;
        }
        state.poll += 1;
        let poll = state.poll;
        let targets = state.jobs.iter_mut().map(|(id, entry)| Target {
            id: *id,
            wants_log: entry.wants_log,
            has_new_subscriber: std::mem::take(&mut entry.has_new_subscriber),
            last: match &entry.polled.borrow().observation {
                Observation::Found(watched) => Some(Arc::clone(watched)),
                Observation::Pending | Observation::Unavailable | Observation::Missing => None,
            },
        });
        Some((poll, targets.collect()))
    }

    fn publish(&self, poll: u64, changed: Vec<(JobId, Option<WatchedJob>)>) {
        let state = self.state();
        for (id, watched) in changed {
            if let Some(entry) = state.jobs.get(&id) {
                let observation = watched.map_or(Observation::Missing, |watched| Observation::Found(Arc::new(watched)));
                entry.polled.send_replace(Polled { poll, observation });
            }
        }
    }

    /// Reports the failed poll to new subscribers. Other subscribers keep their last observation.
    fn publish_unavailable(&self, poll: u64, targets: &[Target]) {
        let state = self.state();
        let new = targets.iter().filter(|target| target.has_new_subscriber);
        for entry in new.filter_map(|target| state.jobs.get(&target.id)) {
            entry.polled.send_replace(Polled { poll, observation: Observation::Unavailable });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
