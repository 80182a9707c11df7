//! Compiled forests: breadth-first nodes of four or eight bytes if possible, leaves that point to themselves (so that walks
//! need no branches), and several interleaved walks (to hide memory latency).
//!
//! Based on Asadi, Lin, de Vries, "Runtime Optimizations for Tree-Based Machine Learning Models", IEEE TKDE 2014
//! (predication and vectorized walks over breadth-first nodes).

use std::sync::Arc;

use super::keys::{Encoder, Keys};
use super::node::{Fields, Node, Packed, Ranked, Wide};
use super::shap::{Explainer, WeightedTree};
use super::small::{self, SmallTrees};
use super::walk::Nodes;
use crate::model::{LEAF, Tree, TreeEnsemble};

/// A compiled [`TreeEnsemble`].
#[derive(Debug)]
pub struct FlatForest {
    nodes: Layout,
    encoder: Arc<Encoder>,
    /// Leaf values for several outputs. With one output the payload is the value.
    values: Vec<f32>,
    /// The training weight of each node.
    covers: Vec<f32>,
    outputs: usize,
    trees: usize,
}

/// The smallest layout that fits the forest.
#[derive(Debug)]
enum Layout {
    /// Keys that are ranks, and up to 65,535 nodes per tree; with the trees once more if all are small.
    Ranked(Nodes<Ranked>, Option<SmallTrees>),
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
        let encoder = Encoder::new(ensemble.trees.iter(), features);
        Self::of_trees(ensemble.trees.iter(), ensemble.outputs, Arc::new(encoder))
    }

    /// Compiles trees in their order.
    ///
    /// # Panics
    /// If a tree is invalid, or if the encoder is not that of the trees.
    pub(super) fn of_trees<'a>(trees: impl Iterator<Item = &'a Tree>, outputs: usize, encoder: Arc<Encoder>) -> Self {
        let trees: Vec<&Tree> = trees.collect();
        let largest = trees.iter().map(|tree| tree.len()).max().unwrap_or(0);
        let columns = encoder.columns();
        let fits = |max_column: usize, max_node: usize| columns <= max_column && largest <= max_node;
        let mut covers = Vec::with_capacity(trees.iter().map(|tree| tree.len()).sum());
        let (mut values, count) = (Vec::new(), trees.len());
        let mut data = NodeData { values: &mut values, covers: &mut covers };
        let nodes = if let Encoder::Ranks(_) = *encoder {
            let nodes = flatten(&trees, outputs, &encoder, &mut data);
            let small = if outputs == 1 { SmallTrees::new(&nodes) } else { None };
            Layout::Ranked(nodes, small)
        } else if fits(Packed::<10>::MAX_COLUMN, Packed::<10>::MAX_NODE) {
            Layout::Narrow(flatten(&trees, outputs, &encoder, &mut data))
        } else if fits(Packed::<14>::MAX_COLUMN, Packed::<14>::MAX_NODE) {
            Layout::Broad(flatten(&trees, outputs, &encoder, &mut data))
        } else {
            Layout::Wide(flatten(&trees, outputs, &encoder, &mut data))
        };
        Self { nodes, encoder, values, covers, outputs, trees: count }
    }

    /// Writes the mean leaf values of consecutive raw rows to `outputs`; `keys` is a buffer.
    ///
    /// # Panics
    /// If `outputs` and `raw` have different numbers of rows.
    pub(super) fn predict(&self, raw: &[f32], keys: &mut Keys, outputs: &mut [f64]) {
        assert_eq!(outputs.len(), raw.len() / self.encoder.features() * self.outputs);
        self.encoder.encode(raw, keys);
        outputs.fill(0.0);
        self.add_sums(keys, outputs);
        let trees = self.trees as f64;
        outputs.iter_mut().for_each(|sum| *sum /= trees);
    }

    /// The encoder of the keys.
    pub(super) fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Adds the leaf values of all trees to `outputs`, for rows of keys of [`Self::encoder`]. The order of the trees is the
    /// same for every row, so a prediction does not depend on the other rows.
    pub(super) fn add_sums(&self, keys: &Keys, outputs: &mut [f64]) {
        match &self.nodes {
            Layout::Ranked(nodes, Some(trees)) if outputs.len() >= small::MIN_ROWS => {
                self.sum_blocks(nodes, trees, &keys.ranks, outputs);
            }
            Layout::Ranked(nodes, _) => self.sum(nodes, &keys.ranks, outputs),
            Layout::Narrow(nodes) => self.sum(nodes, &keys.integers, outputs),
            Layout::Broad(nodes) => self.sum(nodes, &keys.integers, outputs),
            Layout::Wide(nodes) => self.sum(nodes, &keys.integers, outputs),
        }
    }

    fn sum<N: Node>(&self, nodes: &Nodes<N>, keys: &[N::Key], outputs: &mut [f64]) {
        let one_row = keys.len() == nodes.columns() + 1;
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

    /// As [`Self::sum`] with one output, for blocks of rows.
    fn sum_blocks(&self, nodes: &Nodes<Ranked>, trees: &SmallTrees, keys: &[u8], outputs: &mut [f64]) {
        let stride = nodes.columns() + 1;
        let mut columns = vec![[0; small::ROWS]; stride];
        for (keys, outputs) in keys.chunks(small::ROWS * stride).zip(outputs.chunks_mut(small::ROWS)) {
            if outputs.len() < small::MIN_ROWS {
                self.sum(nodes, keys, outputs);
                continue;
            }
            for (row, keys) in keys.chunks_exact(stride).enumerate() {
                columns.iter_mut().zip(keys).for_each(|(column, key)| column[row] = *key);
            }
            let mut sums = [0.0; small::ROWS];
            small::add_block(trees, &columns, &mut sums);
            outputs.iter_mut().zip(sums).for_each(|(output, sum)| *output += sum);
        }
    }

    /// Adds the Shapley values of all trees for one output of a raw row. `feature_of` is the feature of each raw value.
    pub(super) fn explain(&self, raw: &[f32], output: usize, feature_of: &[u32], explainer: &mut Explainer) {
        let (mut keys, feature_of) = (Keys::default(), self.encoder.each_column(feature_of));
        self.encoder.encode(raw, &mut keys);
        match &self.nodes {
            Layout::Ranked(nodes, _) => self.explain_nodes(nodes, &keys.ranks, output, &feature_of, explainer),
            Layout::Narrow(nodes) => self.explain_nodes(nodes, &keys.integers, output, &feature_of, explainer),
            Layout::Broad(nodes) => self.explain_nodes(nodes, &keys.integers, output, &feature_of, explainer),
            Layout::Wide(nodes) => self.explain_nodes(nodes, &keys.integers, output, &feature_of, explainer),
        }
    }

    fn explain_nodes<N: Node>(
        &self,
        nodes: &Nodes<N>,
        keys: &[N::Key],
        output: usize,
        feature_of: &[u32],
        explainer: &mut Explainer,
    ) {
        let value = |payload: u32| match self.outputs {
            1 => f64::from(f32::from_bits(payload)),
            outputs => f64::from(self.leaf(payload, outputs)[output]),
        };
        for (range, (nodes, payloads)) in nodes.ranges().zip(nodes.each_tree()) {
            let tree = WeightedTree { nodes, payloads, covers: &self.covers[range], keys, feature_of };
            explainer.add(tree, value);
        }
    }

    /// Number of trees.
    pub(super) fn trees(&self) -> usize {
        self.trees
    }

    /// The depth of the deepest tree.
    pub(super) fn deepest(&self) -> u32 {
        match &self.nodes {
            Layout::Ranked(nodes, _) => nodes.deepest(),
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
            Layout::Ranked(nodes, small) => nodes.memory_bytes() + small.as_ref().map_or(0, SmallTrees::memory_bytes),
            Layout::Narrow(nodes) => nodes.memory_bytes(),
            Layout::Broad(nodes) => nodes.memory_bytes(),
            Layout::Wide(nodes) => nodes.memory_bytes(),
        };
        nodes + self.encoder.memory_bytes() + (self.values.capacity() + self.covers.capacity()) * size_of::<f32>()
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
fn flatten<N: Node>(trees: &[&Tree], outputs: usize, encoder: &Encoder, data: &mut NodeData<'_>) -> Nodes<N> {
    let count = trees.iter().map(|tree| tree.len()).sum();
    let (mut nodes, mut payloads) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut roots = Vec::with_capacity(trees.len());
    for tree in trees {
        roots.push((nodes.len(), depth(tree)));
        flatten_tree(tree, outputs, encoder, data, |fields, payload| {
            nodes.push(N::new(fields));
            payloads.push(payload);
        });
    }
    Nodes::new(nodes, payloads, roots, encoder.columns())
}

/// Calls `push` for the nodes of a tree breadth-first. Both children of a node are queued together, so they are adjacent.
fn flatten_tree(
    tree: &Tree,
    outputs: usize,
    encoder: &Encoder,
    NodeData { values, covers }: &mut NodeData<'_>,
    mut push: impl FnMut(Fields, u32),
) {
    let mut queue = Vec::with_capacity(tree.len());
    queue.push(0_usize);
    let mut next = 0;
    while let Some(&node) = queue.get(next) {
        let (feature, left) = (tree.feature[node], tree.left[node] as usize);
        covers.push(tree.cover[node]);
        if feature == LEAF {
            let leaf = &tree.values[left * outputs..][..outputs];
            let payload = match leaf {
                [value] => value.to_bits(),
                several => {
                    let number = values.len() / outputs;
                    values.extend_from_slice(several);
                    number as u32
                }
            };
            let column = encoder.columns() as u32;
            push(Fields { threshold: 0, column, missing_right: false, left: next as u32 }, payload);
        } else {
            let child = queue.len() as u32;
            queue.extend([left, left + 1]);
            push(encoder.split(feature, tree.threshold[node], tree.missing_right[node], child), 0);
        }
        next += 1;
    }
}

/// The depth of a tree. Children come after their parents, so one pass is sufficient.
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
