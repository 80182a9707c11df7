//! Counters of rows by bin, shared by the threads that predict.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Maximum number of stripes.
const MAX_STRIPES: usize = 8;
/// Models with more counters have one stripe, so that their memory does not grow with the number of cores.
const MAX_STRIPED_COUNTERS: usize = 8_192;

/// The counters of all bins of all columns. A request adds to a counter of each column: if all threads added to the same
/// ones, their cores would pass the cache lines to each other for each row. So there are several stripes with all counters,
/// and a thread always adds to the same one.
pub(super) struct BinCounts {
    /// The first counter of each column, and the number of counters.
    starts: Box<[usize]>,
    stripes: Box<[Box<[AtomicU64]>]>,
}

thread_local! {
    static THREAD_INDEX: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

impl BinCounts {
    /// Counters for columns with these numbers of bins.
    pub(super) fn new(bins: impl Iterator<Item = usize>) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        for bins in bins {
            end += bins;
            starts.push(end);
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let stripes = if end > MAX_STRIPED_COUNTERS { 1 } else { cores.min(MAX_STRIPES) };
        let stripe = || (0..end).map(|_| AtomicU64::new(0)).collect();
        Self { starts: starts.into(), stripes: (0..stripes).map(|_| stripe()).collect() }
    }

    /// The memory of the counters, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.stripes.iter().map(|stripe| size_of_val(&**stripe)).sum()
    }

    /// Adds rows to a bin. The counters are independent of each other, so relaxed additions are exact.
    pub(super) fn add(&self, column: usize, bin: usize, rows: u64) {
        let stripe = THREAD_INDEX.with(|index| *index) % self.stripes.len();
        self.stripes[stripe][self.starts[column] + bin].fetch_add(rows, Ordering::Relaxed);
    }

    /// All counters. A row that is being counted may be in some columns and not yet in others. A counter is never lower than
    /// in an earlier read.
    pub(super) fn read(&self) -> Box<[u64]> {
        let end = self.starts.last().copied().unwrap_or(0);
        let sum = |counter: usize| self.stripes.iter().map(|stripe| stripe[counter].load(Ordering::Relaxed)).sum();
        (0..end).map(sum).collect()
    }

    /// The counters of each column, as ranges of [`Self::read`].
    pub(super) fn columns(&self) -> impl Iterator<Item = Range<usize>> {
        self.starts.windows(2).map(|pair| pair[0]..pair[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_model_has_one_stripe() {
        let wide = BinCounts::new(std::iter::repeat_n(10, 1_000));
        assert_eq!(wide.stripes.len(), 1);
        wide.add(999, 9, 3);
        assert_eq!(wide.read().last(), Some(&3));
        assert!(BinCounts::new([3, 2].into_iter()).stripes.len() <= MAX_STRIPES);
    }

    #[test]
    fn concurrent_additions_are_exact() {
        let counts = BinCounts::new([3, 2].into_iter());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let counts = &counts;
                scope.spawn(move || {
                    for row in 0..10_000 {
                        counts.add(0, (row + thread) % 3, 1);
                        counts.add(1, thread % 2, 2);
                    }
                });
            }
        });
        let rows = counts.read();
        let columns: Vec<_> = counts.columns().collect();
        assert_eq!(columns, [0..3, 3..5]);
        assert_eq!(rows[columns[0].clone()].iter().sum::<u64>(), 80_000);
        assert_eq!(rows[columns[1].clone()], [80_000, 80_000]);
    }
}
