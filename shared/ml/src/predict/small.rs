//! Small trees over blocks of rows: each split is evaluated for all rows of a block at once, from the leaves to the root. A
//! byte per row holds the leaf that the row reaches below the split. There is no data-dependent branch or address, so vector
//! instructions do all of it.

use super::node::{Node, Ranked};
use super::walk::Nodes;
use crate::simd::dispatched;

/// Rows per block: one AVX register of bytes.
pub(super) const ROWS: usize = 32;
/// Smaller blocks are walked row by row.
pub(super) const MIN_ROWS: usize = 8;
/// Maximum number of leaves of a tree: with more, most splits would be evaluated in vain.
const MAX_LEAVES: usize = 128;

/// The splits of trees with at most [`MAX_LEAVES`] leaves.
#[derive(Debug)]
pub(super) struct SmallTrees {
    /// Tree by tree, children before their parents.
    splits: Vec<Split>,
    trees: Vec<SmallTree>,
    /// The leaf values, tree by tree.
    values: Vec<f32>,
}

/// A split. A child is the index of a split of the tree, or [`MAX_LEAVES`] plus the index of a leaf.
#[derive(Debug, Clone, Copy)]
struct Split {
    column: u8,
    rank: u8,
    left: u8,
    right: u8,
}

#[derive(Debug, Clone, Copy)]
struct SmallTree {
    splits: u8,
    leaves: u8,
}

impl SmallTrees {
    /// `None` if a tree is too large. A leaf has one value.
    pub(super) fn new(nodes: &Nodes<Ranked>) -> Option<Self> {
        let mut small = Self { splits: Vec::new(), trees: Vec::new(), values: Vec::new() };
        for (tree, payloads) in nodes.each_tree() {
            if tree.len() > 2 * MAX_LEAVES - 1 {
                return None;
            }
            let is_leaf = |node: usize| tree[node].column() as usize == nodes.columns();
            let leaves = (0..tree.len()).filter(|node| is_leaf(*node)).count();
            // Of the splits the root is the last, of the leaves it would be the first.
            let (mut splits_left, mut leaves_seen) = (tree.len() - leaves, 0);
            let index = |node: usize| {
                if is_leaf(node) {
                    leaves_seen += 1;
                    MAX_LEAVES + leaves_seen - 1
                } else {
                    splits_left -= 1;
                    splits_left
                }
            };
            let indices: Vec<u8> = (0..tree.len()).map(index).map(|index| index as u8).collect();
            for node in (0..tree.len()).rev().filter(|node| !is_leaf(*node)) {
                let (left, right) = (indices[tree[node].left() as usize], indices[tree[node].left() as usize + 1]);
                let (column, rank) = (tree[node].column() as u8, tree[node].rank());
                small.splits.push(Split { column, rank, left, right });
            }
            small
                .values
                .extend((0..tree.len()).filter(|node| is_leaf(*node)).map(|node| f32::from_bits(payloads[node])));
            small.trees.push(SmallTree { splits: (tree.len() - leaves) as u8, leaves: leaves as u8 });
        }
        Some(small)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let trees = self.trees.capacity() * size_of::<SmallTree>() + self.values.capacity() * size_of::<f32>();
        self.splits.capacity() * size_of::<Split>() + trees
    }
}

dispatched! {
    /// Adds the leaf values of all trees, in order, to the sums of the rows of a block. `keys` has the columns of the rows.
    add_block => generic_add_block(trees: &SmallTrees, keys: &[[u8; ROWS]], sums: &mut [f64; ROWS])
}

#[inline(always)]
fn generic_add_block<const FMA: bool>(trees: &SmallTrees, keys: &[[u8; ROWS]], sums: &mut [f64; ROWS]) {
    // The leaf of each row below each split, and the leaves themselves.
    let mut reached = [[0_u8; ROWS]; 2 * MAX_LEAVES];
    (0_u8..).zip(&mut reached[MAX_LEAVES..]).for_each(|(leaf, reached)| *reached = [leaf; ROWS]);
    let (mut splits, mut values) = (&trees.splits[..], &trees.values[..]);
    for tree in &trees.trees {
        let (own_splits, next_splits) = splits.split_at(usize::from(tree.splits));
        let (own_values, next_values) = values.split_at(usize::from(tree.leaves));
        (splits, values) = (next_splits, next_values);
        for (at, split) in (0_u8..).zip(own_splits) {
            let keys = &keys[usize::from(split.column)];
            let (left, right) = (reached[usize::from(split.left)], reached[usize::from(split.right)]);
            let reached = &mut reached[usize::from(at)];
            for row in 0..ROWS {
                reached[row] = if keys[row] > split.rank { right[row] } else { left[row] };
            }
        }
        let root = tree.splits.checked_sub(1).map_or(MAX_LEAVES, usize::from);
        for (sum, leaf) in sums.iter_mut().zip(reached[root]) {
            *sum += f64::from(own_values[usize::from(leaf)]);
        }
    }
}
