//! Growing one tree, depth first, with the best split at each node.

use std::ops::Range;

use super::bins::TreeBins;
use super::out_of_bag::OutOfBag;
use super::params::Thresholds;
use super::random_split::random_split;
use super::shrinkage::shrink;
use super::target::{BinSplit, Target, bin_of};
use crate::bins::{Side, goes_left, partition};
use crate::metrics::importances;
use crate::model::{NodeSplit, Tree};
use crate::rng::Rng;

/// Limits for splitting a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Maximum depth of a leaf; the root has depth 0.
    pub(crate) max_depth: usize,
    /// Minimum number of draws in a node that may be split.
    pub(crate) min_split: u32,
    /// Minimum number of draws on each side of a split.
    pub(crate) min_leaf: u32,
    /// Number of non-constant features that each split considers, with all columns of each.
    pub(crate) features: usize,
    pub(crate) thresholds: Thresholds,
    /// The strength of the hierarchical shrinkage, in rows; see [`shrink`].
    pub(crate) shrinkage: f64,
    /// The side of missing values in nodes without missing values.
    pub(crate) missing: UnknownSide,
}

/// The side of missing values and unseen categories, if the training rows of the node have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownSide {
    /// The heavier side: for a single tree.
    Heavier,
    /// Drawn, with the weights of both sides as probabilities. The mean of many trees is then close to the mean of both
    /// sides by weight: what C4.5 computes for a missing value (Quinlan 1993), and what is best for unseen categories
    /// in a forest (Au 2018, "Random Forests, Decision Trees, and Categorical Predictors: The Absent Levels Problem").
    /// The heavier side in all trees would give a row without any values the prediction of the largest leaves.
    Drawn,
}

impl UnknownSide {
    fn side(self, left: f64, right: f64, rng: &mut Rng) -> Side {
        let is_right = match self {
            Self::Heavier => right > left,
            Self::Drawn => rng.unit() * (left + right) >= left,
        };
        if is_right { Side::Right } else { Side::Left }
    }
}

/// A grown tree with its feature importances.
#[derive(Debug)]
pub(crate) struct GrownTree {
    pub(crate) tree: Tree,
    /// Impurity decrease per column, normalized to a sum of 1; all zero for a tree without splits.
    pub(crate) importances: Vec<f64>,
}

/// The rows of one tree.
#[derive(Debug)]
pub(crate) struct BootstrapSample<T: Target> {
    /// The drawn rows, each once; at least one.
    pub(crate) samples: Vec<T::Sample>,
    /// The out-of-bag rows. They follow the splits to a leaf and get its prediction.
    pub(crate) out_of_bag_rows: Vec<u32>,
}

/// A node that is not yet split: its index, rows and sums.
struct PendingNode<T: Target> {
    node: usize,
    samples: Range<usize>,
    out_of_bag_rows: Range<usize>,
    depth: usize,
    total: T::Total,
}

/// Working memory for one tree.
struct Scratch<T: Target> {
    of_target: T::Scratch,
    samples: Vec<T::Sample>,
    rows: Vec<u32>,
    /// The values of one leaf.
    leaf: Vec<f32>,
    /// In the order of the last draw.
    features: Vec<u32>,
}

/// Grows a tree on the drawn rows and adds the predictions for the out-of-bag rows to `out_of_bag`.
pub(crate) fn grow<T: Target>(
    binned: &TreeBins<'_>,
    target: &T,
    limits: Limits,
    draw: BootstrapSample<T>,
    out_of_bag: Option<&OutOfBag>,
    rng: &mut Rng,
) -> GrownTree {
    let BootstrapSample { mut samples, mut out_of_bag_rows } = draw;
    let mut scratch = Scratch::<T> {
        of_target: target.scratch(),
        samples: vec![T::Sample::default(); samples.len()],
        rows: vec![0; out_of_bag_rows.len()],
        leaf: Vec::with_capacity(target.outputs()),
        features: (0..binned.features() as u32).collect(),
    };
    let total = target.total(&samples);
    let root_weight = target.weight(&total);
    let mut tree = Tree::default();
    let mut importances = vec![0.0; binned.columns()];
    tree.push_empty_leaf(root_weight as f32);
    let mut leaf_ends = Vec::new();
    let mut open: Vec<PendingNode<T>> = vec![PendingNode {
        node: 0,
        samples: 0..samples.len(),
        out_of_bag_rows: 0..out_of_bag_rows.len(),
        depth: 0,
        total,
    }];
    while let Some(PendingNode { node, samples: drawn, out_of_bag_rows: others, depth, total }) = open.pop() {
        let node_samples = &mut samples[drawn.clone()];
        let out_of_bag_rows = &mut out_of_bag_rows[others.clone()];
        let draws = T::draws(&total);
        let may_split = depth < limits.max_depth
            && draws >= limits.min_split
            && draws / 2 >= limits.min_leaf
            && !target.is_pure(&total);
        let best =
            if may_split { search(binned, target, limits, node_samples, &total, &mut scratch, rng) } else { None };
        let Some((column, split)) = best else {
            scratch.leaf.clear();
            target.leaf(&total, &mut scratch.leaf);
            tree.set_values(node, &scratch.leaf);
            // Leaves are reached from left to right, in the order of their rows.
            leaf_ends.push(others.end);
            continue;
        };
        importances[column] += (split.score - target.score(&total)).max(0.0) / root_weight;
        let bins = binned.column(column);
        // In a node without missing values both sides give the same partition.
        let is_left = goes_left(split.bin, split.missing.unwrap_or(Side::Left));
        let left = partition(node_samples, &mut scratch.samples, |sample| is_left(bin_of::<T>(bins, sample)));
        // Only the smaller side is summed; the other side is the difference.
        let (left_total, right_total) = if left <= node_samples.len() / 2 {
            let left_total = target.total(&node_samples[..left]);
            let right_total = target.rest(&total, &left_total);
            (left_total, right_total)
        } else {
            let right_total = target.total(&node_samples[left..]);
            (target.rest(&total, &right_total), right_total)
        };
        let (left_weight, right_weight) = (target.weight(&left_total), target.weight(&right_total));
        let missing = split.missing.unwrap_or_else(|| limits.missing.side(left_weight, right_weight, rng));
        let goes_left = goes_left(split.bin, missing);
        let left_others = partition(out_of_bag_rows, &mut scratch.rows, |row| goes_left(bins[*row as usize]));
        let children = tree.split(
            node,
            NodeSplit {
                feature: column as u32,
                threshold: binned.threshold(column, split.bin),
                missing_right: missing == Side::Right,
                covers: [left_weight as f32, right_weight as f32],
            },
        );
        let (at, others_at) = (drawn.start + left, others.start + left_others);
        let depth = depth + 1;
        open.push(PendingNode {
            node: children + 1,
            samples: at..drawn.end,
            out_of_bag_rows: others_at..others.end,
            depth,
            total: right_total,
        });
        open.push(PendingNode {
            node: children,
            samples: drawn.start..at,
            out_of_bag_rows: others.start..others_at,
            depth,
            total: left_total,
        });
    }
    shrink(&mut tree, target.outputs(), limits.shrinkage);
    if let Some(out_of_bag) = out_of_bag {
        let mut sums = out_of_bag.part();
        let mut start = 0;
        for (end, values) in leaf_ends.into_iter().zip(tree.values.chunks_exact(target.outputs())) {
            sums.add(&out_of_bag_rows[start..end], values);
            start = end;
        }
    }
    tree.shrink_to_fit();
    importances::normalise(&mut importances);
    GrownTree { tree, importances }
}

/// The best split by a column of randomly drawn features, or the best of one random split per column. As in scikit-learn,
/// features that are constant in the node do not count as drawn: deep nodes would consider only constant features otherwise.
fn search<T: Target>(
    binned: &TreeBins<'_>,
    target: &T,
    limits: Limits,
    samples: &[T::Sample],
    total: &T::Total,
    scratch: &mut Scratch<T>,
    rng: &mut Rng,
) -> Option<(usize, BinSplit)> {
    let Scratch { of_target, features, .. } = scratch;
    let all = features.len();
    let mut best: Option<(usize, BinSplit)> = None;
    let mut considered = 0;
    if limits.thresholds == Thresholds::Best {
        target.start_node(of_target, samples, total);
    }
    for drawn in 0..all {
        if considered == limits.features {
            break;
        }
        // Without a random choice the order is kept, so that all trees choose the same of several equal splits.
        if limits.features < all {
            features.swap(drawn, drawn + rng.below((all - drawn) as u32) as usize);
        }
        let mut varies = false;
        for column in binned.columns_of(features[drawn] as usize) {
            let bins = binned.column(column);
            let (split, can_split) = match limits.thresholds {
                Thresholds::Best => target.best_split(of_target, bins, samples, total, limits.min_leaf),
                Thresholds::Random => random_split(target, bins, samples, total, limits.min_leaf, rng),
            };
            varies |= can_split;
            if let Some(split) = split
                && best.is_none_or(|(_, best)| split.score > best.score)
            {
                best = Some((column, split));
            }
        }
        considered += usize::from(varies);
    }
    best
}
