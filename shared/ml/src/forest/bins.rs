//! Binning: each column has at most 256 bins, computed once and shared by all trees.
//!
//! Bin 0 contains missing values, so they go left at every split (`bin <= b`). The other 255 bins contain numbers. A
//! column with up to 255 distinct numbers has one bin per number; otherwise the bin edges are quantiles.

use rayon::prelude::*;

/// The bin of missing values.
pub(crate) const MISSING: u8 = 0;
/// Maximum number of bins for numbers.
const VALUE_BINS: usize = 255;

/// Bin numbers, column by column.
#[derive(Debug)]
pub(crate) struct Binned {
    rows: usize,
    columns: Vec<u8>,
    /// Per column, the upper edge of each bin except the last: `value <= edges[b - 1]` if its bin is at most `b`.
    edges: Vec<Vec<f32>>,
}

impl Binned {
    /// Bins columns of `rows` values each. NaN is a missing value.
    pub(crate) fn new(rows: usize, columns: &[Vec<f32>]) -> Self {
        let mut bins = vec![MISSING; rows * columns.len()];
        let edges = if rows == 0 {
            vec![Vec::new(); columns.len()]
        } else {
            bins.par_chunks_mut(rows).zip(columns).map(|(bins, values)| bin_column(values, bins)).collect()
        };
        Self { rows, columns: bins, edges }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(crate) fn features(&self) -> usize {
        self.edges.len()
    }

    /// The bins of a column, one per row.
    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature * self.rows..(feature + 1) * self.rows]
    }

    /// The raw threshold that corresponds to `bin <= b`. For bin 0 it is the lowest finite number, which is binned as
    /// missing.
    pub(crate) fn threshold(&self, feature: usize, bin: u8) -> f32 {
        match bin {
            MISSING => f32::MIN,
            bin => self.edges[feature][usize::from(bin) - 1],
        }
    }
}

/// Bins one column and returns the edges.
fn bin_column(values: &[f32], bins: &mut [u8]) -> Vec<f32> {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|value| *value > f32::MIN).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let edges = edges(&sorted);
    // With padding the binary search has eight branch-free steps.
    let mut padded = [f32::INFINITY; 256];
    padded[..edges.len()].copy_from_slice(&edges);
    for (bin, value) in bins.iter_mut().zip(values) {
        if *value > f32::MIN {
            let mut below = 0;
            for step in [128, 64, 32, 16, 8, 4, 2, 1] {
                below += if padded[below + step - 1] < *value { step } else { 0 };
            }
            *bin = below as u8 + 1;
        }
    }
    edges
}

fn edges(sorted: &[f32]) -> Vec<f32> {
    let mut distinct = Vec::new();
    for value in sorted {
        if distinct.last() != Some(value) {
            distinct.push(*value);
            if distinct.len() > VALUE_BINS {
                return quantiles(sorted);
            }
        }
    }
    distinct.windows(2).map(|pair| midpoint(pair[0], pair[1])).collect()
}

fn quantiles(sorted: &[f32]) -> Vec<f32> {
    let mut edges: Vec<f32> = Vec::with_capacity(VALUE_BINS - 1);
    for q in 1..VALUE_BINS {
        let at = q * sorted.len() / VALUE_BINS;
        let (low, high) = (sorted[at - 1], sorted[at]);
        let edge = if low < high { midpoint(low, high) } else { low };
        // The largest value is not an edge, because no value would be right of it.
        if edges.last().is_none_or(|last| edge > *last) && edge < sorted[sorted.len() - 1] {
            edges.push(edge);
        }
    }
    edges
}

/// A number `m` with `low <= m < high`, halfway if possible.
pub(crate) fn midpoint(low: f32, high: f32) -> f32 {
    let middle = low * 0.5 + high * 0.5;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_distinct_values_have_one_bin_each() {
        let binned = Binned::new(5, &[vec![3.0, f32::NAN, 1.0, 1.0, 2.0]]);
        assert_eq!(binned.column(0), [3, 0, 1, 1, 2]);
        assert_eq!((binned.threshold(0, 1), binned.threshold(0, 2)), (1.5, 2.5));
        assert_eq!(binned.threshold(0, 0), f32::MIN);
    }

    #[test]
    fn bins_and_thresholds_agree() {
        let mut rng = crate::rng::Rng::new(1, crate::rng::Stream::Split);
        let mut values: Vec<f32> = (0..5_000).map(|_| (rng.below(1 << 20) as f32 - 5e5).powi(3)).collect();
        values.extend([0.0, -0.0, f32::INFINITY, f32::MIN, f32::NEG_INFINITY, f32::NAN, f32::MAX]);
        let binned = Binned::new(values.len(), std::slice::from_ref(&values));
        let used = *binned.column(0).iter().max().unwrap();
        assert!(used > 200, "quantiles should fill most bins, not {used}");
        for bin in 0..used {
            let threshold = binned.threshold(0, bin);
            assert!(threshold.is_finite());
            for (value, of) in values.iter().zip(binned.column(0)) {
                let left = value.is_nan() || *value <= threshold;
                assert_eq!(left, *of <= bin, "{value} in bin {of} against bin {bin} at {threshold}");
            }
        }
    }

    #[test]
    fn adjacent_floats_have_different_bins() {
        let (low, high) = (1.0_f32, 1.0_f32.next_up());
        let binned = Binned::new(2, &[vec![low, high]]);
        assert_eq!(binned.column(0), [1, 2]);
        assert_eq!(binned.threshold(0, 1), low);
    }
}
