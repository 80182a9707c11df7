//! The binned columns of a forest, computed once and shared by all trees.

use std::ops::Range;

use rayon::prelude::*;

use crate::bins::{MISSING, bin_column, bin_of_threshold, threshold};
use crate::model::{Feature, FeatureKind};
use crate::preprocess::{FOLDS, Part};

/// Bin numbers, column by column.
#[derive(Debug)]
pub(crate) struct Binned {
    rows: usize,
    bins: Vec<u8>,
    /// The edges of the bins of each column.
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

    /// The raw threshold that corresponds to `bin <= b`.
    pub(crate) fn threshold(&self, column: usize, bin: u8) -> f32 {
        threshold(&self.binned.edges[column], bin)
    }

    /// The bin with this threshold; `None` if no bin has it.
    pub(crate) fn bin(&self, column: usize, threshold: f32) -> Option<u8> {
        bin_of_threshold(&self.binned.edges[column], threshold)
    }
}
