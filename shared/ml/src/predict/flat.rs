//! Compiled forests: breadth-first nodes of eight bytes if possible, leaves that point to themselves (so that walks
//! need no branches), and several interleaved walks (to hide memory latency).
//!
//! Based on Asadi, Lin, de Vries, "Runtime Optimizations for Tree-Based Machine Learning Models", IEEE TKDE 2014
//! (predication and vectorized walks over breadth-first nodes).

use super::node::{Fields, MISSING_KEY, Node, Packed, Wide, key};
use super::shap::{Explainer, WeightedTree};
use super::walk::Nodes;
use crate::model::{LEAF, Tree, TreeEnsemble};

/// A compiled [`TreeEnsemble`].
#[derive(Debug)]
pub struct FlatForest {
    nodes: Layout,
    /// Leaf values for several outputs. With one output the node contains the value.
    values: Vec<f32>,
    /// The training weight of each node.
    covers: Vec<f32>,
    outputs: usize,
    trees: usize,
    features: usize,
}

/// The smallest layout that fits the forest.
#[derive(Debug)]
enum Layout {
    /// Up to 1,023 features and 2 M nodes per tree.
    Narrow(Nodes<Packed<10>>),
    /// Up to 16,383 features and 131,071 nodes per tree.
    Broad(Nodes<Packed<14>>),
    /// Any size.
    Wide(Nodes<Wide>),
}

impl FlatForest {
    /// Compiles an ensemble that is valid according to [`crate::artifact::check`].
    ///
    /// # Panics
    /// If the ensemble is invalid.
    pub fn compile(ensemble: &TreeEnsemble, features: usize) -> Self {
        // By ascending depth, so that trees that are walked together have similar depths.
        let mut order: Vec<_> = ensemble.trees.iter().map(|tree| (depth(tree), tree)).collect();
        order.sort_by_key(|(depth, _)| *depth);
        Self::of_trees(order, ensemble.outputs, features)
    }

    /// Compiles trees in their order.
    ///
    /// # Panics
    /// If a tree is invalid.
    pub(super) fn of_trees(trees: Vec<(u32, &Tree)>, outputs: usize, features: usize) -> Self {
        let largest = trees.iter().map(|(_, tree)| tree.len()).max().unwrap_or(0);
        let fits = |max_feature: usize, max_node: usize| features <= max_feature && largest <= max_node;
        let mut covers = Vec::with_capacity(trees.iter().map(|(_, tree)| tree.len()).sum());
        let (mut values, count) = (Vec::new(), trees.len());
        let mut data = NodeData { values: &mut values, covers: &mut covers };
        let nodes = if fits(Packed::<10>::MAX_FEATURE, Packed::<10>::MAX_NODE) {
            Layout::Narrow(flatten(trees, outputs, features, &mut data))
        } else if fits(Packed::<14>::MAX_FEATURE, Packed::<14>::MAX_NODE) {
            Layout::Broad(flatten(trees, outputs, features, &mut data))
        } else {
            Layout::Wide(flatten(trees, outputs, features, &mut data))
        };
        Self { nodes, values, covers, outputs, trees: count, features }
    }

    /// Writes the mean leaf values of consecutive raw rows to `outputs`; `keys` is a buffer.
    ///
    /// # Panics
    /// If `outputs` and `raw` have different numbers of rows.
    pub fn predict(&self, raw: &[f32], keys: &mut Vec<u32>, outputs: &mut [f64]) {
        assert_eq!(outputs.len(), raw.len() / self.features * self.outputs);
        encode_keys(raw, self.features, keys);
        outputs.fill(0.0);
        self.add_sums(keys, outputs);
        let trees = self.trees as f64;
        outputs.iter_mut().for_each(|sum| *sum /= trees);
    }

    /// Adds the leaf values of all trees to `outputs`, for rows of keys ([`encode_keys`]). The order of the trees is the
    /// same for every row, so a prediction does not depend on the other rows.
    pub(super) fn add_sums(&self, keys: &[u32], outputs: &mut [f64]) {
        match &self.nodes {
            Layout::Narrow(nodes) => self.sum(nodes, keys, outputs),
            Layout::Broad(nodes) => self.sum(nodes, keys, outputs),
            Layout::Wide(nodes) => self.sum(nodes, keys, outputs),
        }
    }

    fn sum<N: Node>(&self, nodes: &Nodes<N>, keys: &[u32], outputs: &mut [f64]) {
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

    /// Adds the Shapley values of all trees for one output.
    pub(super) fn explain(&self, output: usize, explainer: &mut Explainer<'_>) {
        match &self.nodes {
            Layout::Narrow(nodes) => self.explain_nodes(nodes, output, explainer),
            Layout::Broad(nodes) => self.explain_nodes(nodes, output, explainer),
            Layout::Wide(nodes) => self.explain_nodes(nodes, output, explainer),
        }
    }

    fn explain_nodes<N: Node>(&self, nodes: &Nodes<N>, output: usize, explainer: &mut Explainer<'_>) {
        let value = |payload: u32| match self.outputs {
            1 => f64::from(f32::from_bits(payload)),
            outputs => f64::from(self.leaf(payload, outputs)[output]),
        };
        for (range, nodes) in nodes.each_tree() {
            explainer.add(WeightedTree { nodes, covers: &self.covers[range], leaf: self.features as u32 }, value);
        }
    }

    /// Number of trees.
    pub(super) fn trees(&self) -> usize {
        self.trees
    }

    /// The depth of the deepest tree.
    pub(super) fn deepest(&self) -> u32 {
        match &self.nodes {
            Layout::Narrow(nodes) => nodes.deepest(),
            Layout::Broad(nodes) => nodes.deepest(),
            Layout::Wide(nodes) => nodes.deepest(),
        }
    }

    fn leaf(&self, payload: u32, outputs: usize) -> &[f32] {
        &self.values[payload as usize * outputs..][..outputs]
    }

    /// Memory size in bytes.
    pub fn memory_bytes(&self) -> usize {
        let nodes = match &self.nodes {
            Layout::Narrow(nodes) => nodes.memory_bytes(),
            Layout::Broad(nodes) => nodes.memory_bytes(),
            Layout::Wide(nodes) => nodes.memory_bytes(),
        };
        nodes + (self.values.capacity() + self.covers.capacity()) * size_of::<f32>()
    }
}

/// Replaces `keys` by the keys of raw rows, each row followed by the key of leaves, which point to themselves.
pub(super) fn encode_keys(raw: &[f32], features: usize, keys: &mut Vec<u32>) {
    keys.clear();
    keys.reserve(raw.len() / features * (features + 1));
    for row in raw.chunks_exact(features) {
        keys.extend(row.iter().map(|value| key(*value)));
        keys.push(MISSING_KEY);
    }
}

fn add(sums: &mut [f64], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}

/// What the nodes do not contain.
struct NodeData<'a> {
    /// [`FlatForest::values`]
    values: &'a mut Vec<f32>,
    /// [`FlatForest::covers`]
    covers: &'a mut Vec<f32>,
}

/// Lays out all trees in their order.
fn flatten<N: Node>(trees: Vec<(u32, &Tree)>, outputs: usize, features: usize, data: &mut NodeData<'_>) -> Nodes<N> {
    let mut nodes = Vec::with_capacity(trees.iter().map(|(_, tree)| tree.len()).sum());
    let mut roots = Vec::with_capacity(trees.len());
    for (depth, tree) in trees {
        roots.push((nodes.len(), depth));
        flatten_tree(tree, outputs, features, &mut nodes, data);
    }
    Nodes::new(nodes, roots, features)
}

/// Appends a tree breadth-first. Both children of a node are queued together, so they are adjacent.
fn flatten_tree<N: Node>(
    tree: &Tree,
    outputs: usize,
    features: usize,
    nodes: &mut Vec<N>,
    NodeData { values, covers }: &mut NodeData<'_>,
) {
    let mut queue = Vec::with_capacity(tree.len());
    queue.push(0_usize);
    let mut next = 0;
    while let Some(&node) = queue.get(next) {
        let (feature, left) = (tree.feature[node], tree.left[node] as usize);
        covers.push(tree.cover[node]);
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
            N::new(Fields { payload, feature: features as u32, missing_right: false, left: next as u32 })
        } else {
            let (child, missing_right) = (queue.len() as u32, tree.missing_right[node]);
            queue.extend([left, left + 1]);
            let payload = key(tree.threshold[node]) - u32::from(missing_right);
            N::new(Fields { payload, feature, missing_right, left: child })
        });
        next += 1;
    }
}

/// The depth of a tree. Children come after their parents, so one pass is sufficient.
pub(super) fn depth(tree: &Tree) -> u32 {
    let mut depths = vec![0_u32; tree.len()];
    let mut deepest = 0;
    for node in (0..tree.len()).filter(|&node| tree.feature[node] != LEAF) {
        let (left, below) = (tree.left[node] as usize, depths[node] + 1);
        (depths[left], depths[left + 1]) = (below, below);
        deepest = deepest.max(below);
    }
    deepest
}
