//! Where the fetching task and the apalis worker meet: ids are asked for, laid down, and picked up one by one.
//!
//! The ids on the desk belong to the fetcher until they are picked up, so whoever stops first, none is lost: the fetcher
//! clears the desk before it leaves.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use apalis_core::worker::context::WorkerContext;
use futures::task::AtomicWaker;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::delivery::Delivery;

/// The desk.
pub(crate) struct Desk {
    /// Cancelled when the worker closes or drops its consumer.
    pub(crate) stop: CancellationToken,
    /// Set with the first poll. A worker that drains no longer polls, so the fetcher looks at its state by itself.
    worker: OnceLock<WorkerContext>,
    surface: Mutex<Surface>,
    asked: Notify,
    waker: AtomicWaker,
    turned: Mutex<Instant>,
}

/// What lies on it. The worker asks only when nothing lies there, and what lies there answers what was asked.
#[derive(Default)]
struct Surface {
    wanted: bool,
    laid: VecDeque<Delivery>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            stop: CancellationToken::new(),
            worker: OnceLock::new(),
            surface: Mutex::default(),
            asked: Notify::new(),
            waker: AtomicWaker::new(),
            turned: Mutex::new(Instant::now()),
        }
    }

    /// The worker's side: picks up an id if one lies there, else asks for some and leaves word whom to wake.
    pub(crate) fn pick_up(&self, waker: &Waker, worker: &WorkerContext) -> Option<Delivery> {
        self.worker.get_or_init(|| worker.clone());
        self.waker.register(waker);
        let mut surface = lock(&self.surface);
        let delivery = surface.laid.pop_front();
        if delivery.is_none() && !surface.wanted {
            surface.wanted = true;
            self.asked.notify_one();
        }
        delivery
    }

    /// The fetcher's side: whether the worker waits for ids.
    pub(crate) fn is_wanted(&self) -> bool {
        lock(&self.surface).wanted
    }

    /// Waits until the worker asks or stops, or for `limit`; `false` when it did neither.
    pub(crate) async fn asked(&self, limit: Duration) -> bool {
        tokio::select! {
            () = self.asked.notified() => true,
            () = self.stop.cancelled() => true,
            () = tokio::time::sleep(limit) => false,
        }
    }

    /// Lays ids down and wakes the worker.
    pub(crate) fn lay(&self, deliveries: Vec<Delivery>) {
        *lock(&self.surface) = Surface { wanted: false, laid: deliveries.into() };
        self.waker.wake();
    }

    /// Takes back what nobody picked up.
    pub(crate) fn clear(&self) -> VecDeque<Delivery> {
        std::mem::take(&mut lock(&self.surface).laid)
    }

    /// Whether no further id may be read: the worker closed, was dropped, or drains.
    pub(crate) fn is_closing(&self) -> bool {
        self.stop.is_cancelled() || self.worker.get().is_some_and(WorkerContext::is_shutting_down)
    }

    /// Notes that the fetcher is alive.
    pub(crate) fn turned(&self) {
        *lock(&self.turned) = Instant::now();
    }

    /// How long ago the fetcher last was.
    pub(crate) fn silent_for(&self) -> Duration {
        lock(&self.turned).elapsed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
