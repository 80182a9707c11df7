//! Tracks the requests of a connection, and decides when the connection is closed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::limits::ServeLimits;

/// How many times an HTTP/2 connection is checked within the shorter of its limits.
const CHECKS_PER_LIMIT: u32 = 4;

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The first request did not arrive in time.
    NoRequest,
    /// No request is active, and the idle timeout has passed since the last one.
    Idle,
    /// A response has waited for the client's flow-control window for too long.
    NotRead,
}

/// The requests of one connection. On HTTP/1 hyper closes idle connections, and the socket shows whether the client reads.
/// On HTTP/2 pings hide both, so the requests are counted here.
pub(super) struct Activity {
    opened: Instant,
    any_request: AtomicBool,
    http2: AtomicBool,
    active_requests: AtomicUsize,
    responses: Mutex<Responses>,
}

struct Responses {
    last_end: Instant,
    /// When each response began to wait for its client.
    waiting_since: Vec<Option<Instant>>,
}

impl Activity {
    pub(super) fn new() -> Self {
        let opened = Instant::now();
        let (any_request, http2) = (AtomicBool::new(false), AtomicBool::new(false));
        let responses = Mutex::new(Responses { last_end: opened, waiting_since: Vec::new() });
        Self { opened, any_request, http2, active_requests: AtomicUsize::new(0), responses }
    }

    pub(super) fn http1_request(&self) {
        self.any_request.store(true, Ordering::Relaxed);
    }

    pub(super) fn begin_http2_request(&self) {
        self.any_request.store(true, Ordering::Relaxed);
        self.http2.store(true, Ordering::Relaxed);
        self.active_requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_http2_request(&self) {
        self.lock().last_end = Instant::now();
        self.active_requests.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records that a response waits for the client's window. `index` is the result of the response's last wait.
    pub(super) fn begin_wait(&self, index: Option<usize>) -> usize {
        let (now, waiting) = (Some(Instant::now()), &mut self.lock().waiting_since);
        match index.or_else(|| waiting.iter().position(Option::is_none)) {
            Some(index) => {
                waiting[index] = now;
                index
            }
            None => {
                waiting.push(now);
                waiting.len() - 1
            }
        }
    }

    pub(super) fn end_wait(&self, index: usize) {
        self.lock().waiting_since[index] = None;
    }

    /// Resolves when the connection must be closed.
    pub(super) async fn until_close(&self, limits: &ServeLimits) -> CloseReason {
        tokio::time::sleep_until(self.opened + limits.head_timeout).await;
        if !self.any_request.load(Ordering::Relaxed) {
            return CloseReason::NoRequest;
        }
        let pause = limits.idle_timeout.min(limits.write_timeout) / CHECKS_PER_LIMIT;
        loop {
            if self.http2.load(Ordering::Relaxed) {
                if let Some(reason) = self.close_reason(limits.idle_timeout, limits.write_timeout) {
                    return reason;
                }
                sleep(pause).await;
            } else {
                std::future::pending::<()>().await;
            }
        }
    }

    fn close_reason(&self, idle_timeout: Duration, write_timeout: Duration) -> Option<CloseReason> {
        let (now, responses) = (Instant::now(), self.lock());
        let longest_wait = responses.waiting_since.iter().flatten().min();
        if longest_wait.is_some_and(|since| now.duration_since(*since) >= write_timeout) {
            return Some(CloseReason::NotRead);
        }
        let idle = self.active_requests.load(Ordering::Relaxed) == 0;
        (idle && now.duration_since(responses.last_end) >= idle_timeout).then_some(CloseReason::Idle)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Responses> {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
