//! Trees: the operator `TreeEnsembleRegressor` with one target per tree.
//!
//! The operator adds leaf values in `f32`, and the sum of many leaves is then often on the other side of a tie. With a target
//! per tree it adds nothing, and the graph computes the exact sum in `f64`. Raw values and thresholds are `f32` in the model
//! too, so every comparison has the same result.

use prost::bytes::Bytes;

use super::ExportError;
use super::answer::Answer;
use super::columns::RawMatrix;
use super::graph::{Graph, Tensor};
use super::proto::{AttributeProto, DOUBLE, INT64};
use crate::model::{BoostedTrees, LEAF, Response, Tree, TreeEnsemble};

/// The least bytes of a node in the file. The most are about 30.
const NODE_BYTES: usize = 22;
/// The number of trees whose class shares are added at once, which bounds the memory of a call.
const GROUP: usize = 64;
/// Numbers of leaves are exact in `f32` up to here.
const MAX_LEAVES: usize = 1 << 24;

/// A forest or a tree: the mean of the leaf values.
pub(super) fn forest(graph: &mut Graph, raw: &RawMatrix, ensemble: &TreeEnsemble) -> Result<Answer, ExportError> {
    let TreeEnsemble { outputs, trees } = ensemble;
    let sum = if *outputs == 1 {
        let values = leaf_values(graph, raw, trees, |tree, leaf| tree.values[leaf])?;
        let values = graph.cast(&values, DOUBLE);
        graph.sum(&values, 1, true)
    } else {
        let mut sum: Option<Tensor> = None;
        for trees in trees.chunks(GROUP) {
            let of_group = share_sums(graph, raw, trees, *outputs)?;
            sum = Some(match sum {
                Some(sum) => graph.op("Add", &[&sum, &of_group]),
                None => of_group,
            });
        }
        // A valid model has a tree.
        sum.unwrap_or_else(|| graph.doubles(&[1, *outputs], &vec![0.0; *outputs]))
    };
    let count = graph.double(trees.len() as f64);
    Ok(Answer::plain(graph.op("Div", &[&sum, &count])))
}

/// The sums of the class shares of some trees. The operator returns the number of each leaf, and a table has its shares.
fn share_sums(graph: &mut Graph, raw: &RawMatrix, trees: &[Tree], outputs: usize) -> Result<Tensor, ExportError> {
    let values: Vec<f32> = trees.iter().flat_map(|tree| &tree.values).copied().collect();
    graph.reserve(values.len() * size_of::<f32>())?;
    let mut first = 0;
    let firsts: Vec<_> = trees
        .iter()
        .map(|tree| {
            let own = first;
            first += tree.values.len() / outputs;
            own as i64
        })
        .collect();
    if first > MAX_LEAVES {
        return Err(graph.too_large());
    }
    let leaves = leaf_values(graph, raw, trees, |_, leaf| leaf as f32)?;
    let leaves = graph.cast(&leaves, INT64);
    let firsts = graph.ints(&[1, firsts.len()], &firsts);
    let leaves = graph.op("Add", &[&leaves, &firsts]);
    let table = graph.floats(&[values.len() / outputs, outputs], &values);
    let shares = graph.gather(&table, &leaves, 0);
    let shares = graph.cast(&shares, DOUBLE);
    Ok(graph.sum(&shares, 1, false))
}

/// Gradient boosting: the sums of the leaf values of each output, and the link.
pub(super) fn boosting(graph: &mut Graph, raw: &RawMatrix, boosted: &BoostedTrees) -> Result<Answer, ExportError> {
    let BoostedTrees { trees: TreeEnsemble { outputs: _, trees }, response } = boosted;
    let Response { baseline, scale, link } = response;
    let outputs = baseline.len();
    let values = leaf_values(graph, raw, trees, |tree, leaf| tree.values[leaf])?;
    // Tree i belongs to output i % outputs.
    let values = graph.reshape(&values, &[-1, (trees.len() / outputs) as i64, outputs as i64]);
    let values = graph.cast(&values, DOUBLE);
    let sums = graph.sum(&values, 1, false);
    let (scale, baseline) = (graph.double(*scale), graph.doubles(&[1, outputs], baseline));
    let scaled = graph.op("Mul", &[&sums, &scale]);
    let scores = graph.op("Add", &[&baseline, &scaled]);
    Ok(Answer::of_scores(graph, scores, *link))
}

/// One value per tree, as `f32` with the shape [rows, trees]: what `value` returns for the tree and the index of the leaf's
/// values.
fn leaf_values(
    graph: &mut Graph,
    raw: &RawMatrix,
    trees: &[Tree],
    value: impl Fn(&Tree, usize) -> f32,
) -> Result<Tensor, ExportError> {
    let nodes: usize = trees.iter().map(Tree::len).sum();
    graph.reserve(nodes.saturating_mul(NODE_BYTES))?;
    let mut lists = NodeLists::of(nodes);
    for (number, tree) in (0..).zip(trees) {
        lists.push(number, tree, raw, |leaf| value(tree, leaf));
    }
    Ok(graph.ml_op("TreeEnsembleRegressor", &raw.values, lists.attributes(trees.len())))
}

/// The attributes of all nodes, as lists.
#[derive(Default)]
struct NodeLists {
    tree: Vec<i64>,
    node: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f32>,
    mode: Vec<Bytes>,
    if_true: Vec<i64>,
    if_false: Vec<i64>,
    missing_is_true: Vec<i64>,
    leaf_tree: Vec<i64>,
    leaf_node: Vec<i64>,
    leaf_value: Vec<f32>,
}

impl NodeLists {
    /// Empty lists for this number of nodes.
    fn of(nodes: usize) -> Self {
        let ints = || Vec::with_capacity(nodes);
        Self {
            tree: ints(),
            node: ints(),
            feature: ints(),
            threshold: Vec::with_capacity(nodes),
            mode: Vec::with_capacity(nodes),
            if_true: ints(),
            if_false: ints(),
            missing_is_true: ints(),
            ..Self::default()
        }
    }

    fn push(&mut self, number: i64, tree: &Tree, raw: &RawMatrix, value: impl Fn(usize) -> f32) {
        let Tree { feature, threshold, missing_right, left, values: _, cover: _ } = tree;
        for (node, split_feature) in feature.iter().enumerate() {
            self.tree.push(number);
            self.node.push(node as i64);
            if *split_feature == LEAF {
                self.feature.push(0);
                self.threshold.push(0.0);
                self.mode.push(Bytes::from_static(b"LEAF"));
                self.if_true.push(0);
                self.if_false.push(0);
                self.missing_is_true.push(0);
                self.leaf_tree.push(number);
                self.leaf_node.push(node as i64);
                self.leaf_value.push(value(left[node] as usize));
            } else {
                self.feature.push(raw.positions[*split_feature as usize] as i64);
                self.threshold.push(threshold[node]);
                self.mode.push(Bytes::from_static(b"BRANCH_LEQ"));
                self.if_true.push(i64::from(left[node]));
                self.if_false.push(i64::from(left[node]) + 1);
                self.missing_is_true.push(i64::from(!missing_right[node]));
            }
        }
    }

    fn attributes(self, trees: usize) -> Vec<AttributeProto> {
        let ints = AttributeProto::ints;
        vec![
            AttributeProto::int("n_targets", trees as i64),
            ints("nodes_treeids", self.tree),
            ints("nodes_nodeids", self.node),
            ints("nodes_featureids", self.feature),
            AttributeProto::floats("nodes_values", self.threshold),
            AttributeProto::strings("nodes_modes", self.mode),
            ints("nodes_truenodeids", self.if_true),
            ints("nodes_falsenodeids", self.if_false),
            ints("nodes_missing_value_tracks_true", self.missing_is_true),
            ints("target_ids", self.leaf_tree.clone()),
            ints("target_treeids", self.leaf_tree),
            ints("target_nodeids", self.leaf_node),
            AttributeProto::floats("target_weights", self.leaf_value),
        ]
    }
}
