//! The queue of a single process, with the behaviour of the queue in Redis.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use trainyard_domain::ids::{JobId, UserId};
use trainyard_domain::job::PriorityClass;

use crate::enqueue::{EnqueueFrom, Enqueued, ReadyJob, UserWindow};

/// Messages buffered for a subscriber; the oldest are lost beyond that.
const MAX_BUFFERED: usize = 256;

/// The waiting ids and the message channels.
pub(crate) struct Memory {
    classes: Mutex<[Class; 3]>,
    added: Notify,
    pub(crate) cancels: broadcast::Sender<JobId>,
    pub(crate) models: broadcast::Sender<()>,
}

/// The ids of one priority class.
#[derive(Default)]
struct Class {
    waiting: VecDeque<JobId>,
    /// Ids that wait or are being claimed, with their users.
    enqueued: HashMap<JobId, UserId>,
    /// The number of enqueued ids of each user.
    counts: HashMap<UserId, u64>,
    /// The number of refusals of each user with refused jobs.
    refused: HashMap<UserId, u64>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            classes: Mutex::default(),
            added: Notify::new(),
            cancels: broadcast::Sender::new(MAX_BUFFERED),
            models: broadcast::Sender::new(MAX_BUFFERED),
        }
    }

    pub(crate) fn enqueue(&self, jobs: &[ReadyJob], window: u64, from: EnqueueFrom) -> Vec<Enqueued> {
        let mut classes = self.classes();
        let enqueue = |ready: &ReadyJob| classes[ready.class as usize].enqueue(ready, window, from);
        let results: Vec<_> = jobs.iter().map(enqueue).collect();
        let refused = jobs.iter().zip(&results).filter(|(_, result)| **result == Enqueued::Refused);
        for (user, class) in refused.map(|(ready, _)| (ready.user, ready.class)).collect::<HashSet<_>>() {
            *classes[class as usize].refused.entry(user).or_insert(0) += 1;
        }
        drop(classes);
        self.added.notify_waiters();
        results
    }

    pub(crate) fn user_windows(&self) -> Vec<UserWindow> {
        let classes = self.classes();
        let of = |class: PriorityClass| {
            let Class { counts, refused, .. } = &classes[class as usize];
            let number = |numbers: &HashMap<UserId, u64>, user: &UserId| numbers.get(user).copied().unwrap_or(0);
            let users = counts.keys().chain(refused.keys().filter(|user| !counts.contains_key(user)));
            let window = |user: &UserId| {
                let (enqueued, refusals) = (number(counts, user), number(refused, user));
                UserWindow { user: *user, class, enqueued, refusals }
            };
            users.map(window).collect::<Vec<_>>()
        };
        PriorityClass::ALL.into_iter().flat_map(of).collect()
    }

    pub(crate) fn clear_refusals(&self, windows: &[UserWindow]) {
        let mut classes = self.classes();
        for window in windows {
            if let Entry::Occupied(known) = classes[window.class as usize].refused.entry(window.user)
                && *known.get() == window.refusals
            {
                known.remove();
            }
        }
    }

    /// Returns an id that was read, first in its class.
    pub(crate) fn put_back(&self, job: JobId, class: PriorityClass) {
        self.classes()[class as usize].waiting.push_front(job);
        self.added.notify_waiters();
    }

    /// Removes an id that was read.
    pub(crate) fn remove(&self, job: JobId, class: PriorityClass) {
        self.classes()[class as usize].remove(job);
    }

    pub(crate) fn depth(&self) -> Vec<(PriorityClass, u64)> {
        let classes = self.classes();
        PriorityClass::ALL.into_iter().map(|class| (class, classes[class as usize].enqueued.len() as u64)).collect()
    }

    /// Reads up to `room` ids, highest class first. Waits up to `limit` for the first id.
    pub(crate) async fn read(&self, room: usize, limit: Duration) -> Vec<(JobId, PriorityClass)> {
        let mut added = std::pin::pin!(self.added.notified());
        added.as_mut().enable(); // before `take`, so that an id added right after it wakes this task
        let found = self.take(room);
        if !found.is_empty() {
            return found;
        }
        let _ = tokio::time::timeout(limit, added).await;
        self.take(room)
    }

    fn take(&self, room: usize) -> Vec<(JobId, PriorityClass)> {
        let mut classes = self.classes();
        let mut found = Vec::new();
        for class in PriorityClass::ALL {
            let waiting = &mut classes[class as usize].waiting;
            let count = waiting.len().min(room - found.len());
            found.extend(waiting.drain(..count).map(|job| (job, class)));
        }
        found
    }

    fn classes(&self) -> MutexGuard<'_, [Class; 3]> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Class {
    fn enqueue(&mut self, ReadyJob { job, user, .. }: &ReadyJob, window: u64, from: EnqueueFrom) -> Enqueued {
        if self.enqueued.contains_key(job) {
            return Enqueued::Present;
        }
        let count = self.counts.get(user).copied().unwrap_or(0);
        let would_overtake = from == EnqueueFrom::Submission && self.refused.contains_key(user);
        if would_overtake || count >= window {
            return Enqueued::Refused;
        }
        self.counts.insert(*user, count + 1);
        self.enqueued.insert(*job, *user);
        self.waiting.push_back(*job);
        Enqueued::Added
    }

    fn remove(&mut self, job: JobId) {
        let Some(user) = self.enqueued.remove(&job) else { return };
        if let Entry::Occupied(mut count) = self.counts.entry(user) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
