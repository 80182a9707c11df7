//! Growing one tree, best split by best split, depth first.

use std::ops::Range;

use super::bins::Binned;
use super::out_of_bag::OutOfBag;
use super::target::{Cut, Target, bin_of, can_cut};
use crate::metrics::importances;
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
    /// Impurity decrease per feature, normalised to add up to 1; all zero for a tree that is only a leaf.
    pub(crate) importances: Vec<f64>,
}

/// The rows of one tree.
#[derive(Debug)]
pub(crate) struct Draw<T: Target> {
    /// The rows that were drawn, each once, at least one.
    pub(crate) samples: Vec<T::Sample>,
    /// The others: they go down the tree with it and are answered in its leaves.
    pub(crate) left_out: Vec<u32>,
}

/// A node still to be looked at: its place in the tree, its rows, its sums.
struct Open<T: Target> {
    node: usize,
    samples: Range<usize>,
    left_out: Range<usize>,
    depth: usize,
    total: T::Total,
}

/// The working memory of one tree.
struct Scratch<T: Target> {
    /// [`Target::width`] for each bin, and as many for the scan's own use.
    cells: Vec<T::Cell>,
    samples: Vec<T::Sample>,
    rows: Vec<u32>,
    /// In the order they were last drawn.
    features: Vec<u32>,
}

/// Grows a tree on the drawn rows and tells `out_of_bag` what its leaves say of the others.
pub(crate) fn grow<T: Target>(
    binned: &Binned,
    target: &T,
    limits: Limits,
    draw: Draw<T>,
    out_of_bag: Option<&OutOfBag>,
    rng: &mut Rng,
) -> Grown {
    let Draw { mut samples, mut left_out } = draw;
    let mut scratch = Scratch::<T> {
        cells: vec![T::Cell::default(); 257 * target.width()],
        samples: vec![T::Sample::default(); samples.len()],
        rows: vec![0; left_out.len()],
        features: (0..binned.features() as u32).collect(),
    };
    let total = target.total(&samples);
    let root_weight = target.weight(&total);
    let mut tree = Tree::default();
    let mut importances = vec![0.0; binned.features()];
    let mut leaves = 0;
    tree.push_split(LEAF, 0.0, 0);
    let mut open: Vec<Open<T>> =
        vec![Open { node: 0, samples: 0..samples.len(), left_out: 0..left_out.len(), depth: 0, total }];
    while let Some(Open { node, samples: drawn, left_out: others, depth, total }) = open.pop() {
        let part = &mut samples[drawn.clone()];
        let left_out = &mut left_out[others.clone()];
        let draws = T::draws(&total);
        let may_split = depth < limits.max_depth
            && draws >= limits.min_split
            && draws / 2 >= limits.min_leaf
            && !target.is_pure(&total);
        let best = if may_split { best_cut(binned, target, limits, part, &total, &mut scratch, rng) } else { None };
        let Some((feature, cut)) = best else {
            let from = tree.values.len();
            target.leaf(&total, &mut tree.values);
            if let Some(out_of_bag) = out_of_bag {
                out_of_bag.add(left_out, &tree.values[from..]);
            }
            tree.left[node] = leaves;
            leaves += 1;
            continue;
        };
        importances[feature] += (cut.score - target.score(&total)).max(0.0) / root_weight;
        let column = binned.column(feature);
        let left = partition(part, &mut scratch.samples, |sample| bin_of::<T>(column, sample) <= cut.bin);
        let left_others = partition(left_out, &mut scratch.rows, |row| column[*row as usize] <= cut.bin);
        // Only the smaller side is summed up; the other is what remains.
        let (left_total, right_total) = if left <= part.len() / 2 {
            let left_total = target.total(&part[..left]);
            let right_total = target.rest(&total, &left_total);
            (left_total, right_total)
        } else {
            let right_total = target.total(&part[left..]);
            (target.rest(&total, &right_total), right_total)
        };
        let children = tree.len();
        tree.feature[node] = feature as u32;
        tree.threshold[node] = binned.threshold(feature, cut.bin);
        tree.left[node] = children as u32;
        tree.push_split(LEAF, 0.0, 0);
        tree.push_split(LEAF, 0.0, 0);
        let (at, others_at) = (drawn.start + left, others.start + left_others);
        let depth = depth + 1;
        open.push(Open {
            node: children + 1,
            samples: at..drawn.end,
            left_out: others_at..others.end,
            depth,
            total: right_total,
        });
        open.push(Open {
            node: children,
            samples: drawn.start..at,
            left_out: others.start..others_at,
            depth,
            total: left_total,
        });
    }
    importances::normalise(&mut importances);
    Grown { tree, importances }
}

/// The best cut among randomly drawn features. Features with one value in the node don't count as drawn, as in
/// scikit-learn: else nodes far down would look at nothing but constants.
fn best_cut<T: Target>(
    binned: &Binned,
    target: &T,
    limits: Limits,
    samples: &[T::Sample],
    total: &T::Total,
    scratch: &mut Scratch<T>,
    rng: &mut Rng,
) -> Option<(usize, Cut)> {
    let Scratch { cells, features, .. } = scratch;
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
        let occupied = target.fill(cells, binned.column(feature), samples);
        let cut = target.scan(cells, occupied, total, limits.min_leaf);
        looked_at += usize::from(can_cut(occupied));
        if let Some(cut) = cut
            && best.is_none_or(|(_, best)| cut.score > best.score)
        {
            best = Some((feature, cut));
        }
    }
    best
}

/// Moves the items that go left to the front, both sides keeping their order, and returns how many there are. `spare`
/// has room for all of them.
#[inline]
fn partition<S: Copy>(items: &mut [S], spare: &mut [S], goes_left: impl Fn(&S) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    let spare = &mut spare[..items.len()];
    for i in 0..items.len() {
        let item = items[i];
        let is_left = goes_left(&item);
        // SAFETY: both counts have grown by at most one a turn, so they are at most `i`, and both slices have
        // `items.len()` entries.
        unsafe {
            // Written to both places and kept in one: no branch to mispredict.
            *items.get_unchecked_mut(left) = item;
            *spare.get_unchecked_mut(right) = item;
        }
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    items[left..].copy_from_slice(&spare[..right]);
    left
}
