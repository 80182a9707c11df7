//! Where the fetching task and the apalis worker meet: one id is asked for, one is laid down, one is picked up.
//!
//! The id on the desk belongs to the fetcher until it is picked up, so whoever stops first, it is never lost: the fetcher
//! clears the desk before it leaves.

use std::sync::atomic::{AtomicBool, Ordering};
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
    wanted: AtomicBool,
    asked: Notify,
    laid: Mutex<Option<Delivery>>,
    waker: AtomicWaker,
    turned: Mutex<Instant>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            stop: CancellationToken::new(),
            worker: OnceLock::new(),
            wanted: AtomicBool::new(false),
            asked: Notify::new(),
            laid: Mutex::default(),
            waker: AtomicWaker::new(),
            turned: Mutex::new(Instant::now()),
        }
    }

    /// The worker's side: picks up the id if one lies there, else asks for one and leaves word whom to wake.
    pub(crate) fn pick_up(&self, waker: &Waker, worker: &WorkerContext) -> Option<Delivery> {
        self.worker.get_or_init(|| worker.clone());
        self.waker.register(waker);
        let delivery = self.clear();
        if delivery.is_none() && !self.wanted.swap(true, Ordering::AcqRel) {
            self.asked.notify_one();
        }
        delivery
    }

    /// The fetcher's side: whether the worker waits for an id.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// Waits until the worker asks or stops, or for `limit`.
    pub(crate) async fn asked(&self, limit: Duration) {
        tokio::select! {
            () = self.asked.notified() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(limit) => {}
        }
    }

    /// Lays an id down and wakes the worker.
    pub(crate) fn lay(&self, delivery: Delivery) {
        *lock(&self.laid) = Some(delivery);
        self.wanted.store(false, Ordering::Release);
        self.waker.wake();
    }

    /// Takes back what nobody picked up.
    pub(crate) fn clear(&self) -> Option<Delivery> {
        lock(&self.laid).take()
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
