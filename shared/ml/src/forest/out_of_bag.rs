//! Out-of-bag predictions: the predictions for a row of the trees that were not trained on the row (Breiman 1996).

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::metrics;

/// Maximum number of sums per row.
const MAX_PARTS: usize = 4;

/// Sums of predictions per row, in fixed-point numbers. Integer sums do not depend on the order of additions, so the
/// score is the same for every number of threads.
///
/// Each thread adds to its own part, up to [`MAX_PARTS`]: memory that several cores write to is slow.
#[derive(Debug)]
pub(crate) struct OutOfBag {
    parts: Vec<Mutex<Sums>>,
}

/// The sums of some of the trees.
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    sums: Vec<i64>,
    /// Number of predictions per row.
    counts: Vec<u32>,
    outputs: usize,
    scale: f64,
}

impl OutOfBag {
    /// For `rows` rows with `outputs` values each; `bound` is the maximum absolute value.
    pub(crate) fn new(rows: usize, outputs: usize, bound: f64) -> Self {
        // 2^50 per tree allows sums of 2^13 trees in 63 bits.
        let scale = (1_u64 << 50) as f64 / bound.max(f64::MIN_POSITIVE);
        let part = || Mutex::new(Sums { sums: vec![0; rows * outputs], counts: vec![0; rows], outputs, scale });
        Self { parts: (0..rayon::current_num_threads().clamp(1, MAX_PARTS)).map(|_| part()).collect() }
    }

    /// The part of this thread. Keep it only for as long as it takes to add the predictions of one tree.
    pub(crate) fn part(&self) -> MutexGuard<'_, Sums> {
        let part = rayon::current_thread_index().unwrap_or(0) % self.parts.len();
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sums of all parts.
    pub(crate) fn total(&self) -> Sums {
        let mut total = self.parts[0].lock().unwrap_or_else(PoisonError::into_inner).clone();
        for part in &self.parts[1..] {
            let part = part.lock().unwrap_or_else(PoisonError::into_inner);
            total.sums.iter_mut().zip(&part.sums).for_each(|(sum, other)| *sum += other);
            total.counts.iter_mut().zip(&part.counts).for_each(|(count, other)| *count += other);
        }
        total
    }
}

impl Sums {
    /// Number of values per row.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Adds the values of a leaf to its rows.
    pub(crate) fn add(&mut self, rows: &[u32], values: &[f32]) {
        for (output, value) in values.iter().enumerate() {
            let value = (f64::from(*value) * self.scale).round() as i64;
            for row in rows {
                self.sums[*row as usize * self.outputs + output] += value;
            }
        }
        for row in rows {
            self.counts[*row as usize] += 1;
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
        let count = self.counts[row];
        (count > 0).then(|| self.sums[row * self.outputs + output] as f64 / self.scale / f64::from(count))
    }
}
