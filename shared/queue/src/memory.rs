//! The queue within one process: the same behaviour without Redis.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, broadcast};
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;
use uuid::Uuid;

/// Notes that a subscriber may fall behind before it loses the oldest.
const NOTES: usize = 256;

/// The ids that wait, and the notes.
pub(crate) struct Memory {
    /// Each id with when it was sent.
    classes: Mutex<[VecDeque<(JobId, Instant)>; 3]>,
    added: Notify,
    pub(crate) cancels: broadcast::Sender<JobId>,
    pub(crate) models: broadcast::Sender<()>,
    pub(crate) epoch: String,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            classes: Mutex::default(),
            added: Notify::new(),
            cancels: broadcast::Sender::new(NOTES),
            models: broadcast::Sender::new(NOTES),
            epoch: Uuid::now_v7().to_string(),
        }
    }

    pub(crate) fn dispatch(&self, jobs: &[(JobId, PriorityClass)]) {
        let mut classes = self.classes();
        for (job, class) in jobs {
            classes[*class as usize].push_back((*job, Instant::now()));
        }
        drop(classes);
        self.added.notify_waiters();
    }

    /// Puts back an id that was taken but not handed over, first in its class again.
    pub(crate) fn put_back(&self, job: JobId, class: PriorityClass) {
        self.classes()[class as usize].push_front((job, Instant::now()));
        self.added.notify_waiters();
    }

    pub(crate) fn depth(&self) -> Vec<(PriorityClass, u64)> {
        let classes = self.classes();
        PriorityClass::ALL.into_iter().map(|class| (class, classes[class as usize].len() as u64)).collect()
    }

    pub(crate) fn oldest(&self) -> Vec<(PriorityClass, Option<Duration>)> {
        let classes = self.classes();
        let age = |class| classes[class as usize].front().map(|(_, sent)| sent.elapsed());
        PriorityClass::ALL.into_iter().map(|class| (class, age(class))).collect()
    }

    /// The next id of the highest class that has one, waiting up to `limit` for it.
    pub(crate) async fn next(&self, limit: Duration) -> Option<(JobId, PriorityClass)> {
        let mut added = std::pin::pin!(self.added.notified());
        added.as_mut().enable(); // before the look, so that an id added right after it wakes us
        match self.take() {
            Some(found) => Some(found),
            None => {
                let _ = tokio::time::timeout(limit, added).await;
                self.take()
            }
        }
    }

    fn take(&self) -> Option<(JobId, PriorityClass)> {
        let mut classes = self.classes();
        PriorityClass::ALL.into_iter().find_map(|class| Some((classes[class as usize].pop_front()?.0, class)))
    }

    fn classes(&self) -> MutexGuard<'_, [VecDeque<(JobId, Instant)>; 3]> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
