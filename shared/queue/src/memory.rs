//! The queue within one process: the same behaviour without Redis.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use trainyard_domain::ids::{JobId, UserId};
use trainyard_domain::job::PriorityClass;

use crate::ready::{Offered, Ready, Share, Turn};

/// Notes that a subscriber may fall behind before it loses the oldest.
const NOTES: usize = 256;

/// The ids that wait, and the notes.
pub(crate) struct Memory {
    classes: Mutex<[Class; 3]>,
    added: Notify,
    pub(crate) cancels: broadcast::Sender<JobId>,
    pub(crate) models: broadcast::Sender<()>,
}

/// One line of ids.
#[derive(Default)]
struct Class {
    waiting: VecDeque<JobId>,
    /// Those that wait or are being claimed, each with its user.
    sent: HashMap<JobId, UserId>,
    /// How many of these each user has.
    held: HashMap<UserId, u64>,
    /// Users that had jobs refused, each with a number that moves with every refusal.
    refused: HashMap<UserId, u64>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            classes: Mutex::default(),
            added: Notify::new(),
            cancels: broadcast::Sender::new(NOTES),
            models: broadcast::Sender::new(NOTES),
        }
    }

    pub(crate) fn offer(&self, jobs: &[Ready], window: u64, turn: Turn) -> Vec<Offered> {
        let mut classes = self.classes();
        let offer = |ready: &Ready| classes[ready.class as usize].offer(ready, window, turn);
        let answer: Vec<_> = jobs.iter().map(offer).collect();
        let refused = jobs.iter().zip(&answer).filter(|(_, answer)| **answer == Offered::Refused);
        for (user, class) in refused.map(|(ready, _)| (ready.user, ready.class)).collect::<HashSet<_>>() {
            *classes[class as usize].refused.entry(user).or_insert(0) += 1;
        }
        drop(classes);
        self.added.notify_waiters();
        answer
    }

    pub(crate) fn shares(&self) -> Vec<Share> {
        let classes = self.classes();
        let of = |class: PriorityClass| {
            let Class { held, refused, .. } = &classes[class as usize];
            let count = |counts: &HashMap<UserId, u64>, user: &UserId| counts.get(user).copied().unwrap_or(0);
            let users = held.keys().chain(refused.keys().filter(|user| !held.contains_key(user)));
            let share =
                |user: &UserId| Share { user: *user, class, held: count(held, user), refusals: count(refused, user) };
            users.map(share).collect::<Vec<_>>()
        };
        PriorityClass::ALL.into_iter().flat_map(of).collect()
    }

    pub(crate) fn caught_up(&self, shares: &[Share]) {
        let mut classes = self.classes();
        for share in shares {
            if let Entry::Occupied(known) = classes[share.class as usize].refused.entry(share.user)
                && *known.get() == share.refusals
            {
                known.remove();
            }
        }
    }

    /// Puts back an id that was taken, first in its class again.
    pub(crate) fn put_back(&self, job: JobId, class: PriorityClass) {
        self.classes()[class as usize].waiting.push_front(job);
        self.added.notify_waiters();
    }

    /// Removes an id that was taken.
    pub(crate) fn remove(&self, job: JobId, class: PriorityClass) {
        self.classes()[class as usize].remove(job);
    }

    pub(crate) fn depth(&self) -> Vec<(PriorityClass, u64)> {
        let classes = self.classes();
        PriorityClass::ALL.into_iter().map(|class| (class, classes[class as usize].sent.len() as u64)).collect()
    }

    /// The next ids, up to `room`, of the highest class first, waiting up to `limit` for one.
    pub(crate) async fn next(&self, room: usize, limit: Duration) -> Vec<(JobId, PriorityClass)> {
        let mut added = std::pin::pin!(self.added.notified());
        added.as_mut().enable(); // before the look, so that an id added right after it wakes us
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
    fn offer(&mut self, Ready { job, user, .. }: &Ready, window: u64, turn: Turn) -> Offered {
        if self.sent.contains_key(job) {
            return Offered::There;
        }
        let held = self.held.get(user).copied().unwrap_or(0);
        let waits = turn == Turn::Last && self.refused.contains_key(user);
        if waits || held >= window {
            return Offered::Refused;
        }
        self.held.insert(*user, held + 1);
        self.sent.insert(*job, *user);
        self.waiting.push_back(*job);
        Offered::Sent
    }

    fn remove(&mut self, job: JobId) {
        let Some(user) = self.sent.remove(&job) else { return };
        if let Entry::Occupied(mut held) = self.held.entry(user) {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}
