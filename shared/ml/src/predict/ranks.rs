//! Keys of one byte: the number of thresholds of a feature that are below a number. Training bins have at most 255
//! thresholds per feature, so nodes of four bytes are sufficient.

use super::node::{Node, Ranked};
use crate::model::{LEAF, Tree};

/// Maximum number of thresholds per feature.
const MAX_THRESHOLDS: usize = 255;
/// The key of a missing value in a column whose missing values go right: above the index of each threshold.
const RIGHT: u8 = 255;

/// Ranks of the numbers of a row, for the trees of a model.
#[derive(Debug)]
pub(super) struct Ranks {
    /// The features with a split, ascending.
    ranked: Vec<RankedFeature>,
    /// The feature of each column.
    columns: Vec<u32>,
    features: usize,
}

/// A feature with its thresholds. A number is above the threshold `i` if its rank is above `i`.
#[derive(Debug)]
struct RankedFeature {
    feature: u32,
    /// Ascending, and then infinite, so that the binary search has eight branch-free steps.
    thresholds: [f32; 256],
    /// The columns for nodes whose missing values go left, and right.
    columns: [Option<u8>; 2],
}

impl Ranks {
    /// `None` if a feature has too many thresholds, or if columns or nodes do not fit into [`Ranked`].
    pub(super) fn new<'a>(trees: impl Iterator<Item = &'a Tree>, features: usize) -> Option<Self> {
        let mut thresholds: Vec<Vec<f32>> = vec![Vec::new(); features];
        let mut sides = vec![[false; 2]; features];
        for tree in trees {
            if tree.len() > Ranked::MAX_NODE {
                return None;
            }
            for node in (0..tree.len()).filter(|node| tree.feature[*node] != LEAF) {
                let feature = tree.feature[node] as usize;
                let (own, threshold) = (&mut thresholds[feature], tree.threshold[node]);
                let below = own.partition_point(|other| *other < threshold);
                // Minus zero equals zero.
                if own.get(below) != Some(&threshold) {
                    own.insert(below, threshold);
                    if own.len() > MAX_THRESHOLDS {
                        return None;
                    }
                }
                sides[feature][usize::from(tree.missing_right[node])] = true;
            }
        }
        let (mut ranked, mut columns) = (Vec::new(), Vec::new());
        for (feature, (own, sides)) in (0_u32..).zip(thresholds.into_iter().zip(sides)) {
            let own_columns = sides.map(|used| {
                used.then(|| {
                    columns.push(feature);
                    (columns.len() - 1) as u8
                })
            });
            if columns.len() > Ranked::MAX_COLUMN {
                return None;
            }
            if !own.is_empty() {
                let mut padded = [f32::INFINITY; 256];
                padded[..own.len()].copy_from_slice(&own);
                ranked.push(RankedFeature { feature, thresholds: padded, columns: own_columns });
            }
        }
        Some(Self { ranked, columns, features })
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Replaces `keys` by the ranks of consecutive raw rows; the last column of each is 0.
    pub(super) fn encode(&self, raw: &[f32], keys: &mut Vec<u8>) {
        let stride = self.columns.len() + 1;
        keys.clear();
        keys.resize(raw.len() / self.features * stride, 0);
        for (row, keys) in raw.chunks_exact(self.features).zip(keys.chunks_exact_mut(stride)) {
            for feature in &self.ranked {
                let value = row[feature.feature as usize];
                let rank = feature.rank(value);
                let [left, right] = feature.columns;
                if let Some(left) = left {
                    keys[usize::from(left)] = rank;
                }
                if let Some(right) = right {
                    keys[usize::from(right)] = if value.is_nan() { RIGHT } else { rank };
                }
            }
        }
    }

    /// The column and the index of the threshold of a split.
    ///
    /// # Panics
    /// If no tree has the split.
    pub(super) fn split(&self, feature: u32, threshold: f32, missing_right: bool) -> (u32, u32) {
        let at = self.ranked.binary_search_by_key(&feature, |ranked| ranked.feature);
        let ranked = at.ok().map(|at| &self.ranked[at]);
        let column = ranked.and_then(|ranked| ranked.columns[usize::from(missing_right)]);
        let (Some(ranked), Some(column)) = (ranked, column) else { panic!("no tree has a split by feature {feature}") };
        (u32::from(column), u32::from(ranked.rank(threshold)))
    }

    /// For each column the value of its feature.
    pub(super) fn each_column(&self, of_feature: &[u32]) -> Vec<u32> {
        self.columns.iter().map(|feature| of_feature[*feature as usize]).collect()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.ranked.len() * size_of::<RankedFeature>() + self.columns.len() * size_of::<u32>()
    }
}

impl RankedFeature {
    /// Number of thresholds below a number; 0 for a missing value.
    #[inline(always)]
    fn rank(&self, value: f32) -> u8 {
        let mut below = 0_u8;
        for step in [128_u8, 64, 32, 16, 8, 4, 2, 1] {
            let is_above = self.thresholds[usize::from(below.wrapping_add(step - 1))] < value;
            below = below.wrapping_add(if is_above { step } else { 0 });
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NodeSplit;

    /// A tree whose splits have the numbers 0, 1, … as thresholds, in turns for two features.
    fn tree(splits: usize) -> Tree {
        let mut tree = Tree::default();
        let mut last = tree.push_empty_leaf(1.0);
        for split in 0..splits {
            let (feature, missing_right) = (split as u32 % 2, split % 3 == 0);
            let split = NodeSplit { feature, threshold: split as f32, missing_right, covers: [1.0; 2] };
            last = tree.split(last, split) + 1;
        }
        tree
    }

    #[test]
    fn a_rank_is_above_the_thresholds_below_the_number() {
        let tree = tree(2 * MAX_THRESHOLDS);
        let ranks = Ranks::new([&tree].into_iter(), 3).unwrap();
        assert_eq!((ranks.columns(), ranks.each_column(&[7, 8, 9])), (4, vec![7, 7, 8, 8]));
        let values = [f32::NAN, f32::NEG_INFINITY, -0.0, 0.0, 3.0, 3.5, 254.0, 508.0, 509.0, 510.0, f32::INFINITY];
        for value in values {
            let mut keys = Vec::new();
            ranks.encode(&[value, value, 0.0], &mut keys);
            assert_eq!((keys.len(), keys[4]), (5, 0));
            for node in (0..tree.len()).filter(|node| tree.feature[*node] != LEAF) {
                let (threshold, right) = (tree.threshold[node], tree.missing_right[node]);
                let (column, rank) = ranks.split(tree.feature[node], threshold, right);
                let expected = if value.is_nan() { right } else { value > threshold };
                assert_eq!(u32::from(keys[column as usize]) > rank, expected, "{value} against {threshold}");
            }
        }
    }

    #[test]
    fn too_many_thresholds_have_no_ranks() {
        assert!(Ranks::new([&tree(2 * MAX_THRESHOLDS + 1)].into_iter(), 3).is_none());
    }
}
