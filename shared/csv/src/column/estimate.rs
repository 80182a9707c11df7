//! An estimate of the number of distinct values in bounded memory.

/// Number of hashes that are kept; the error of the estimate is about six percent.
const KEPT: usize = 256;

/// Keeps the smallest hashes of the values: the more distinct values, the smaller the largest of them.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    /// In ascending order.
    smallest: Vec<u64>,
}

impl Estimate {
    #[inline]
    pub(super) fn add_hash(&mut self, hash: u64) {
        if self.smallest.len() < KEPT || self.smallest.last().is_some_and(|largest| hash < *largest) {
            self.insert(hash);
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64) {
        if let Err(at) = self.smallest.binary_search(&hash) {
            self.smallest.insert(at, hash);
            self.smallest.truncate(KEPT);
        }
    }

    /// The estimated number of distinct values.
    pub(super) fn distinct(&self) -> u64 {
        match self.smallest.last() {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an estimate"
            )]
            Some(largest) if self.smallest.len() == KEPT => {
                ((KEPT - 1) as f64 / (*largest as f64 / u64::MAX as f64)) as u64
            }
            _ => self.smallest.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    #[test]
    fn the_estimate_is_close() {
        for distinct in [10_u32, 255, 5_000, 100_000] {
            let mut estimate = Estimate::default();
            (0..distinct * 2).for_each(|i| estimate.add_hash(hash::number(u64::from(i % distinct))));
            let (found, expected) = (estimate.distinct() as f64, f64::from(distinct));
            assert!((found - expected).abs() <= expected / 5.0, "{found} instead of {expected}");
        }
    }
}
