//! The inner loops, with the only unsafe code of prediction. [`Nodes::new`] validates all assumptions once; nodes are
//! immutable afterwards.

use std::ops::Range;

use super::node::Node;

/// Number of interleaved walks: hides memory latency and fits into registers.
const LANES: usize = 8;
/// Number of steps between two tests for the end of all walks.
const BURST: u32 = 4;
/// Trees whose leaves are collected before they are added in order.
const CHUNK: usize = 256;
/// Approximate cache size for a block of rows and a tree.
const BLOCK_BYTES: usize = 32 << 10;

/// The validated nodes of all trees.
#[derive(Debug)]
pub(super) struct Nodes<N> {
    nodes: Vec<N>,
    /// What a leaf stands for, by the position of its node.
    payloads: Vec<u32>,
    trees: Vec<Root>,
    /// For each chunk of [`CHUNK`] trees its trees by ascending depth, so that trees that are walked together have similar
    /// depths.
    by_depth: Vec<u8>,
    columns: usize,
    block_rows: usize,
}

#[derive(Debug, Clone, Copy)]
struct Root {
    first: usize,
    /// Number of steps after which every walk is at a leaf.
    depth: u32,
}

impl<N: Node> Nodes<N> {
    /// Takes nodes with their payloads, and with the first index and the depth of each tree, in ascending order of index.
    ///
    /// # Panics
    /// If a child is outside its tree, a column is invalid, a leaf does not point to itself, or a payload is missing.
    pub(super) fn new(nodes: Vec<N>, payloads: Vec<u32>, trees: Vec<(usize, u32)>, columns: usize) -> Self {
        assert_eq!(nodes.len(), payloads.len());
        let ends = trees.iter().skip(1).map(|(first, _)| *first).chain([nodes.len()]);
        for (&(first, _), end) in trees.iter().zip(ends) {
            for (i, node) in nodes[first..end].iter().enumerate() {
                let (column, left) = (node.column() as usize, node.left() as usize);
                let leaf = column == columns && left == i && !node.goes_right(N::LEAF_KEY);
                let split = column < columns && left > i && left + 1 < end - first;
                assert!(leaf || split, "node {i} of a compiled tree is invalid");
            }
            assert!(first < end, "a compiled tree is empty");
        }
        let tree_bytes = nodes.len() * size_of::<N>() / trees.len().max(1);
        let row_bytes = (columns + 1) * size_of::<N::Key>();
        // With larger trees more rows should share the tree while it is in the cache.
        let block_rows = (BLOCK_BYTES.max(tree_bytes) / row_bytes).clamp(LANES, 4_096) / LANES * LANES;
        let trees: Vec<Root> = trees.into_iter().map(|(first, depth)| Root { first, depth }).collect();
        let by_depth = trees.chunks(CHUNK).flat_map(|chunk| {
            let mut order: Vec<u8> = (0..=u8::MAX).take(chunk.len()).collect();
            order.sort_by_key(|tree| chunk[usize::from(*tree)].depth);
            order
        });
        let by_depth = by_depth.collect();
        Self { nodes, payloads, trees, by_depth, columns, block_rows }
    }

    /// The position of the nodes of each tree among all nodes.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.trees.iter().skip(1).map(|root| root.first).chain([self.nodes.len()]);
        self.trees.iter().zip(ends).map(|(root, end)| root.first..end)
    }

    /// The nodes of each tree, with their payloads.
    pub(super) fn each_tree(&self) -> impl Iterator<Item = (&[N], &[u32])> {
        self.ranges().map(|range| (&self.nodes[range.clone()], &self.payloads[range]))
    }

    /// Number of columns of keys, without that of the leaves.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The depth of the deepest tree.
    pub(super) fn deepest(&self) -> u32 {
        self.trees.iter().map(|root| root.depth).max().unwrap_or(0)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<N>()
            + self.payloads.capacity() * size_of::<u32>()
            + self.trees.capacity() * (size_of::<Root>() + 1)
    }

    /// Calls `visit` with the payload of the leaf of each tree, in order, for one row of keys.
    ///
    /// # Panics
    /// If `keys` is not one row that ends with [`Node::LEAF_KEY`].
    #[inline(never)]
    pub(super) fn walk_row(&self, keys: &[N::Key], mut visit: impl FnMut(u32)) {
        assert!(keys.len() == self.columns + 1 && keys[self.columns] == N::LEAF_KEY);
        for (trees, by_depth) in self.trees.chunks(CHUNK).zip(self.by_depth.chunks(CHUNK)) {
            let mut payloads = [0_u32; CHUNK];
            let mut groups = by_depth.chunks_exact(LANES);
            for group in &mut groups {
                self.walk_trees::<LANES>(keys, trees, group, &mut payloads);
            }
            for tree in groups.remainder() {
                self.walk_trees::<1>(keys, trees, std::slice::from_ref(tree), &mut payloads);
            }
            payloads[..trees.len()].iter().for_each(|payload| visit(*payload));
        }
    }

    /// Writes the payloads of `L` trees of a chunk, the deepest last, for a row of `self.columns + 1` keys.
    #[inline(always)]
    fn walk_trees<const L: usize>(&self, keys: &[N::Key], trees: &[Root], group: &[u8], payloads: &mut [u32; CHUNK]) {
        assert!(keys.len() == self.columns + 1 && group.len() == L);
        let mut bases = [self.nodes.as_ptr(); L];
        for (base, tree) in bases.iter_mut().zip(group) {
            *base = self.nodes[trees[usize::from(*tree)].first..].as_ptr();
        }
        let depth = trees[usize::from(group[L - 1])].depth;
        // SAFETY: each base is the first node of a validated tree, and `keys` has a value for every column 0..=columns.
        let leaves = unsafe { walk(bases, [keys.as_ptr(); L], self.columns as u32, depth) };
        for (tree, leaf) in group.iter().zip(leaves) {
            payloads[usize::from(*tree)] = self.payloads[trees[usize::from(*tree)].first + leaf as usize];
        }
    }

    /// Calls `visit` with the row number and the leaf's payload for every row and tree. Processes blocks of rows tree
    /// by tree, so that a tree stays in the cache.
    ///
    /// # Panics
    /// If `keys` does not consist of rows that end with [`Node::LEAF_KEY`].
    #[inline(never)]
    pub(super) fn walk_rows(&self, keys: &[N::Key], mut visit: impl FnMut(usize, u32)) {
        let stride = self.columns + 1;
        assert!(
            keys.len().is_multiple_of(stride) && keys.chunks_exact(stride).all(|row| row[self.columns] == N::LEAF_KEY)
        );
        for (block, keys) in keys.chunks(self.block_rows * stride).enumerate() {
            let first_row = block * self.block_rows;
            for root in &self.trees {
                let (base, payloads) = (self.nodes[root.first..].as_ptr(), &self.payloads[root.first..]);
                let mut row = first_row;
                let mut groups = keys.chunks_exact(stride * LANES);
                for group in &mut groups {
                    let mut starts = [group.as_ptr(); LANES];
                    for (start, keys) in starts.iter_mut().zip(group.chunks_exact(stride)) {
                        *start = keys.as_ptr();
                    }
                    // SAFETY: `base` is the first node of a validated tree; each start is a row of `stride` keys.
                    for leaf in unsafe { walk([base; LANES], starts, self.columns as u32, root.depth) } {
                        visit(row, payloads[leaf as usize]);
                        row += 1;
                    }
                }
                for keys in groups.remainder().chunks_exact(stride) {
                    // SAFETY: as in the loop above.
                    let [leaf] = unsafe { walk([base], [keys.as_ptr()], self.columns as u32, root.depth) };
                    visit(row, payloads[leaf as usize]);
                    row += 1;
                }
            }
        }
    }
}

/// Walks `L` trees or rows in parallel and returns the leaves.
///
/// # Safety
/// Each base is the first node of a tree that [`Nodes::new`] validated, with at most `depth` levels. Each row has
/// `floor + 1` keys, and the last key is [`Node::LEAF_KEY`].
#[inline(always)]
unsafe fn walk<N: Node, const L: usize>(
    bases: [*const N; L],
    rows: [*const N::Key; L],
    floor: u32,
    depth: u32,
) -> [u32; L] {
    let mut at = [0_u32; L];
    let mut steps = 0;
    while steps < depth {
        for _ in 0..BURST {
            for lane in 0..L {
                // SAFETY: `at` is 0 or a validated child: the left child of a split or its right neighbour, or the leaf
                // itself, because no leaf goes right with its key. Every column is at most `floor`, so the key is inside
                // the row.
                unsafe {
                    let node = *bases[lane].add(at[lane] as usize);
                    let key = *rows[lane].add(node.column() as usize);
                    at[lane] = node.left() + u32::from(node.goes_right(key));
                }
            }
        }
        steps += BURST;
        let mut moving = 0;
        for lane in 0..L {
            // SAFETY: `at` is inside the tree; see above.
            moving |= unsafe { *bases[lane].add(at[lane] as usize) }.column() ^ floor;
        }
        if moving == 0 {
            break;
        }
    }
    at
}
