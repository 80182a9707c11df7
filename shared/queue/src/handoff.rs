//! The channel between the fetcher task and the apalis worker. The worker requests ids, the fetcher puts some, and the
//! worker takes them one by one.
//!
//! Ids that the worker has not taken belong to the fetcher. The fetcher returns them to the queue before it ends, so no id
//! is lost, whichever side stops first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use apalis_core::worker::context::WorkerContext;
use futures::task::AtomicWaker;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::delivery::Delivery;

/// The channel.
pub(crate) struct Handoff {
    /// Cancelled when the worker closes or drops its consumer.
    pub(crate) stop: CancellationToken,
    /// Set by the first poll. A draining worker no longer polls, so the fetcher reads its state from here.
    worker: OnceLock<WorkerContext>,
    state: Mutex<State>,
    requested: Notify,
    waker: AtomicWaker,
    last_poll: Mutex<Instant>,
}

/// The worker requests ids only when there are none.
#[derive(Default)]
struct State {
    is_requested: bool,
    deliveries: VecDeque<Delivery>,
}

impl Handoff {
    pub(crate) fn new() -> Self {
        Self {
            stop: CancellationToken::new(),
            worker: OnceLock::new(),
            state: Mutex::default(),
            requested: Notify::new(),
            waker: AtomicWaker::new(),
            last_poll: Mutex::new(Instant::now()),
        }
    }

    /// For the worker: takes the next delivery; if there is none, requests some and registers `waker`.
    pub(crate) fn take_or_request(&self, waker: &Waker, worker: &WorkerContext) -> Option<Delivery> {
        self.worker.get_or_init(|| worker.clone());
        self.waker.register(waker);
        let mut state = lock(&self.state);
        let delivery = state.deliveries.pop_front();
        if delivery.is_none() && !state.is_requested {
            state.is_requested = true;
            self.requested.notify_one();
        }
        delivery
    }

    /// For the fetcher: whether the worker waits for ids.
    pub(crate) fn is_requested(&self) -> bool {
        lock(&self.state).is_requested
    }

    /// Waits until the worker requests ids or stops; `false` after `limit`.
    pub(crate) async fn wait_for_request(&self, limit: Duration) -> bool {
        tokio::select! {
            () = self.requested.notified() => true,
            () = self.stop.cancelled() => true,
            () = tokio::time::sleep(limit) => false,
        }
    }

    /// Puts deliveries and wakes the worker.
    pub(crate) fn put(&self, deliveries: Vec<Delivery>) {
        *lock(&self.state) = State { is_requested: false, deliveries: deliveries.into() };
        self.waker.wake();
    }

    /// Takes back the deliveries that the worker has not taken.
    pub(crate) fn take_back(&self) -> VecDeque<Delivery> {
        std::mem::take(&mut lock(&self.state).deliveries)
    }

    /// Whether no further id may be read: the worker closed, was dropped, or drains.
    pub(crate) fn is_closing(&self) -> bool {
        self.stop.is_cancelled() || self.worker.get().is_some_and(WorkerContext::is_shutting_down)
    }

    /// Records that the fetcher polls.
    pub(crate) fn record_poll(&self) {
        *lock(&self.last_poll) = Instant::now();
    }

    /// The time since the fetcher's last poll.
    pub(crate) fn since_last_poll(&self) -> Duration {
        lock(&self.last_poll).elapsed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
