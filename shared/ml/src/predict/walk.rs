//! The inner loops: the one place with unsafe code. Everything they rely on is checked once, in [`Nodes::new`], and
//! can't change afterwards.

use super::node::{FLOOR, Node};

/// Walks interleaved at a time: enough to hide the latency of memory, few enough to stay in registers.
const LANES: usize = 8;
/// Steps between two looks at whether all lanes have arrived.
const BURST: u32 = 4;
/// About what a block of rows and a tree may take of the cache near the core.
const BLOCK_BYTES: usize = 32 << 10;

/// Validated nodes of all trees.
#[derive(Debug)]
pub(super) struct Nodes<N> {
    nodes: Vec<N>,
    trees: Vec<Root>,
    features: usize,
    block_rows: usize,
}

#[derive(Debug, Clone, Copy)]
struct Root {
    first: usize,
    /// Steps after which every walk has arrived.
    depth: u32,
}

impl<N: Node> Nodes<N> {
    /// Takes nodes with each tree's first index and depth, in ascending order of index.
    ///
    /// # Panics
    /// When a node points out of its tree, asks a column past the floor, or a leaf doesn't lead to itself.
    pub(super) fn new(nodes: Vec<N>, trees: Vec<(usize, u32)>, features: usize) -> Self {
        let ends = trees.iter().skip(1).map(|(first, _)| *first).chain([nodes.len()]);
        for (&(first, _), end) in trees.iter().zip(ends) {
            for (i, node) in nodes[first..end].iter().enumerate() {
                let (feature, left) = (node.feature() as usize, node.left() as usize);
                let leaf = feature == features && left == i;
                let split = feature < features && left > i && left + 1 < end - first;
                assert!(leaf || split, "node {i} of a compiled tree is broken");
            }
            assert!(first < end, "a compiled tree is empty");
        }
        let tree_bytes = nodes.len() * size_of::<N>() / trees.len().max(1);
        let row_bytes = (features + 1) * size_of::<i32>();
        // The larger the trees, the more rows should share one's way through the cache.
        let block_rows = (BLOCK_BYTES.max(tree_bytes) / row_bytes).clamp(LANES, 4_096) / LANES * LANES;
        let trees = trees.into_iter().map(|(first, depth)| Root { first, depth }).collect();
        Self { nodes, trees, features, block_rows }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<N>() + self.trees.capacity() * size_of::<Root>()
    }

    /// Calls `visit` with the payload of the leaf that one row of keys reaches in each tree, in order.
    ///
    /// # Panics
    /// When `keys` is not one row, ending in [`FLOOR`].
    #[inline(never)]
    pub(super) fn walk_row(&self, keys: &[i32], mut visit: impl FnMut(u32)) {
        assert!(keys.len() == self.features + 1 && keys[self.features] == FLOOR);
        let mut groups = self.trees.chunks_exact(LANES);
        for group in &mut groups {
            let mut bases = [self.nodes.as_ptr(); LANES];
            for (base, root) in bases.iter_mut().zip(group) {
                *base = self.nodes[root.first..].as_ptr();
            }
            // Trees come shallowest first, so the last of the group is its deepest.
            let depth = group[LANES - 1].depth;
            // SAFETY: each base is the first node of a validated tree; `keys` has a value for every column 0..=features.
            unsafe { walk(bases, [keys.as_ptr(); LANES], self.features as u32, depth) }
                .into_iter()
                .for_each(&mut visit);
        }
        for root in groups.remainder() {
            let base = self.nodes[root.first..].as_ptr();
            // SAFETY: as above.
            let [payload] = unsafe { walk([base], [keys.as_ptr()], self.features as u32, root.depth) };
            visit(payload);
        }
    }

    /// Calls `visit` with each row's number and the payload of the leaf it reaches, for every row and tree; tree by tree
    /// within blocks of rows, so that a tree stays in cache while many rows pass through it.
    ///
    /// # Panics
    /// When `keys` is not made of rows that end in [`FLOOR`].
    #[inline(never)]
    pub(super) fn walk_rows(&self, keys: &[i32], mut visit: impl FnMut(usize, u32)) {
        let stride = self.features + 1;
        assert!(keys.len().is_multiple_of(stride) && keys.chunks_exact(stride).all(|row| row[self.features] == FLOOR));
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
                    // SAFETY: as above.
                    let [payload] = unsafe { walk([base], [keys.as_ptr()], self.features as u32, root.depth) };
                    visit(row, payload);
                    row += 1;
                }
            }
        }
    }
}

/// Walks `L` trees or rows side by side and returns the payloads of the leaves they end in.
///
/// # Safety
/// Each base is the first node of a tree that [`Nodes::new`] validated, of at most `depth` levels; each row has
/// `floor + 1` keys, the last one [`FLOOR`].
#[inline(always)]
unsafe fn walk<N: Node, const L: usize>(
    bases: [*const N; L],
    rows: [*const i32; L],
    floor: u32,
    depth: u32,
) -> [u32; L] {
    let mut at = [0_u32; L];
    let mut steps = 0;
    while steps < depth {
        for _ in 0..BURST {
            for lane in 0..L {
                // SAFETY: `at` starts at 0 and then holds a validated child: a split's left or, where the key is
                // greater, its right neighbour, both inside the tree; or a leaf itself, as FLOOR is greater than nothing.
                // Every node's feature is at most `floor`, so the key lies inside the row.
                unsafe {
                    let node = *bases[lane].add(at[lane] as usize);
                    let key = *rows[lane].add(node.feature() as usize);
                    at[lane] = node.left() + u32::from(key > node.payload());
                }
            }
        }
        steps += BURST;
        let mut travelling = 0;
        for lane in 0..L {
            // SAFETY: `at` is inside the tree, see above.
            travelling |= unsafe { *bases[lane].add(at[lane] as usize) }.feature() ^ floor;
        }
        if travelling == 0 {
            break;
        }
    }
    let mut payloads = [0; L];
    for lane in 0..L {
        // SAFETY: `at` is inside the tree, see above.
        payloads[lane] = unsafe { *bases[lane].add(at[lane] as usize) }.payload() as u32;
    }
    payloads
}
