//! The sliding window: snapshots of the counters, of which the oldest one is the start of the window.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Number of snapshots in a window.
const SNAPSHOTS: u32 = 12;
/// Maximum number of snapshots that are kept: those of the window, and the one at its start.
pub(super) const MAX_SNAPSHOTS: usize = SNAPSHOTS as usize + 1;

/// The snapshots, oldest first; at least one.
pub(super) struct Window {
    snapshots: VecDeque<(Instant, Box<[u64]>)>,
}

impl Window {
    /// A window that begins at `now` with these counters.
    pub(super) fn new(now: Instant, counts: Box<[u64]>) -> Self {
        Self { snapshots: VecDeque::from([(now, counts)]) }
    }

    /// Adds a snapshot if it is due, and removes those from before the window of this `length`.
    pub(super) fn advance(&mut self, now: Instant, length: Duration, counts: &[u64]) {
        let age = |(at, _): &(Instant, Box<[u64]>)| now.saturating_duration_since(*at);
        if self.snapshots.back().is_none_or(|newest| age(newest) >= length / SNAPSHOTS) {
            self.snapshots.push_back((now, counts.into()));
        }
        while self.snapshots.len() > 1 && self.snapshots.front().is_some_and(|oldest| age(oldest) >= length) {
            self.snapshots.pop_front();
        }
    }

    /// The counters at the start of the window, and the time since then.
    pub(super) fn start(&self, now: Instant) -> (&[u64], Duration) {
        match self.snapshots.front() {
            Some((at, counts)) => (counts, now.saturating_duration_since(*at)),
            None => (&[], Duration::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(1_200);

    #[test]
    fn old_rows_leave_the_window_a_twelfth_at_a_time() {
        let began = Instant::now();
        let mut window = Window::new(began, [0].into());
        // One row a second.
        let mut rows_at = |second: u64| {
            let now = began + Duration::from_secs(second);
            window.advance(now, LENGTH, &[second]);
            let (start, length) = window.start(now);
            assert_eq!(length.as_secs(), second - start[0]);
            second - start[0]
        };
        for second in (0..=1_199).step_by(11) {
            assert_eq!(rows_at(second), second, "all rows since the load");
        }
        for second in (1_200..9_000).step_by(10) {
            let rows = rows_at(second);
            assert!((1_090..1_200).contains(&rows), "{rows} rows at {second} s");
        }
        assert_eq!(rows_at(20_000), 0, "nobody has advanced the window for long");
        assert_eq!(rows_at(20_060), 60);
    }
}
