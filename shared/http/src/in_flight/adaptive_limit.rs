//! A limit on the length of a queue that adapts to the waiting time: a burst may fill the queue, a lasting overload may not.
//!
//! A long queue alone is no overload: a burst to an idle process is answered within milliseconds. The sign of an overload is a
//! queue that does not empty. Therefore, as in CoDel (Nichols and Jacobson, "Controlling Queue Delay", 2012), the measure is the
//! shortest wait in a window. After a window in which the shortest wait is too long, the limit is halved. After any other window
//! the limit grows by a constant (additive increase, multiplicative decrease).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The longest acceptable value of the shortest wait in a window.
const TARGET: Duration = Duration::from_millis(5);
/// The length of a window: several times the wait of a burst.
const WINDOW: Duration = Duration::from_millis(100);
/// The limit grows from the minimum to the maximum in this many windows.
const GROWTH_STEPS: usize = 16;

/// A limit between a minimum and a maximum, at first the maximum. Relaxed memory ordering is enough: a lost measurement only
/// changes the limit one window later.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    min: usize,
    max: usize,
    current: AtomicUsize,
    /// 0 before the first request.
    window_end_us: AtomicU64,
    shortest_wait_us: AtomicU64,
}

impl AdaptiveLimit {
    /// A limit of `max`, which an overload never reduces below `min`.
    pub(super) fn new(min: usize, max: usize) -> Self {
        Self {
            min: min.min(max),
            max,
            current: AtomicUsize::new(max),
            window_end_us: AtomicU64::new(0),
            shortest_wait_us: AtomicU64::new(u64::MAX),
        }
    }

    /// The limit.
    pub(super) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Records how long a request has waited. `now` is the time since a fixed moment, the same for all calls.
    pub(super) fn record_wait(&self, wait: Duration, now: Duration) {
        let (wait_us, now_us) = (micros(wait), micros(now));
        if wait_us < self.shortest_wait_us.load(Ordering::Relaxed) {
            self.shortest_wait_us.fetch_min(wait_us, Ordering::Relaxed);
        }
        let end = self.window_end_us.load(Ordering::Relaxed);
        if now_us < end {
            return;
        }
        let next = now_us + micros(WINDOW);
        // One thread ends the window.
        if self.window_end_us.compare_exchange(end, next, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let shortest = self.shortest_wait_us.swap(u64::MAX, Ordering::Relaxed);
        // No request within a whole window: the process was idle.
        let was_idle = end == 0 || now_us >= end + micros(WINDOW);
        self.current.store(self.next(was_idle, shortest), Ordering::Relaxed);
    }

    fn next(&self, was_idle: bool, shortest_wait_us: u64) -> usize {
        if was_idle {
            self.max
        } else if shortest_wait_us > micros(TARGET) {
            (self.current() / 2).max(self.min)
        } else {
            (self.current() + (self.max - self.min).div_ceil(GROWTH_STEPS)).min(self.max)
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Duration = Duration::from_millis(20);
    const FAST: Duration = Duration::from_millis(1);

    /// Records `waits`, one every ten milliseconds from `start_ms` on. Returns the limit after each window.
    fn record(limit: &AdaptiveLimit, start_ms: u64, waits: &[Duration]) -> Vec<usize> {
        let times = (start_ms..).step_by(10);
        times
            .zip(waits)
            .map(|(ms, wait)| {
                limit.record_wait(*wait, Duration::from_millis(ms));
                limit.current()
            })
            .collect()
    }

    #[test]
    fn a_burst_does_not_change_the_limit() {
        let limit = AdaptiveLimit::new(64, 512);
        record(&limit, 0, &[FAST; 10]);
        let waits = [[SLOW; 9].as_slice(), &[FAST; 11]].concat();
        assert!(record(&limit, 100, &waits).iter().all(|limit| *limit == 512));
    }

    #[test]
    fn a_queue_that_stays_reduces_the_limit_to_the_minimum() {
        let limit = AdaptiveLimit::new(64, 512);
        let limits = record(&limit, 0, &[SLOW; 60]);
        assert_eq!([limits[9], limits[10], limits[20], limits[30], limits[59]], [512, 256, 128, 64, 64]);
        // One request without a wait in each window: the queue empties.
        let waits: Vec<_> = (0..200).map(|i| if i % 10 == 5 { FAST } else { SLOW }).collect();
        let limits = record(&limit, 600, &waits);
        assert_eq!([limits[10], limits[20], limits[199]], [92, 120, 512], "{limits:?}");
    }

    #[test]
    fn an_idle_process_has_the_maximum_again() {
        let limit = AdaptiveLimit::new(64, 512);
        assert_eq!(record(&limit, 0, &[SLOW; 60]).last(), Some(&64));
        assert_eq!(record(&limit, 5_000, &[SLOW]), [512]);
    }

    #[test]
    fn a_maximum_below_the_minimum_counts() {
        let limit = AdaptiveLimit::new(64, 2);
        assert!(record(&limit, 0, &[SLOW; 60]).iter().all(|limit| *limit == 2));
    }
}
