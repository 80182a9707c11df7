//! Out-of-bag predictions: the predictions for a row of the trees that were not trained on the row (Breiman 1996).

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::metrics;

/// Sums of predictions per row, in fixed-point numbers. Integer sums do not depend on the order of additions, so the
/// score is the same for every number of threads.
#[derive(Debug)]
pub(crate) struct OutOfBag {
    sums: Vec<AtomicI64>,
    /// Number of predictions per row.
    counts: Vec<AtomicU32>,
    outputs: usize,
    scale: f64,
}

impl OutOfBag {
    /// For `rows` rows with `outputs` values each; `bound` is the maximum absolute value.
    pub(crate) fn new(rows: usize, outputs: usize, bound: f64) -> Self {
        // 2^50 per tree allows sums of 2^13 trees in 63 bits.
        let scale = (1_u64 << 50) as f64 / bound.max(f64::MIN_POSITIVE);
        let sums = (0..rows * outputs).map(|_| AtomicI64::new(0)).collect();
        Self { sums, counts: (0..rows).map(|_| AtomicU32::new(0)).collect(), outputs, scale }
    }

    /// Number of values per row.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Adds the values of a leaf to its rows.
    pub(crate) fn add(&self, rows: &[u32], values: &[f32]) {
        for (output, value) in values.iter().enumerate() {
            let value = (f64::from(*value) * self.scale).round() as i64;
            for row in rows {
                self.sums[*row as usize * self.outputs + output].fetch_add(value, Ordering::Relaxed);
            }
        }
        for row in rows {
            self.counts[*row as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The most probable class of a row, the positive one in a binary tie; `None` without predictions.
    pub(crate) fn class(&self, row: usize) -> Option<usize> {
        if self.outputs == 1 {
            return self.mean(row, 0).map(|share| usize::from(share >= 0.5));
        }
        let shares: Option<Vec<f64>> = (0..self.outputs).map(|output| self.mean(row, output)).collect();
        shares.map(|shares| metrics::classes::most_likely(&shares))
    }

    /// The mean prediction of a row; `None` without predictions.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        self.mean(row, 0)
    }

    fn mean(&self, row: usize, output: usize) -> Option<f64> {
        let count = self.counts[row].load(Ordering::Relaxed);
        let sum = self.sums[row * self.outputs + output].load(Ordering::Relaxed);
        (count > 0).then(|| sum as f64 / self.scale / f64::from(count))
    }
}
