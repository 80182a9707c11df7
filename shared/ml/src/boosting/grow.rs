//! Growing one tree, leaf by leaf: the leaf with the largest gain is split next (Shi 2007, "Best-first decision tree
//! learning"; LightGBM, Ke et al. 2017).

use std::ops::Range;

use rayon::prelude::*;

use super::bins::{Bins, LANES};
use super::histogram::{BinSums, ColumnHistogram, Lanes, Rounded, Sums, fill};
use super::monotone::Bounds;
use super::split::{Split, SplitColumn, SplitRules};
use crate::bins::{Side, goes_left, partition};
use crate::model::{NodeSplit, Tree};
use crate::rng::Rng;

/// Memory for histograms that wait for a split. Without room a leaf computes its histogram again.
pub(super) const POOL_BYTES: usize = 256 << 20;
/// Work below this number of bins is not divided among threads.
const PARALLEL_FROM: usize = 32_768;
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
    /// Column and gain of each split.
    pub(super) gains: Vec<(usize, f64)>,
}

/// A leaf with its rows.
#[derive(Debug)]
pub(super) struct GrownLeaf {
    pub(super) node: usize,
    /// A range of [`Grower::rows`].
    pub(super) rows: Range<usize>,
    /// A range of [`Grower::others`].
    pub(super) others: Range<usize>,
    pub(super) sums: Sums,
    /// The bounds of its step.
    pub(super) bounds: Bounds,
}

/// Working memory for trees on the same bins.
pub(super) struct Grower<'a> {
    bins: &'a Bins,
    /// The rows of the tree, leaf by leaf.
    pub(super) rows: Vec<u32>,
    /// Rows that do not grow the tree, but reach its leaves: leaf by leaf.
    pub(super) others: Vec<u32>,
    spare: Vec<u32>,
    /// Working memory for the histograms of all columns.
    working: Vec<BinSums>,
    /// Unused histograms of all columns. Those of a block are in the order of the lanes that the tree uses.
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
    rounded: &'a [Rounded],
    rules: SplitRules,
    /// The lanes of each block that the tree may use, and their number.
    lanes: Vec<Lanes>,
    columns: usize,
}

impl<'a> Grower<'a> {
    pub(super) fn new(bins: &'a Bins) -> Self {
        let room = histograms_in_pool(bins.columns().len());
        let is_constrained = bins.columns().iter().any(|column| column.direction.is_some());
        let working = vec![[Sums::default(); 256]; bins.columns().len()];
        Self {
            bins,
            rows: Vec::new(),
            others: Vec::new(),
            spare: Vec::new(),
            working,
            unused: Vec::new(),
            room,
            is_constrained,
        }
    }

    /// Grows a tree on [`Self::rows`]. They are then in the order of the leaves, and so are [`Self::others`].
    pub(super) fn grow(
        &mut self,
        rounded: &[Rounded],
        rules: SplitRules,
        shape: Shape,
        columns: &[bool],
        rng: &mut Rng,
    ) -> GrownTree {
        let lanes: Vec<Lanes> = columns.chunks(LANES).map(Lanes::of).collect();
        let columns = lanes.iter().map(Lanes::len).sum();
        let input = TreeInput { rounded, rules, lanes, columns };
        self.spare.resize(self.rows.len().max(self.others.len()), 0);
        let mut tree = Tree::default();
        tree.push_empty_leaf(self.rows.len() as f32);
        let mut gains = Vec::new();
        let total = self.rows.par_chunks(PARTITION_ROWS).map(|rows| sum(rows, rounded)).collect::<Vec<_>>();
        let total = total.into_iter().fold(Sums::default(), |mut all, part| {
            all.add(part);
            all
        });
        let (rows, others) = (0..self.rows.len(), 0..self.others.len());
        let leaf = GrownLeaf { node: 0, rows, others, sums: total, bounds: Bounds::NONE };
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
            let missing = split.missing.unwrap_or_else(|| unknown_side(split.left, right_sums, rng));
            let [left_rows, left_others] = self.partition(&parent, &split, missing);
            let node_split = NodeSplit {
                feature: column.raw as u32,
                threshold: column.threshold(split.bin),
                missing_right: missing == Side::Right,
                covers: [left_rows, parent.rows.len() - left_rows].map(|rows| rows as f32),
            };
            let left_node = tree.split(parent.node, node_split);
            gains.push((split.column, split.gain));
            let [rows, other_rows] = [halves(&parent.rows, left_rows), halves(&parent.others, left_others)];
            let steps = [split.left, right_sums].map(|sums| parent.bounds.step(&rules, sums));
            let bounds = parent.bounds.children(column.direction, steps);
            let child = |side: usize, sums| {
                let [rows, others] = [&rows, &other_rows].map(|halves| halves[side].clone());
                let leaf = GrownLeaf { node: left_node + side, rows, others, sums, bounds: bounds[side] };
                OpenLeaf { leaf, depth: depth + 1, histograms: None, best: None }
            };
            let (mut left, mut right) = (child(0, split.left), child(1, right_sums));
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
        GrownTree { tree, leaves, gains }
    }

    fn can_split(&self, leaf: &OpenLeaf, rules: SplitRules, shape: Shape) -> bool {
        leaf.depth < shape.max_depth && leaf.leaf.sums.rows() / 2 >= rules.min_rows
    }

    fn search_root(&mut self, input: &TreeInput<'_>, root: &mut OpenLeaf) {
        let mut histograms = self.take();
        let mut working = std::mem::take(&mut self.working);
        let rows = &self.rows[root.leaf.rows.clone()];
        let search = |(block, (histograms, working)): (usize, (&mut [ColumnHistogram], &mut [BinSums]))| {
            self.fill_block(input, block, histograms, working, rows);
            self.search_block(input, block, histograms, &root.leaf)
        };
        let found: Vec<_> = if is_small(input, rows.len()) {
            histograms.chunks_mut(LANES).zip(working.chunks_mut(LANES)).enumerate().map(search).collect()
        } else {
            let blocks = histograms.par_chunks_mut(LANES).zip(working.par_chunks_mut(LANES));
            blocks.enumerate().map(search).collect()
        };
        root.best = found.into_iter().fold(None, better);
        self.working = working;
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
        let mut working = std::mem::take(&mut self.working);
        let is_rest = parent.is_some();
        let mut large_histograms = parent.unwrap_or_else(|| self.take());
        let searched = [&*small, &*large].map(|leaf| self.can_split(leaf, input.rules, shape));
        let rows = [&*small, &*large].map(|leaf| &self.rows[leaf.leaf.rows.clone()]);
        type Block<'b> = ((&'b mut [ColumnHistogram], &'b mut [ColumnHistogram]), &'b mut [BinSums]);
        let search = |(block, ((small_block, large_block), working)): (usize, Block<'_>)| {
            self.fill_block(input, block, small_block, working, rows[0]);
            if is_rest {
                for (at, lane) in input.lanes[block].iter().enumerate() {
                    large_block[at].subtract(&small_block[at], self.bins.columns()[block * LANES + lane].bins());
                }
            } else {
                self.fill_block(input, block, large_block, working, rows[1]);
            }
            let of = |is_searched: bool, histograms: &[ColumnHistogram], leaf: &GrownLeaf| {
                if is_searched { self.search_block(input, block, histograms, leaf) } else { None }
            };
            [of(searched[0], small_block, &small.leaf), of(searched[1], large_block, &large.leaf)]
        };
        let found: Vec<[Option<Split>; 2]> = if is_small(input, rows[0].len()) {
            let blocks = small_histograms.chunks_mut(LANES).zip(large_histograms.chunks_mut(LANES));
            blocks.zip(working.chunks_mut(LANES)).enumerate().map(search).collect()
        } else {
            let blocks = small_histograms.par_chunks_mut(LANES).zip(large_histograms.par_chunks_mut(LANES));
            blocks.zip(working.par_chunks_mut(LANES)).enumerate().map(search).collect()
        };
        small.best = found.iter().map(|[small, _]| *small).fold(None, better);
        large.best = found.iter().map(|[_, large]| *large).fold(None, better);
        self.working = working;
        self.keep(small, small_histograms);
        self.keep(large, large_histograms);
    }

    fn fill_block(
        &self,
        input: &TreeInput<'_>,
        block: usize,
        histograms: &mut [ColumnHistogram],
        working: &mut [BinSums],
        rows: &[u32],
    ) {
        let number_of_bins = |lane: usize| self.bins.columns()[block * LANES + lane].bins();
        let lanes = &input.lanes[block];
        fill(histograms, working, lanes, number_of_bins, self.bins.block(block), rows, input.rounded);
    }

    fn search_block(
        &self,
        input: &TreeInput<'_>,
        block: usize,
        histograms: &[ColumnHistogram],
        leaf: &GrownLeaf,
    ) -> Option<Split> {
        let bounds = self.is_constrained.then_some(leaf.bounds);
        let of_column = |best: Option<Split>, (histogram, lane): (&ColumnHistogram, usize)| {
            let column = block * LANES + lane;
            let binned = &self.bins.columns()[column];
            let column = SplitColumn { column, bins: binned.bins(), direction: binned.direction };
            input.rules.best(column, histogram, leaf.sums, bounds, best.as_ref()).or(best)
        };
        histograms.iter().zip(input.lanes[block].iter()).fold(None, of_column)
    }

    /// Moves the rows on the left side of a split to the front, and returns the numbers of those that grow the tree and of
    /// the others.
    fn partition(&mut self, leaf: &GrownLeaf, split: &Split, missing: Side) -> [usize; 2] {
        let (block, lane) = (self.bins.block(split.column / LANES), split.column % LANES);
        let is_left = goes_left(split.bin, missing);
        let goes_left = |row: &u32| is_left(block[*row as usize][lane]);
        let parts = [(&mut self.rows, &leaf.rows), (&mut self.others, &leaf.others)];
        parts.map(|(rows, range)| {
            let spare = &mut self.spare[..range.len()];
            partition_in_parallel(&mut rows[range.clone()], spare, goes_left)
        })
    }

    fn take(&mut self) -> Vec<ColumnHistogram> {
        let columns = self.bins.columns().len();
        self.unused.pop().unwrap_or_else(|| vec![ColumnHistogram::EMPTY; columns])
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

/// Moves the rows that go left to the front and returns their number. Both sides keep their order.
fn partition_in_parallel(rows: &mut [u32], spare: &mut [u32], goes_left: impl Fn(&u32) -> bool + Sync) -> usize {
    if rows.len() <= PARTITION_ROWS {
        return partition(rows, spare, goes_left);
    }
    let parts = rows.par_chunks_mut(PARTITION_ROWS).zip(spare.par_chunks_mut(PARTITION_ROWS));
    let counts: Vec<usize> = parts.map(|(rows, spare)| partition(rows, spare, &goes_left)).collect();
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

/// A range in two parts, the first one of this length.
fn halves(range: &Range<usize>, first: usize) -> [Range<usize>; 2] {
    let middle = range.start + first;
    [range.start..middle, middle..range.end]
}

/// Number of histograms of all columns that wait for a split.
fn histograms_in_pool(columns: usize) -> usize {
    (POOL_BYTES / columns.max(1).saturating_mul(size_of::<ColumnHistogram>())).max(2)
}

/// Whether the histograms of a node with this number of rows are computed by one thread. Each column is searched, too.
fn is_small(input: &TreeInput<'_>, rows: usize) -> bool {
    (rows + 512) * input.columns < PARALLEL_FROM
}

fn sum(rows: &[u32], rounded: &[Rounded]) -> Sums {
    rows.iter().fold(Sums::default(), |mut all, row| {
        all.add(rounded[*row as usize].sums());
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
