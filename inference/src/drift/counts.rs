//! Counters of rows by bin, shared by the threads that predict.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of all bins of all columns.
pub(super) struct BinCounts {
    /// The first counter of each column, and the number of counters.
    starts: Box<[usize]>,
    rows: Box<[AtomicU64]>,
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
        Self { starts: starts.into(), rows: (0..end).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The memory of the counters, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }

    /// Adds rows to a bin. The counters are independent of each other, so relaxed additions are exact.
    pub(super) fn add(&self, column: usize, bin: usize, rows: u64) {
        self.rows[self.starts[column] + bin].fetch_add(rows, Ordering::Relaxed);
    }

    /// All counters. A row that is being counted may be in some columns and not yet in others.
    pub(super) fn read(&self) -> Box<[u64]> {
        self.rows.iter().map(|rows| rows.load(Ordering::Relaxed)).collect()
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
