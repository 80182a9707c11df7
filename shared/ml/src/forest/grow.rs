//! Growing one tree, best split by best split, depth first.

use super::bins::Binned;
use super::target::{Cut, Target, can_cut, fill};
use crate::model::{LEAF, Tree};
use crate::rng::Rng;

/// When and how a node is split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Deepest level of a leaf; the root is level 0.
    pub(crate) max_depth: usize,
    /// Fewest draws in a node that may be split.
    pub(crate) min_split: u32,
    /// Fewest draws on either side of a split.
    pub(crate) min_leaf: u32,
    /// How many features that vary in the node each split looks at.
    pub(crate) features: usize,
}

/// A tree with what it learned on the way.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) tree: Tree,
    /// Per node, the highest bin that goes left; 0 for leaves.
    pub(crate) bins: Vec<u8>,
    /// Impurity decrease per feature, normalised to add up to 1; all zero for a tree that is only a leaf.
    pub(crate) importances: Vec<f64>,
}

/// Memory that is reused from tree to tree.
#[derive(Debug)]
pub(crate) struct Scratch<T: Target> {
    cells: Vec<T::Cell>,
    right: Vec<T::Sample>,
}

impl<T: Target> Scratch<T> {
    pub(crate) fn new(target: &T, rows: usize) -> Self {
        Self { cells: vec![T::Cell::default(); 256 * target.width()], right: vec![T::Sample::default(); rows] }
    }
}

/// A node still to be looked at: its place in the tree, its range of the samples, its sums.
struct Open<T: Target> {
    node: usize,
    from: usize,
    to: usize,
    depth: usize,
    total: T::Total,
}

/// Grows a tree on `samples` (each row at most once, at least one row), which come out reordered.
pub(crate) fn grow<T: Target>(
    binned: &Binned,
    target: &T,
    limits: Limits,
    samples: &mut [T::Sample],
    scratch: &mut Scratch<T>,
    rng: &mut Rng,
) -> Grown {
    let total = target.total(samples);
    let root_weight = target.weight(&total);
    let mut grown = Grown { tree: Tree::default(), bins: vec![0], importances: vec![0.0; binned.features()] };
    grown.tree.push_split(LEAF, 0.0, 0);
    let mut features: Vec<u32> = (0..binned.features() as u32).collect();
    let mut leaves = 0;
    let mut open: Vec<Open<T>> = vec![Open { node: 0, from: 0, to: samples.len(), depth: 0, total }];
    while let Some(Open { node, from, to, depth, total }) = open.pop() {
        let part = &mut samples[from..to];
        let draws = T::draws(&total);
        let may_split = depth < limits.max_depth
            && draws >= limits.min_split
            && draws / 2 >= limits.min_leaf
            && !target.is_pure(&total);
        let best =
            if may_split { best_cut(binned, target, limits, part, &total, scratch, &mut features, rng) } else { None };
        let Some((feature, cut)) = best else {
            target.leaf(&total, &mut grown.tree.values);
            grown.tree.left[node] = leaves;
            leaves += 1;
            continue;
        };
        let gain = (cut.score - target.score(&total)).max(0.0);
        grown.importances[feature] += gain / root_weight;
        let left = partition::<T>(part, &mut scratch.right, binned.column(feature), cut.bin);
        // Only the smaller side is summed up; the other is what remains.
        let (left_total, right_total) = if left <= part.len() / 2 {
            let left_total = target.total(&part[..left]);
            let right_total = target.rest(&total, &left_total);
            (left_total, right_total)
        } else {
            let right_total = target.total(&part[left..]);
            (target.rest(&total, &right_total), right_total)
        };
        let children = grown.tree.len();
        grown.tree.feature[node] = feature as u32;
        grown.tree.threshold[node] = binned.threshold(feature, cut.bin);
        grown.tree.left[node] = children as u32;
        grown.bins[node] = cut.bin;
        for _ in 0..2 {
            grown.tree.push_split(LEAF, 0.0, 0);
            grown.bins.push(0);
        }
        let depth = depth + 1;
        open.push(Open { node: children + 1, from: from + left, to, depth, total: right_total });
        open.push(Open { node: children, from, to: from + left, depth, total: left_total });
    }
    let sum: f64 = grown.importances.iter().sum();
    if sum > 0.0 {
        grown.importances.iter_mut().for_each(|importance| *importance /= sum);
    }
    grown
}

/// The best cut among randomly drawn features. Features with one value in the node don't count as drawn, as in
/// scikit-learn: else nodes far down would look at nothing but constants.
#[allow(clippy::too_many_arguments, reason = "the pieces of one borrowed state")]
fn best_cut<T: Target>(
    binned: &Binned,
    target: &T,
    limits: Limits,
    samples: &[T::Sample],
    total: &T::Total,
    scratch: &mut Scratch<T>,
    features: &mut [u32],
    rng: &mut Rng,
) -> Option<(usize, Cut)> {
    let all = features.len();
    let mut best: Option<(usize, Cut)> = None;
    let mut looked_at = 0;
    for drawn in 0..all {
        if looked_at == limits.features {
            break;
        }
        // Without a choice to make, the order stays, so that equal splits are settled the same way in every tree.
        if limits.features < all {
            features.swap(drawn, drawn + rng.below((all - drawn) as u32) as usize);
        }
        let feature = features[drawn] as usize;
        let occupied = fill(target, &mut scratch.cells, binned.column(feature), samples);
        let cut = target.scan(&mut scratch.cells, occupied, total, limits.min_leaf);
        looked_at += usize::from(can_cut(occupied));
        if let Some(cut) = cut
            && best.is_none_or(|(_, best)| cut.score > best.score)
        {
            best = Some((feature, cut));
        }
    }
    best
}

/// Moves the samples that go left to the front, both sides keeping their order, and returns how many there are.
/// `spare` has room for all of them.
fn partition<T: Target>(samples: &mut [T::Sample], spare: &mut [T::Sample], column: &[u8], bin: u8) -> usize {
    let (mut left, mut right) = (0, 0);
    for i in 0..samples.len() {
        let sample = samples[i];
        let goes_left = column[T::row(&sample)] <= bin;
        // Written to both places and kept in one: no branch to mispredict.
        samples[left] = sample;
        spare[right] = sample;
        left += usize::from(goes_left);
        right += usize::from(!goes_left);
    }
    samples[left..].copy_from_slice(&spare[..right]);
    left
}
