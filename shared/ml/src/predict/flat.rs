//! Forests flattened for speed: breadth-first nodes of eight bytes where they fit, leaves that lead to themselves, so
//! that walks need no branch, and several walks interleaved, so that memory latency overlaps.
//!
//! The layout follows what is known of fast tree evaluation (Asadi, Lin, de Vries, "Runtime Optimizations for Tree-Based
//! Machine Learning Models", IEEE TKDE 2014: predication and vectorised walks over breadth-first nodes).

use super::node::{FLOOR, Node, Packed, Wide, key};
use super::walk::Nodes;
use crate::model::{LEAF, Tree, TreeEnsemble};

/// A compiled [`TreeEnsemble`].
#[derive(Debug)]
pub struct FlatForest {
    nodes: Layout,
    /// Values by leaf for several outputs; empty for one, whose value is in the leaf itself.
    values: Vec<f32>,
    outputs: usize,
    trees: usize,
    features: usize,
}

/// The smallest layout that holds the forest.
#[derive(Debug)]
enum Layout {
    /// Up to 1,022 features and 4 M nodes a tree.
    Narrow(Nodes<Packed<10>>),
    /// Up to 16,382 features and 262,144 nodes a tree.
    Broad(Nodes<Packed<14>>),
    /// Anything.
    Wide(Nodes<Wide>),
}

impl FlatForest {
    /// Compiles an ensemble that has passed [`crate::artifact::check`].
    ///
    /// # Panics
    /// When it has not.
    pub fn compile(ensemble: &TreeEnsemble, features: usize) -> Self {
        let largest = ensemble.trees.iter().map(Tree::len).max().unwrap_or(0);
        let fits = |max_feature: usize, max_node: usize| features <= max_feature && largest <= max_node;
        let mut values = Vec::new();
        let nodes = if fits(Packed::<10>::MAX_FEATURE, Packed::<10>::MAX_NODE) {
            Layout::Narrow(flatten(ensemble, features, &mut values))
        } else if fits(Packed::<14>::MAX_FEATURE, Packed::<14>::MAX_NODE) {
            Layout::Broad(flatten(ensemble, features, &mut values))
        } else {
            Layout::Wide(flatten(ensemble, features, &mut values))
        };
        Self { nodes, values, outputs: ensemble.outputs, trees: ensemble.trees.len(), features }
    }

    /// Means of the trees' leaf values for raw rows that lie one after the other; `keys` is scratch.
    ///
    /// # Panics
    /// When `outputs` doesn't hold as many rows as `raw`.
    pub fn predict(&self, raw: &[f32], keys: &mut Vec<i32>, outputs: &mut [f64]) {
        let rows = raw.len() / self.features;
        assert_eq!(outputs.len(), rows * self.outputs);
        keys.clear();
        keys.reserve(rows * (self.features + 1));
        for row in raw.chunks_exact(self.features) {
            keys.extend(row.iter().map(|value| key(*value)));
            keys.push(FLOOR);
        }
        outputs.fill(0.0);
        match &self.nodes {
            Layout::Narrow(nodes) => self.sum(nodes, keys, outputs),
            Layout::Broad(nodes) => self.sum(nodes, keys, outputs),
            Layout::Wide(nodes) => self.sum(nodes, keys, outputs),
        }
        let trees = self.trees as f64;
        outputs.iter_mut().for_each(|sum| *sum /= trees);
    }

    /// Adds every tree's leaf values up, for every row in the same order of trees, so that a row's answer does not
    /// depend on its company.
    fn sum<N: Node>(&self, nodes: &Nodes<N>, keys: &[i32], outputs: &mut [f64]) {
        let one_row = keys.len() == self.features + 1;
        match (self.outputs, one_row) {
            (1, true) => nodes.walk_row(keys, |payload| outputs[0] += f64::from(f32::from_bits(payload))),
            (1, false) => {
                nodes.walk_rows(keys, |row, payload| outputs[row] += f64::from(f32::from_bits(payload)));
            }
            (k, true) => nodes.walk_row(keys, |payload| add(outputs, self.leaf(payload, k))),
            (k, false) => nodes.walk_rows(keys, |row, payload| {
                add(&mut outputs[row * k..][..k], self.leaf(payload, k));
            }),
        }
    }

    fn leaf(&self, payload: u32, outputs: usize) -> &[f32] {
        &self.values[payload as usize * outputs..][..outputs]
    }

    /// Memory held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let nodes = match &self.nodes {
            Layout::Narrow(nodes) => nodes.memory_bytes(),
            Layout::Broad(nodes) => nodes.memory_bytes(),
            Layout::Wide(nodes) => nodes.memory_bytes(),
        };
        nodes + self.values.capacity() * size_of::<f32>()
    }
}

fn add(sums: &mut [f64], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}

/// Lays all trees out, the shallowest first, so that trees walked together end together.
fn flatten<N: Node>(ensemble: &TreeEnsemble, features: usize, values: &mut Vec<f32>) -> Nodes<N> {
    let mut order: Vec<_> = ensemble.trees.iter().map(|tree| (depth(tree), tree)).collect();
    order.sort_by_key(|(depth, _)| *depth);
    let mut nodes = Vec::with_capacity(ensemble.nodes());
    let mut trees = Vec::with_capacity(order.len());
    for (depth, tree) in order {
        trees.push((nodes.len(), depth));
        flatten_tree(tree, ensemble.outputs, features, &mut nodes, values);
    }
    Nodes::new(nodes, trees, features)
}

/// Appends one tree breadth-first; children come out side by side, as every pair is queued at once.
fn flatten_tree<N: Node>(tree: &Tree, outputs: usize, features: usize, nodes: &mut Vec<N>, values: &mut Vec<f32>) {
    let mut queue = Vec::with_capacity(tree.len());
    queue.push(0_usize);
    let mut next = 0;
    while let Some(&node) = queue.get(next) {
        let (feature, left) = (tree.feature[node], tree.left[node] as usize);
        nodes.push(if feature == LEAF {
            let leaf = &tree.values[left * outputs..][..outputs];
            let payload = match leaf {
                [value] => value.to_bits(),
                several => {
                    let number = values.len() / outputs;
                    values.extend_from_slice(several);
                    number as u32
                }
            };
            N::new(payload as i32, features as u32, next as u32)
        } else {
            let child = queue.len() as u32;
            queue.extend([left, left + 1]);
            N::new(key(tree.threshold[node]), feature, child)
        });
        next += 1;
    }
}

/// Levels below the root. Children lie behind their parents, so one pass forwards sees every parent first.
fn depth(tree: &Tree) -> u32 {
    let mut depths = vec![0_u32; tree.len()];
    let mut deepest = 0;
    for node in (0..tree.len()).filter(|&node| tree.feature[node] != LEAF) {
        let (left, below) = (tree.left[node] as usize, depths[node] + 1);
        (depths[left], depths[left + 1]) = (below, below);
        deepest = deepest.max(below);
    }
    deepest
}
