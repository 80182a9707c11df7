//! Limits the concurrent attempts per receiver, so that a hanging receiver can't block all attempts.

use std::collections::HashMap;

use trainyard_storage::MAX_BUSY;

/// The active attempts of each receiver.
#[derive(Debug)]
pub(crate) struct ReceiverLimits {
    concurrency: usize,
    active: HashMap<String, usize>,
}

impl ReceiverLimits {
    /// Allows `concurrency` attempts in total.
    pub(crate) fn new(concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), active: HashMap::new() }
    }

    /// How many deliveries may be claimed now. All of them may be for one receiver, so the number never exceeds what
    /// saturates the busiest unsaturated receiver.
    pub(crate) fn free(&self) -> usize {
        let limit = self.limit();
        let busiest = self.active.values().copied().filter(|count| *count < limit).max().unwrap_or(0);
        (limit - busiest).min(self.concurrency.saturating_sub(self.active.values().sum()))
    }

    /// The saturated receivers, busiest first; the rest of the array is empty.
    pub(crate) fn saturated(&self) -> [&str; MAX_BUSY] {
        let limit = self.limit();
        let mut saturated: Vec<_> = self.active.iter().filter(|(_, count)| **count >= limit).collect();
        saturated.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        std::array::from_fn(|i| saturated.get(i).map_or("", |(receiver, _)| receiver.as_str()))
    }

    /// Counts an attempt that starts.
    pub(crate) fn start(&mut self, receiver: &str) {
        *self.active.entry(receiver.to_owned()).or_default() += 1;
    }

    /// Counts an attempt that has ended.
    pub(crate) fn end(&mut self, receiver: &str) {
        if let Some(count) = self.active.get_mut(receiver) {
            *count -= 1;
            if *count == 0 {
                self.active.remove(receiver);
            }
        }
    }

    /// Most attempts per receiver. A claim can exclude `MAX_BUSY` receivers, so together these use every attempt.
    fn limit(&self) -> usize {
        (self.concurrency / MAX_BUSY).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_receiver_gets_a_quarter_of_the_attempts() {
        let mut limits = ReceiverLimits::new(16);
        assert_eq!((limits.free(), limits.saturated()), (4, [""; 4]));
        (0..4).for_each(|_| limits.start("slow"));
        limits.start("quick");
        assert_eq!((limits.free(), limits.saturated()), (3, ["slow", "", "", ""]), "quick has one of four attempts");
        (0..3).for_each(|_| limits.start("quick"));
        assert_eq!(limits.free(), 4, "for another receiver");
        (0..7).for_each(|i| limits.start(&format!("other {i}")));
        assert_eq!(limits.free(), 1, "the last of sixteen");
        limits.start("other 0");
        assert_eq!(limits.free(), 0);
        limits.end("other 0");
        (0..7).for_each(|i| limits.end(&format!("other {i}")));
        (0..4).for_each(|_| limits.end("slow"));
        (0..4).for_each(|_| limits.end("quick"));
        assert_eq!((limits.free(), limits.saturated(), limits.active.len()), (4, [""; 4], 0));
        assert_eq!(ReceiverLimits::new(0).free(), 1);
    }
}
