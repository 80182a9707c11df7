//! Binning: each column has at most 256 bins, computed once and shared by all trees.
//!
//! Bin 0 contains missing values. The other 255 bins contain numbers. A column with up to 255 distinct numbers has one bin
//! per number; otherwise the bin edges are quantiles.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::{Feature, FeatureKind};
use crate::preprocess::{FOLDS, Part};

/// The bin of missing values.
pub(crate) const MISSING: u8 = 0;
/// Maximum number of bins for numbers.
const VALUE_BINS: usize = 255;

/// Bin numbers, column by column.
#[derive(Debug)]
pub(crate) struct Binned {
    rows: usize,
    bins: Vec<u8>,
    /// Per column, the upper edge of each bin except the last: `value <= edges[b - 1]` if its bin is at most `b`.
    edges: Vec<Vec<f32>>,
    /// The columns of each feature.
    features: Vec<FeatureColumns>,
    groups: RowGroups,
}

/// Which rows a tree must not have learned from, so that its prediction for a row is out of bag.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowGroups {
    /// The fold of each row; see [`crate::preprocess::Fitted::folds`]. Empty if all trees see the same columns.
    pub(crate) folds: Vec<u8>,
    /// The group of each row, numbered from 0, where copies of each other are one group. Empty without copies.
    pub(crate) copies: Vec<u32>,
}

/// The columns of a feature.
#[derive(Debug, Clone)]
struct FeatureColumns {
    all: Range<usize>,
    /// Whether each tree uses one of the columns.
    alternate: bool,
}

/// The bins for one tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TreeBins<'a> {
    binned: &'a Binned,
    /// The index of the tree.
    tree: usize,
}

impl Binned {
    /// Bins columns of `rows` values each; every column is a feature. NaN is a missing value.
    pub(crate) fn new(rows: usize, columns: &[Vec<f32>]) -> Self {
        let features = (0..columns.len()).map(|column| FeatureColumns { all: column..column + 1, alternate: false });
        Self::with_features(rows, columns, features.collect(), RowGroups::default())
    }

    /// Bins the raw columns of the training part. Trees alternate between the orders of a category.
    pub(crate) fn of(part: &Part, features: &[Feature], groups: &RowGroups) -> Self {
        let columns = part.ranges.iter().zip(features).map(|(range, feature)| FeatureColumns {
            all: range.clone(),
            alternate: matches!(&feature.kind, FeatureKind::Category { orders, .. } if orders.len() > 1),
        });
        Self::with_features(part.rows, &part.raw, columns.collect(), groups.clone())
    }

    fn with_features(rows: usize, columns: &[Vec<f32>], features: Vec<FeatureColumns>, groups: RowGroups) -> Self {
        let mut bins = vec![MISSING; rows * columns.len()];
        let edges = if rows == 0 {
            vec![Vec::new(); columns.len()]
        } else {
            bins.par_chunks_mut(rows).zip(columns).map(|(bins, values)| bin_column(values, bins)).collect()
        };
        Self { rows, bins, edges, features, groups }
    }

    /// The bins for the tree with this index.
    pub(crate) fn tree(&self, tree: usize) -> TreeBins<'_> {
        TreeBins { binned: self, tree }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of features.
    pub(crate) fn features(&self) -> usize {
        self.features.len()
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.edges.len()
    }

    /// The group of each row; empty without copies.
    pub(crate) fn copies(&self) -> &[u32] {
        &self.groups.copies
    }
}

impl TreeBins<'_> {
    /// The bins of a column, one per row.
    pub(crate) fn column(&self, column: usize) -> &[u8] {
        let rows = self.binned.rows;
        &self.binned.bins[column * rows..(column + 1) * rows]
    }

    /// The columns of a feature that the tree uses.
    pub(crate) fn columns_of(&self, feature: usize) -> Range<usize> {
        let FeatureColumns { all, alternate } = &self.binned.features[feature];
        let first = all.start + self.tree % all.len().max(1);
        if *alternate { first..first + 1 } else { all.clone() }
    }

    /// Whether the tree's prediction for an out-of-bag row counts: no column of the tree may depend on the row's target.
    pub(crate) fn is_independent_of(&self, row: u32) -> bool {
        let fold = self.binned.groups.folds.get(row as usize);
        fold.is_none_or(|fold| usize::from(*fold) == self.tree % FOLDS)
    }

    /// Number of features.
    pub(crate) fn features(&self) -> usize {
        self.binned.features()
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.binned.columns()
    }

    /// The raw threshold that corresponds to `bin <= b`. For bin 0 it is the lowest finite number, which is below every
    /// raw value.
    pub(crate) fn threshold(&self, column: usize, bin: u8) -> f32 {
        match bin {
            MISSING => f32::MIN,
            bin => self.binned.edges[column][usize::from(bin) - 1],
        }
    }
}

/// Bins one column and returns the edges.
fn bin_column(values: &[f32], bins: &mut [u8]) -> Vec<f32> {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let edges = edges(&sorted);
    // With padding the binary search has eight branch-free steps.
    let mut padded = [f32::INFINITY; 256];
    padded[..edges.len()].copy_from_slice(&edges);
    for (bin, value) in bins.iter_mut().zip(values) {
        if !value.is_nan() {
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
        let binned = binned.tree(0);
        assert_eq!(binned.column(0), [3, 0, 1, 1, 2]);
        assert_eq!((binned.threshold(0, 1), binned.threshold(0, 2)), (1.5, 2.5));
        assert_eq!(binned.threshold(0, 0), f32::MIN);
    }

    #[test]
    fn bins_and_thresholds_agree() {
        let mut rng = crate::rng::Rng::new(1, crate::rng::Stream::Split);
        let mut values: Vec<f32> = (0..5_000).map(|_| (rng.below(1 << 20) as f32 - 5e5).powi(3)).collect();
        values.extend([0.0, -0.0, f32::INFINITY, f32::MIN.next_up(), f32::NAN, f32::MAX]);
        let binned = Binned::new(values.len(), std::slice::from_ref(&values));
        let binned = binned.tree(0);
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
        let binned = binned.tree(0);
        assert_eq!(binned.column(0), [1, 2]);
        assert_eq!(binned.threshold(0, 1), low);
    }
}
