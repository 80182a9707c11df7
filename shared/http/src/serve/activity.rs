//! What a connection is doing, and whether it should be closed for it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::limits::ServeLimits;

/// How often an HTTP/2 connection is checked, in parts of its limits.
const CHECKS_PER_LIMIT: u32 = 4;

/// Why a connection should be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No request came.
    NoRequest,
    /// No request is in progress, and the last one ended long ago.
    Idle,
    /// An answer waits for a client that grants it no room.
    NotRead,
}

/// The requests of one connection. HTTP/1 connections need little of it: hyper itself closes those that are idle, and the
/// socket shows whether the client reads. On HTTP/2 pings keep both from being noticed.
pub(super) struct Activity {
    opened: Instant,
    any_request: AtomicBool,
    http2: AtomicBool,
    in_progress: AtomicUsize,
    answers: Mutex<Answers>,
}

struct Answers {
    last_end: Instant,
    /// When each answer began to wait for its client.
    waiting: Vec<Option<Instant>>,
}

impl Activity {
    pub(super) fn new() -> Self {
        let opened = Instant::now();
        let (any_request, http2, in_progress) = (AtomicBool::new(false), AtomicBool::new(false), AtomicUsize::new(0));
        let answers = Mutex::new(Answers { last_end: opened, waiting: Vec::new() });
        Self { opened, any_request, http2, in_progress, answers }
    }

    /// A request of HTTP/1 came.
    pub(super) fn http1_request(&self) {
        self.any_request.store(true, Ordering::Relaxed);
    }

    /// A request of HTTP/2 came; [`Activity::end_http2_request`] ends it.
    pub(super) fn begin_http2_request(&self) {
        self.any_request.store(true, Ordering::Relaxed);
        self.http2.store(true, Ordering::Relaxed);
        self.in_progress.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_http2_request(&self) {
        self.lock().last_end = Instant::now();
        self.in_progress.fetch_sub(1, Ordering::Relaxed);
    }

    /// An answer waits from now on for the client to grant room; `slot` is where the same answer waited before.
    pub(super) fn wait(&self, slot: Option<usize>) -> usize {
        let (now, waiting) = (Some(Instant::now()), &mut self.lock().waiting);
        match slot.or_else(|| waiting.iter().position(Option::is_none)) {
            Some(slot) => {
                waiting[slot] = now;
                slot
            }
            None => {
                waiting.push(now);
                waiting.len() - 1
            }
        }
    }

    /// The answer in `slot` waits no longer.
    pub(super) fn go_on(&self, slot: usize) {
        self.lock().waiting[slot] = None;
    }

    /// Resolves when the connection should be closed.
    pub(super) async fn overdue(&self, limits: &ServeLimits) -> Overdue {
        tokio::time::sleep_until(self.opened + limits.head_timeout).await;
        if !self.any_request.load(Ordering::Relaxed) {
            return Overdue::NoRequest;
        }
        let pause = limits.idle_timeout.min(limits.write_timeout) / CHECKS_PER_LIMIT;
        loop {
            if self.http2.load(Ordering::Relaxed) {
                if let Some(overdue) = self.judge(limits.idle_timeout, limits.write_timeout) {
                    return overdue;
                }
                sleep(pause).await;
            } else {
                std::future::pending::<()>().await;
            }
        }
    }

    fn judge(&self, idle_timeout: Duration, write_timeout: Duration) -> Option<Overdue> {
        let (now, answers) = (Instant::now(), self.lock());
        let longest_wait = answers.waiting.iter().flatten().min();
        if longest_wait.is_some_and(|since| now.duration_since(*since) >= write_timeout) {
            return Some(Overdue::NotRead);
        }
        let idle = self.in_progress.load(Ordering::Relaxed) == 0;
        (idle && now.duration_since(answers.last_end) >= idle_timeout).then_some(Overdue::Idle)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
