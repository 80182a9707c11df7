//! Refuses requests beyond a limit, so that the latency of the accepted requests stays bounded.
//!
//! A handler that never waits finishes in one poll. Without a queue of their own, such requests would wait where nothing counts
//! them: in the run queue of the runtime and in sockets. Therefore a request is counted when its head has been read. Then it
//! waits for a slot, and yields, so that all ready tasks run first. There are only a few slots per core, so the runtime reads
//! new heads after at most that many requests. A refusal waits behind these few requests, not behind the whole queue.
//!
//! [`AdaptiveLimit`] decides how long the queue may become.

mod adaptive_limit;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use http_body::Body as _;
use metrics::Counter;
use tokio::sync::Semaphore;
use trainyard_telemetry::catalogue::HTTP_REQUESTS_TOTAL;

use self::adaptive_limit::AdaptiveLimit;
use crate::middleware;
use crate::problem::{Code, Problem};

/// Clients wait at least this long. Shorter times would add requests to the overload.
const RETRY_AFTER_S: u64 = 1;
/// Time between two log lines about refused requests, in milliseconds.
const LOG_EVERY_MS: u64 = 1_000;
/// An overload never reduces the limit below this many requests per core. So a client with at most this many connections per
/// core, which waits for each answer before its next request, causes no refusals.
const MIN_PER_CORE: usize = 64;
/// The slots per core. With fewer slots the runtime would poll the sockets more often than needed, which costs throughput.
const SLOTS_PER_CORE: usize = 8;

/// Limits the requests that wait for a processor or use one. Clones share the limit.
///
/// While a request waits for anything else, it does not count: for its body, the database, or another thread. Otherwise slow
/// clients could use up the limit.
#[derive(Debug, Clone)]
pub struct InFlightLimit {
    shared: Arc<Shared>,
    large: Option<LargeBodies>,
}

/// See [`InFlightLimit::refusing_large_bodies`].
#[derive(Debug, Clone)]
struct LargeBodies {
    bytes: u64,
    waiting: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shared {
    limit: AdaptiveLimit,
    slots: Semaphore,
    setting: &'static str,
    on_refusal: fn(),
    /// The number of requests in flight. Relaxed memory ordering is enough: the number protects no other data.
    counted: AtomicUsize,
    started: Instant,
    next_log_ms: AtomicU64,
    unlogged: AtomicU64,
}

impl InFlightLimit {
    /// A limit of `max` requests, and of fewer while the queue does not empty. Log lines name `setting`, the key of the limit.
    /// `on_refusal` is called for each refused request.
    pub fn new(max: usize, setting: &'static str, on_refusal: fn()) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = Shared {
            limit: AdaptiveLimit::new(MIN_PER_CORE * cores, max),
            slots: Semaphore::new(SLOTS_PER_CORE * cores),
            setting,
            on_refusal,
            counted: AtomicUsize::new(0),
            started: Instant::now(),
            next_log_ms: AtomicU64::new(0),
            unlogged: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared), large: None }
    }

    /// Also refuses requests with a body of more than `bytes` bytes while `waiting` has no permit. The handler of such a request
    /// needs a permit after it has read the body, and would refuse the request without one. An early refusal needs neither the
    /// body nor the token.
    #[must_use]
    pub fn refusing_large_bodies(self, bytes: u64, waiting: Arc<Semaphore>) -> Self {
        Self { large: Some(LargeBodies { bytes, waiting }), ..self }
    }

    fn refuses_body(&self, request: &Request) -> bool {
        let Some(large) = &self.large else { return false };
        large.waiting.available_permits() == 0 && request.body().size_hint().lower() > large.bytes
    }

    /// Counts a request. `None` if the limit is reached; then the refusal is recorded, and the request must be refused.
    pub fn enter(&self) -> Option<InFlightPermit> {
        let limit = self.shared.limit.current();
        let below_limit = |counted: usize| (counted < limit).then_some(counted + 1);
        match self.shared.counted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below_limit) {
            Ok(_) => Some(InFlightPermit { limit: self.clone(), counts: true }),
            Err(_) => {
                self.record_refusal();
                None
            }
        }
    }

    /// The problem of a refused request: 503 with `Retry-After`.
    pub fn problem() -> Problem {
        let detail = "too many requests are in flight; retry after the time in Retry-After";
        Problem::new(Code::Unavailable, detail).retry_after(RETRY_AFTER_S)
    }

    fn record_refusal(&self) {
        let shared = &*self.shared;
        (shared.on_refusal)();
        shared.unlogged.fetch_add(1, Ordering::Relaxed);
        let now = shared.started.elapsed().as_millis() as u64;
        let next = shared.next_log_ms.load(Ordering::Relaxed);
        // A line for each refused request would cost more than the refusal.
        if now >= next
            && shared
                .next_log_ms
                .compare_exchange(next, now + LOG_EVERY_MS, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            let refused = shared.unlogged.swap(0, Ordering::Relaxed);
            tracing::warn!(
                refused,
                limit = shared.limit.current(),
                key = shared.setting,
                "refused requests: the process is overloaded"
            );
        }
    }
}

/// An accepted request, until it is dropped.
#[derive(Debug)]
pub struct InFlightPermit {
    limit: InFlightLimit,
    counts: bool,
}

impl InFlightPermit {
    /// Waits for a slot, yields so that all ready tasks run first, and then runs `work`. While `work` waits, the request neither
    /// counts nor has a slot.
    pub async fn run<T>(mut self, work: impl Future<Output = T>) -> T {
        let shared = Arc::clone(&self.limit.shared);
        let arrived = shared.started.elapsed();
        // The semaphore is never closed.
        let mut slot = shared.slots.acquire().await.ok();
        tokio::task::yield_now().await;
        let now = shared.started.elapsed();
        shared.limit.record_wait(now - arrived, now);
        let mut work = pin!(work);
        poll_fn(|context| {
            self.count();
            let polled = work.as_mut().poll(context);
            if polled.is_pending() {
                self.uncount();
                slot = None;
            }
            polled
        })
        .await
    }

    /// Counts a request that continues, also beyond the limit: it has been accepted.
    fn count(&mut self) {
        if !self.counts {
            self.limit.shared.counted.fetch_add(1, Ordering::Relaxed);
            self.counts = true;
        }
    }

    fn uncount(&mut self) {
        if self.counts {
            self.limit.shared.counted.fetch_sub(1, Ordering::Relaxed);
            self.counts = false;
        }
    }
}

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        self.uncount();
    }
}

/// A route with a limit.
#[derive(Debug, Clone)]
pub(crate) struct LimitedRoute {
    limit: InFlightLimit,
    refused: Counter,
}

impl LimitedRoute {
    /// The route with this path template, which has the method POST.
    pub(crate) fn new(limit: InFlightLimit, path: &str) -> Self {
        let refused =
            metrics::counter!(HTTP_REQUESTS_TOTAL, "method" => "POST", "route" => path.to_owned(), "status" => "503");
        Self { limit, refused }
    }

    /// Runs a POST request, or refuses it. A refused request is neither authenticated nor read, and has no span and no line in
    /// the access log.
    pub(crate) async fn admit<F: Future<Output = Response>>(
        &self,
        request: Request,
        run: impl FnOnce(Request) -> F,
    ) -> Response {
        let permit = match self.limit.refuses_body(&request) {
            true => {
                self.limit.record_refusal();
                None
            }
            false => self.limit.enter(),
        };
        match permit {
            Some(permit) => permit.run(run(request)).await,
            None => {
                self.refused.increment(1);
                middleware::refuse(request, InFlightLimit::problem())
            }
        }
    }
}
