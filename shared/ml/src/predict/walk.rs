//! The inner loops, with the only unsafe code of prediction. [`Nodes::new`] validates all assumptions once; nodes are
//! immutable afterwards.

use std::ops::Range;

use super::node::{MISSING_KEY, Node};

/// Number of interleaved walks: hides memory latency and fits into registers.
const LANES: usize = 8;
/// Number of steps between two tests for the end of all walks.
const BURST: u32 = 4;
/// Approximate cache size for a block of rows and a tree.
const BLOCK_BYTES: usize = 32 << 10;

/// The validated nodes of all trees.
#[derive(Debug)]
pub(super) struct Nodes<N> {
    nodes: Vec<N>,
    trees: Vec<Root>,
    /// The largest depth of each full group of [`LANES`] trees.
    group_depths: Vec<u32>,
    features: usize,
    block_rows: usize,
}

#[derive(Debug, Clone, Copy)]
struct Root {
    first: usize,
    /// Number of steps after which every walk is at a leaf.
    depth: u32,
}

impl<N: Node> Nodes<N> {
    /// Takes nodes with the first index and the depth of each tree, in ascending order of index.
    ///
    /// # Panics
    /// If a child is outside its tree, a feature index is invalid, or a leaf does not point to itself.
    pub(super) fn new(nodes: Vec<N>, trees: Vec<(usize, u32)>, features: usize) -> Self {
        let ends = trees.iter().skip(1).map(|(first, _)| *first).chain([nodes.len()]);
        for (&(first, _), end) in trees.iter().zip(ends) {
            for (i, node) in nodes[first..end].iter().enumerate() {
                let (feature, left) = (node.feature() as usize, node.left() as usize);
                let leaf = feature == features && left == i && node.missing_right() == 0;
                let split = feature < features && left > i && left + 1 < end - first;
                assert!(leaf || split, "node {i} of a compiled tree is invalid");
            }
            assert!(first < end, "a compiled tree is empty");
        }
        let tree_bytes = nodes.len() * size_of::<N>() / trees.len().max(1);
        let row_bytes = (features + 1) * size_of::<u32>();
        // With larger trees more rows should share the tree while it is in the cache.
        let block_rows = (BLOCK_BYTES.max(tree_bytes) / row_bytes).clamp(LANES, 4_096) / LANES * LANES;
        let trees: Vec<Root> = trees.into_iter().map(|(first, depth)| Root { first, depth }).collect();
        let deepest = |group: &[Root]| group.iter().map(|root| root.depth).max().unwrap_or(0);
        let group_depths = trees.chunks_exact(LANES).map(deepest).collect();
        Self { nodes, trees, group_depths, features, block_rows }
    }

    /// The nodes of each tree, with their positions among the nodes of all trees.
    pub(super) fn each_tree(&self) -> impl Iterator<Item = (Range<usize>, &[N])> {
        let ends = self.trees.iter().skip(1).map(|root| root.first).chain([self.nodes.len()]);
        self.trees.iter().zip(ends).map(|(root, end)| (root.first..end, &self.nodes[root.first..end]))
    }

    /// The depth of the deepest tree.
    pub(super) fn deepest(&self) -> u32 {
        self.trees.iter().map(|root| root.depth).max().unwrap_or(0)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<N>() + self.trees.capacity() * size_of::<Root>()
    }

    /// Calls `visit` with the payload of the leaf of each tree, in order, for one row of keys.
    ///
    /// # Panics
    /// If `keys` is not one row that ends with [`MISSING_KEY`].
    #[inline(never)]
    pub(super) fn walk_row(&self, keys: &[u32], mut visit: impl FnMut(u32)) {
        assert!(keys.len() == self.features + 1 && keys[self.features] == MISSING_KEY);
        let mut groups = self.trees.chunks_exact(LANES);
        for (group, depth) in groups.by_ref().zip(&self.group_depths) {
            let mut bases = [self.nodes.as_ptr(); LANES];
            for (base, root) in bases.iter_mut().zip(group) {
                *base = self.nodes[root.first..].as_ptr();
            }
            // SAFETY: each base is the first node of a validated tree, and `keys` has a value for every column
            // 0..=features.
            unsafe { walk(bases, [keys.as_ptr(); LANES], self.features as u32, *depth) }
                .into_iter()
                .for_each(&mut visit);
        }
        for root in groups.remainder() {
            let base = self.nodes[root.first..].as_ptr();
            // SAFETY: see above.
            let [payload] = unsafe { walk([base], [keys.as_ptr()], self.features as u32, root.depth) };
            visit(payload);
        }
    }

    /// Calls `visit` with the row number and the leaf's payload for every row and tree. Processes blocks of rows tree
    /// by tree, so that a tree stays in the cache.
    ///
    /// # Panics
    /// If `keys` does not consist of rows that end with [`MISSING_KEY`].
    #[inline(never)]
    pub(super) fn walk_rows(&self, keys: &[u32], mut visit: impl FnMut(usize, u32)) {
        let stride = self.features + 1;
        assert!(
            keys.len().is_multiple_of(stride) && keys.chunks_exact(stride).all(|row| row[self.features] == MISSING_KEY)
        );
        for (block, keys) in keys.chunks(self.block_rows * stride).enumerate() {
            let first_row = block * self.block_rows;
            for root in &self.trees {
                let base = self.nodes[root.first..].as_ptr();
                let mut row = first_row;
                let mut groups = keys.chunks_exact(stride * LANES);
                for group in &mut groups {
                    let mut starts = [group.as_ptr(); LANES];
                    for (start, keys) in starts.iter_mut().zip(group.chunks_exact(stride)) {
                        *start = keys.as_ptr();
                    }
                    // SAFETY: `base` is the first node of a validated tree; each start is a row of `stride` keys.
                    for payload in unsafe { walk([base; LANES], starts, self.features as u32, root.depth) } {
                        visit(row, payload);
                        row += 1;
                    }
                }
                for keys in groups.remainder().chunks_exact(stride) {
                    // SAFETY: see above.
                    let [payload] = unsafe { walk([base], [keys.as_ptr()], self.features as u32, root.depth) };
                    visit(row, payload);
                    row += 1;
                }
            }
        }
    }
}

/// Walks `L` trees or rows in parallel and returns the payloads of the leaves.
///
/// # Safety
/// Each base is the first node of a tree that [`Nodes::new`] validated, with at most `depth` levels. Each row has
/// `floor + 1` keys, and the last key is [`MISSING_KEY`].
#[inline(always)]
unsafe fn walk<N: Node, const L: usize>(
    bases: [*const N; L],
    rows: [*const u32; L],
    floor: u32,
    depth: u32,
) -> [u32; L] {
    let mut at = [0_u32; L];
    let mut steps = 0;
    while steps < depth {
        for _ in 0..BURST {
            for lane in 0..L {
                // SAFETY: `at` is 0 or a validated child: the left child of a split or its right neighbour, or the leaf
                // itself, because MISSING_KEY is not greater than any payload. Every feature is at most `floor`, so the
                // key is inside the row.
                unsafe {
                    let node = *bases[lane].add(at[lane] as usize);
                    let key = *rows[lane].add(node.feature() as usize);
                    at[lane] = node.left() + u32::from(key.wrapping_sub(node.missing_right()) > node.payload());
                }
            }
        }
        steps += BURST;
        let mut moving = 0;
        for lane in 0..L {
            // SAFETY: `at` is inside the tree; see above.
            moving |= unsafe { *bases[lane].add(at[lane] as usize) }.feature() ^ floor;
        }
        if moving == 0 {
            break;
        }
    }
    let mut payloads = [0; L];
    for lane in 0..L {
        // SAFETY: `at` is inside the tree; see above.
        payloads[lane] = unsafe { *bases[lane].add(at[lane] as usize) }.payload();
    }
    payloads
}
