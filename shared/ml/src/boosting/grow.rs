//! Growing one tree, leaf by leaf: the leaf with the largest gain is split next (Shi 2007, "Best-first decision tree
//! learning"; LightGBM, Ke et al. 2017).

use std::ops::Range;

use rayon::prelude::*;

use super::bins::{Bins, LANES};
use super::histogram::{ColumnHistogram, Sums, fill, subtract};
use super::monotone::Bounds;
use super::split::{Split, SplitColumn, SplitRules};
use crate::bins::{Side, goes_left, partition};
use crate::model::{LEAF, NodeSplit, Tree};
use crate::rng::Rng;

/// Memory for histograms that wait for a split. Without room a leaf computes its histogram again.
pub(super) const POOL_BYTES: usize = 256 << 20;
/// Work below this number of bins is not divided among threads.
const PARALLEL_FROM: usize = 4_096;
/// Number of rows that a thread partitions at once.
const PARTITION_ROWS: usize = 16_384;

/// The shape of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) max_leaves: usize,
    pub(super) max_depth: usize,
}

/// A grown tree without values.
#[derive(Debug)]
pub(super) struct GrownTree {
    /// The tree; its leaves have no values yet.
    pub(super) tree: Tree,
    /// The leaves in the order of their values.
    pub(super) leaves: Vec<GrownLeaf>,
    /// Column, bin and side of missing values of each node, for rows that did not grow the tree.
    pub(super) splits: Vec<Option<(usize, u8, Side)>>,
    /// Column and gain of each split.
    pub(super) gains: Vec<(usize, f64)>,
}

/// A leaf with its rows.
#[derive(Debug)]
pub(super) struct GrownLeaf {
    pub(super) node: usize,
    /// A range of the rows of the [`Grower`].
    pub(super) rows: Range<usize>,
    pub(super) sums: Sums,
    /// The bounds of its step.
    pub(super) bounds: Bounds,
}

/// Working memory for trees on the same bins.
pub(super) struct Grower<'a> {
    bins: &'a Bins,
    /// The rows of the tree, leaf by leaf.
    pub(super) rows: Vec<u32>,
    spare: Vec<u32>,
    /// Unused histograms of all columns.
    unused: Vec<Vec<ColumnHistogram>>,
    /// How many more histograms may be kept.
    room: usize,
    /// Whether a column has a monotone constraint.
    is_constrained: bool,
}

/// A leaf that may be split.
struct OpenLeaf {
    leaf: GrownLeaf,
    depth: usize,
    histograms: Option<Vec<ColumnHistogram>>,
    best: Option<Split>,
}

/// What all nodes of a tree have in common.
struct TreeInput<'a> {
    /// The rounded derivatives of each row.
    sums: &'a [Sums],
    rules: SplitRules,
    /// Whether the tree may use each column.
    columns: &'a [bool],
}

impl<'a> Grower<'a> {
    pub(super) fn new(bins: &'a Bins) -> Self {
        let room = histograms_in_pool(bins.columns().len());
        let is_constrained = bins.columns().iter().any(|column| column.direction.is_some());
        Self { bins, rows: Vec::new(), spare: Vec::new(), unused: Vec::new(), room, is_constrained }
    }

    /// Grows a tree on [`Self::rows`], which are then in the order of the leaves.
    pub(super) fn grow(
        &mut self,
        sums: &[Sums],
        rules: SplitRules,
        shape: Shape,
        columns: &[bool],
        rng: &mut Rng,
    ) -> GrownTree {
        let input = TreeInput { sums, rules, columns };
        self.spare.resize(self.rows.len(), 0);
        let mut tree = Tree::default();
        tree.push_empty_leaf(self.rows.len() as f32);
        let (mut splits, mut gains) = (vec![None], Vec::new());
        let total = self.rows.par_chunks(PARTITION_ROWS).map(|rows| sum(rows, sums)).collect::<Vec<_>>();
        let total = total.into_iter().fold(Sums::default(), |mut all, part| {
            all.add(part);
            all
        });
        let leaf = GrownLeaf { node: 0, rows: 0..self.rows.len(), sums: total, bounds: Bounds::NONE };
        let mut root = OpenLeaf { leaf, depth: 0, histograms: None, best: None };
        if shape.max_leaves > 1 && self.can_split(&root, rules, shape) {
            self.search_root(&input, &mut root);
        }
        let mut open = vec![root];
        while open.len() < shape.max_leaves {
            let Some((at, split)) = best_leaf(&open) else { break };
            let mut parent = open.swap_remove(at);
            let histograms = self.take_back(&mut parent);
            let OpenLeaf { leaf: parent, depth, .. } = parent;
            let column = &self.bins.columns()[split.column];
            let right_sums = parent.sums.minus(split.left);
            let left_rows = self.partition(parent.rows.clone(), &split);
            let missing = split.missing.unwrap_or_else(|| unknown_side(split.left, right_sums, rng));
            let node_split = NodeSplit {
                feature: column.raw as u32,
                threshold: column.threshold(split.bin),
                missing_right: missing == Side::Right,
                covers: [left_rows, parent.rows.len() - left_rows].map(|rows| rows as f32),
            };
            let left_node = tree.split(parent.node, node_split);
            splits[parent.node] = Some((split.column, split.bin, missing));
            splits.extend([None, None]);
            gains.push((split.column, split.gain));
            let middle = parent.rows.start + left_rows;
            let steps = [split.left, right_sums].map(|sums| parent.bounds.step(&rules, sums));
            let bounds = parent.bounds.children(column.direction, steps);
            let child = |node, rows, sums, bounds| OpenLeaf {
                leaf: GrownLeaf { node, rows, sums, bounds },
                depth: depth + 1,
                histograms: None,
                best: None,
            };
            let mut left = child(left_node, parent.rows.start..middle, split.left, bounds[0]);
            let mut right = child(left_node + 1, middle..parent.rows.end, right_sums, bounds[1]);
            // After the last split no leaf needs a histogram.
            if open.len() + 2 < shape.max_leaves
                && (self.can_split(&left, rules, shape) || self.can_split(&right, rules, shape))
            {
                self.search_children(&input, shape, histograms, &mut left, &mut right);
            } else {
                self.unused.extend(histograms);
            }
            open.extend([left, right]);
        }
        let mut leaves: Vec<GrownLeaf> = Vec::with_capacity(open.len());
        for mut leaf in open {
            let histograms = self.take_back(&mut leaf);
            self.unused.extend(histograms);
            leaves.push(leaf.leaf);
        }
        leaves.sort_by_key(|leaf| leaf.node);
        GrownTree { tree, leaves, splits, gains }
    }

    fn can_split(&self, leaf: &OpenLeaf, rules: SplitRules, shape: Shape) -> bool {
        leaf.depth < shape.max_depth && leaf.leaf.sums.rows() / 2 >= rules.min_rows
    }

    fn search_root(&mut self, input: &TreeInput<'_>, root: &mut OpenLeaf) {
        let mut histograms = self.take();
        let rows = &self.rows[root.leaf.rows.clone()];
        let search = |(block, histograms): (usize, &mut [ColumnHistogram])| {
            self.fill_block(input, block, histograms, rows);
            self.search_block(input, block, histograms, &root.leaf)
        };
        let found: Vec<_> = if self.is_small(rows.len()) {
            histograms.chunks_mut(LANES).enumerate().map(search).collect()
        } else {
            histograms.par_chunks_mut(LANES).enumerate().map(search).collect()
        };
        root.best = found.into_iter().fold(None, better);
        self.keep(root, histograms);
    }

    /// Computes the histogram of the child with fewer rows. That of the other child is the rest of its parent's histogram.
    fn search_children(
        &mut self,
        input: &TreeInput<'_>,
        shape: Shape,
        parent: Option<Vec<ColumnHistogram>>,
        left: &mut OpenLeaf,
        right: &mut OpenLeaf,
    ) {
        let (small, large) = if left.leaf.rows.len() <= right.leaf.rows.len() { (left, right) } else { (right, left) };
        let mut small_histograms = self.take();
        let is_rest = parent.is_some();
        let mut large_histograms = parent.unwrap_or_else(|| self.take());
        let searched = [&*small, &*large].map(|leaf| self.can_split(leaf, input.rules, shape));
        let rows = [&*small, &*large].map(|leaf| &self.rows[leaf.leaf.rows.clone()]);
        let search =
            |(block, (small_block, large_block)): (usize, (&mut [ColumnHistogram], &mut [ColumnHistogram]))| {
                if !self.is_active(input, block) {
                    return [None, None];
                }
                self.fill_block(input, block, small_block, rows[0]);
                if is_rest {
                    subtract(large_block.as_flattened_mut(), small_block.as_flattened());
                } else {
                    self.fill_block(input, block, large_block, rows[1]);
                }
                let of = |is_searched: bool, histograms: &[ColumnHistogram], leaf: &GrownLeaf| {
                    if is_searched { self.search_block(input, block, histograms, leaf) } else { None }
                };
                [of(searched[0], small_block, &small.leaf), of(searched[1], large_block, &large.leaf)]
            };
        let found: Vec<[Option<Split>; 2]> = if self.is_small(rows[0].len()) {
            small_histograms.chunks_mut(LANES).zip(large_histograms.chunks_mut(LANES)).enumerate().map(search).collect()
        } else {
            let blocks = small_histograms.par_chunks_mut(LANES).zip(large_histograms.par_chunks_mut(LANES));
            blocks.enumerate().map(search).collect()
        };
        small.best = found.iter().map(|[small, _]| *small).fold(None, better);
        large.best = found.iter().map(|[_, large]| *large).fold(None, better);
        self.keep(small, small_histograms);
        self.keep(large, large_histograms);
    }

    /// Whether the histograms of a node with this number of rows are computed by one thread. Each block is searched, too.
    fn is_small(&self, rows: usize) -> bool {
        (rows + 256) * self.bins.columns().len() < PARALLEL_FROM
    }

    fn is_active(&self, input: &TreeInput<'_>, block: usize) -> bool {
        let first = block * LANES;
        input.columns[first..input.columns.len().min(first + LANES)].iter().any(|active| *active)
    }

    fn fill_block(&self, input: &TreeInput<'_>, block: usize, histograms: &mut [ColumnHistogram], rows: &[u32]) {
        if self.is_active(input, block) {
            histograms.as_flattened_mut().fill(Sums::default());
            fill(histograms, self.bins.block(block), rows, input.sums);
        }
    }

    fn search_block(
        &self,
        input: &TreeInput<'_>,
        block: usize,
        histograms: &[ColumnHistogram],
        leaf: &GrownLeaf,
    ) -> Option<Split> {
        let first = block * LANES;
        let columns = histograms.iter().zip(first..).filter(|(_, column)| input.columns[*column]);
        let bounds = self.is_constrained.then_some(leaf.bounds);
        let of_column = |(histogram, column): (&ColumnHistogram, usize)| {
            let binned = &self.bins.columns()[column];
            let column = SplitColumn { column, bins: binned.bins(), direction: binned.direction };
            input.rules.best(column, histogram, leaf.sums, bounds)
        };
        columns.map(of_column).fold(None, better)
    }

    /// Moves the rows on the left side of a split to the front and returns their number.
    fn partition(&mut self, range: Range<usize>, split: &Split) -> usize {
        let (rows, spare) = (&mut self.rows[range.clone()], &mut self.spare[range]);
        let (block, lane) = (self.bins.block(split.column / LANES), split.column % LANES);
        let is_left = goes_left(split.bin, split.missing.unwrap_or(Side::Left));
        let goes_left = |row: &u32| is_left(block[*row as usize][lane]);
        if rows.len() <= PARTITION_ROWS {
            return partition(rows, spare, goes_left);
        }
        let parts = rows.par_chunks_mut(PARTITION_ROWS).zip(spare.par_chunks_mut(PARTITION_ROWS));
        let counts: Vec<usize> = parts.map(|(rows, spare)| partition(rows, spare, goes_left)).collect();
        let left: usize = counts.iter().sum();
        let (mut at_left, mut at_right) = (0, left);
        for (rows, count) in rows.chunks(PARTITION_ROWS).zip(counts) {
            let (lefts, rights) = rows.split_at(count);
            spare[at_left..at_left + lefts.len()].copy_from_slice(lefts);
            spare[at_right..at_right + rights.len()].copy_from_slice(rights);
            (at_left, at_right) = (at_left + lefts.len(), at_right + rights.len());
        }
        rows.copy_from_slice(spare);
        left
    }

    fn take(&mut self) -> Vec<ColumnHistogram> {
        let columns = self.bins.columns().len();
        self.unused.pop().unwrap_or_else(|| vec![[Sums::default(); 256]; columns])
    }

    /// Keeps the histogram of a leaf that will perhaps be split.
    fn keep(&mut self, leaf: &mut OpenLeaf, histograms: Vec<ColumnHistogram>) {
        if leaf.best.is_some() && self.room > 0 {
            self.room -= 1;
            leaf.histograms = Some(histograms);
        } else {
            self.unused.push(histograms);
        }
    }

    fn take_back(&mut self, leaf: &mut OpenLeaf) -> Option<Vec<ColumnHistogram>> {
        let histograms = leaf.histograms.take();
        self.room += usize::from(histograms.is_some());
        histograms
    }
}

impl GrownTree {
    /// The node that a row reaches.
    pub(super) fn leaf_node(&self, bins: &Bins, row: u32) -> usize {
        let mut node = 0;
        while let Some((column, bin, missing)) = self.splits[node] {
            let right = !goes_left(bin, missing)(bins.bin(column, row));
            node = self.tree.left[node] as usize + usize::from(right);
        }
        debug_assert_eq!(self.tree.feature[node], LEAF);
        node
    }
}

/// Number of histograms of all columns that wait for a split.
fn histograms_in_pool(columns: usize) -> usize {
    (POOL_BYTES / columns.max(1).saturating_mul(size_of::<ColumnHistogram>())).max(2)
}

fn sum(rows: &[u32], sums: &[Sums]) -> Sums {
    rows.iter().fold(Sums::default(), |mut all, row| {
        all.add(sums[*row as usize]);
        all
    })
}

/// The better of two splits, or the first of equal ones.
fn better(best: Option<Split>, other: Option<Split>) -> Option<Split> {
    match (best, other) {
        (Some(best), Some(other)) => Some(if other.gain > best.gain { other } else { best }),
        (best, other) => best.or(other),
    }
}

/// The leaf whose split has the largest gain; of equal ones the one with the lowest node.
fn best_leaf(open: &[OpenLeaf]) -> Option<(usize, Split)> {
    let splits = open.iter().enumerate().filter_map(|(at, leaf)| Some((at, leaf.leaf.node, leaf.best?)));
    let best = splits.max_by(|a, b| a.2.gain.total_cmp(&b.2.gain).then_with(|| b.1.cmp(&a.1)));
    best.map(|(at, _, split)| (at, split))
}

/// The side of missing values and unseen categories in a node without them, drawn with the hessians of both sides as
/// probabilities. A row without any values then gets about the mean of each tree, as in a forest
/// ([`crate::forest`]); the heavier side of each split would give the sum of the largest leaves.
fn unknown_side(left: Sums, right: Sums, rng: &mut Rng) -> Side {
    if rng.unit() * (left.hessian() + right.hessian()) < left.hessian() { Side::Left } else { Side::Right }
}

#[cfg(test)]
mod tests;
