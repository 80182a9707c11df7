//! Sliding-window counters of events per key, in bounded memory.

use std::collections::HashMap;

/// Most keys. Each new key needs a password check, so an attacker needs hours to fill the table.
const MAX_KEYS: usize = 100_000;

/// Sliding-window counters. Each key has the counts of the current and the previous fixed window. The estimate weights the
/// previous count with the fraction of its window that the sliding window still covers.
#[derive(Debug)]
pub(super) struct SlidingCounts {
    window_ms: i64,
    max_keys: usize,
    entries: HashMap<u64, Entry>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The index of the fixed window of `current`.
    window: i64,
    current: u32,
    previous: u32,
}

impl SlidingCounts {
    pub(super) fn new(window_s: u32) -> Self {
        Self::bounded(window_s, MAX_KEYS)
    }

    fn bounded(window_s: u32, max_keys: usize) -> Self {
        Self { window_ms: i64::from(window_s.max(1)) * 1_000, max_keys, entries: HashMap::new() }
    }

    /// Seconds until `key` may have another event under `limit`, at least 1; `None` if it may have one now.
    pub(super) fn retry_after_s(&self, key: u64, limit: u32, now_ms: i64) -> Option<u64> {
        let entry = self.entry(key, now_ms);
        if self.estimate(entry, now_ms) + 1.0 <= f64::from(limit) + TOLERANCE {
            return None;
        }
        // The estimate falls linearly: first the weight of the previous count, then that of the current one.
        let (window_ms, limit) = (self.window_ms as f64, f64::from(limit));
        let into = (now_ms.rem_euclid(self.window_ms)) as f64;
        let room = |weight: u32, rest: u32| 1.0 - (limit - 1.0 - f64::from(rest)) / f64::from(weight.max(1));
        let fits_now = f64::from(entry.current) < limit;
        let at = if fits_now {
            window_ms * room(entry.previous, entry.current).clamp(0.0, 1.0)
        } else {
            window_ms + window_ms * room(entry.current, 0).clamp(0.0, 1.0)
        };
        let wait_s = ((at - into) / 1_000.0).ceil().max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to two windows")]
        Some(wait_s as u64)
    }

    pub(super) fn add(&mut self, key: u64, now_ms: i64) {
        if !self.entries.contains_key(&key) && self.entries.len() >= self.max_keys {
            self.evict(now_ms);
        }
        let mut entry = self.entry(key, now_ms);
        entry.current = entry.current.saturating_add(1);
        self.entries.insert(key, entry);
    }

    pub(super) fn remove(&mut self, key: u64, now_ms: i64) {
        let mut entry = self.entry(key, now_ms);
        if entry.current > 0 {
            entry.current -= 1;
        } else {
            entry.previous = entry.previous.saturating_sub(1);
        }
        self.entries.insert(key, entry);
    }

    pub(super) fn clear(&mut self, key: u64) {
        self.entries.remove(&key);
    }

    /// Evicts keys without events in the window, or else the key with the fewest events. An attacker who wants to evict a key
    /// needs as many events under all other keys.
    fn evict(&mut self, now_ms: i64) {
        let before = self.entries.len();
        let estimates: Vec<(u64, f64)> =
            self.entries.keys().map(|key| (*key, self.estimate(self.entry(*key, now_ms), now_ms))).collect();
        for (key, _) in estimates.iter().filter(|(_, estimate)| *estimate <= 0.0) {
            self.entries.remove(key);
        }
        if self.entries.len() == before
            && let Some((key, _)) = estimates.into_iter().min_by(|(_, a), (_, b)| a.total_cmp(b))
        {
            self.entries.remove(&key);
        }
    }

    /// The entry of a key, moved to the fixed window of `now_ms`.
    fn entry(&self, key: u64, now_ms: i64) -> Entry {
        let window = now_ms.div_euclid(self.window_ms);
        let entry = self.entries.get(&key).copied().unwrap_or_default();
        match window - entry.window {
            0 => entry,
            1 => Entry { window, current: 0, previous: entry.current },
            // Also after the clock was set back.
            _ => Entry { window, current: 0, previous: 0 },
        }
    }

    fn estimate(&self, entry: Entry, now_ms: i64) -> f64 {
        let into = now_ms.rem_euclid(self.window_ms) as f64 / self.window_ms as f64;
        f64::from(entry.previous) * (1.0 - into) + f64::from(entry.current)
    }
}

/// Tolerance for rounding errors.
const TOLERANCE: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(counts: &mut SlidingCounts, key: u64, events: u32, now_ms: i64) {
        (0..events).for_each(|_| counts.add(key, now_ms));
    }

    #[test]
    fn a_key_at_its_limit_may_have_another_event_after_the_returned_wait() {
        for (events, at) in [(5, 0), (5, 30_000), (9, 59_999), (20, 12_345)] {
            let mut counts = SlidingCounts::new(60);
            filled(&mut counts, 1, 4, at);
            assert_eq!(counts.retry_after_s(1, 5, at), None, "four of five");
            filled(&mut counts, 1, events - 4, at);
            let wait = counts.retry_after_s(1, 5, at).expect("full");
            assert!((1..=120).contains(&wait), "{wait} s");
            let wait_ms = i64::try_from(wait).unwrap() * 1_000;
            assert_eq!(counts.retry_after_s(1, 5, at + wait_ms), None, "{events} events at {at}, after {wait} s");
            assert!(
                counts.retry_after_s(1, 5, at + wait_ms - 1_001).is_some() || wait == 1,
                "the wait is not longer than needed"
            );
            assert_eq!(counts.retry_after_s(2, 5, at), None, "another key");
        }
    }

    #[test]
    fn events_leave_the_window_gradually() {
        let mut counts = SlidingCounts::new(60);
        filled(&mut counts, 1, 10, 0);
        assert!(counts.retry_after_s(1, 10, 59_999).is_some(), "the end of a fixed window removes no event");
        assert!(counts.retry_after_s(1, 10, 60_000).is_some());
        assert_eq!(counts.retry_after_s(1, 10, 66_000), None, "a tenth of the window, one of ten");
        counts.add(1, 66_000);
        assert!(counts.retry_after_s(1, 10, 66_000).is_some());
        assert_eq!(counts.retry_after_s(1, 10, 500_000), None);
    }

    #[test]
    fn an_event_and_a_key_can_be_removed() {
        let mut counts = SlidingCounts::new(60);
        filled(&mut counts, 1, 3, 59_000);
        counts.remove(1, 60_000);
        assert_eq!(counts.retry_after_s(1, 3, 60_000), None, "also in the window after");
        counts.add(1, 60_000);
        assert!(counts.retry_after_s(1, 3, 60_000).is_some());
        counts.clear(1);
        assert_eq!(counts.retry_after_s(1, 3, 60_000), None);
    }

    #[test]
    fn a_flood_of_keys_neither_grows_the_table_nor_evicts_a_key_at_its_limit() {
        let mut counts = SlidingCounts::bounded(60, 100);
        filled(&mut counts, 1, 5, 0);
        (1_000..3_000).for_each(|key| counts.add(key, 1));
        assert!(counts.entries.len() <= 100);
        assert!(counts.retry_after_s(1, 5, 2).is_some(), "the key at its limit was not evicted");
        counts.add(7, 500_000);
        assert_eq!(counts.entries.len(), 1, "keys without events in the window are evicted together");
    }
}
