//! One decision tree by linfa-trees, turned into our own tree with whole class distributions in the leaves.
//!
//! linfa-trees 0.8 is driven a node at a time: each split is a linfa tree of depth 1, fitted on the rows of that node
//! alone, with every value replaced by its rank among them. That keeps what is linfa's (the search and its impurity
//! measures) and avoids what would make a poor or a different model at serving:
//!
//! * a linfa tree misses splits between tied values when the last of the tied rows is not in the node, and does not see
//!   features whose gaps are under 1e-5: on its own rows and ranks, ties are whole and gaps are 1;
//! * it sends `value <= threshold` left when fitting and `value < threshold` when predicting: thresholds between ranks
//!   equal no value, and ours lie between the values on both sides;
//! * it can't hold missing values: they get rank 0, below all others, which is our "missing goes left";
//! * its leaves keep the most frequent class only: ours count the training rows that end in them.
//!
//! It adds up class shares in the order of a hash map with random keys. For two classes that is harmless, a sum of two
//! being the same either way round; for more, the last bits of a score differ between fits, and so may the tree. Trees
//! of several classes are therefore grown by [`crate::forest`], as one tree on all rows and features.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_trees::{DecisionTree, SplitQuality};
use ndarray::{Array1, Array2};

use crate::forest::Criterion;
use crate::metrics::importances::normalise;
use crate::model::{LEAF, Tree, TreeEnsemble};
use crate::train::{Progress, TrainError};

/// What a job may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Deepest level of a leaf; the root is level 0.
    pub max_depth: Option<usize>,
    /// Fewest rows in a node that may be split.
    pub min_samples_split: u32,
    /// Fewest rows on either side of a split.
    pub min_samples_leaf: u32,
    /// What a split minimises.
    pub criterion: Criterion,
}

/// A split of a node's rows.
struct Split {
    feature: usize,
    threshold: f32,
    /// Impurity before less impurity after.
    decrease: f64,
}

/// Grows a tree for two classes on raw columns (NaN: missing); also returns each feature's share of the impurity
/// decrease.
pub(crate) fn fit(
    raw: &[Vec<f32>],
    classes: &[u32],
    options: &Options,
    progress: &Progress<'_>,
) -> Result<(TreeEnsemble, Vec<f64>), TrainError> {
    let mut tree = Tree::default();
    let mut importances = vec![0.0; raw.len()];
    let mut leaves = 0;
    tree.push_split(LEAF, 0.0, 0);
    let mut settled = 0;
    let mut open = vec![(0, 0, (0..classes.len()).collect::<Vec<usize>>())];
    while let Some((node, depth, rows)) = open.pop() {
        let may_split = options.max_depth.is_none_or(|max| depth < max);
        let Some(split) = (if may_split { best_split(raw, classes, &rows, options)? } else { None }) else {
            let positive = rows.iter().filter(|row| classes[**row] == 1).count();
            tree.values.push((positive as f64 / rows.len() as f64) as f32);
            tree.left[node] = leaves;
            leaves += 1;
            settled += rows.len();
            progress.at(settled as f64 / classes.len() as f64)?;
            continue;
        };
        progress.check()?;
        importances[split.feature] += split.decrease * rows.len() as f64;
        let column = &raw[split.feature];
        let (left, right): (Vec<usize>, Vec<usize>) =
            rows.into_iter().partition(|row| column[*row].is_nan() || column[*row] <= split.threshold);
        let children = tree.len();
        tree.feature[node] = split.feature as u32;
        tree.threshold[node] = split.threshold;
        tree.left[node] = children as u32;
        tree.push_split(LEAF, 0.0, 0);
        tree.push_split(LEAF, 0.0, 0);
        open.push((children + 1, depth + 1, right));
        open.push((children, depth + 1, left));
    }
    normalise(&mut importances);
    Ok((TreeEnsemble { outputs: 1, trees: vec![tree] }, importances))
}

/// The split that linfa takes for a tree of one level on these rows, if it takes any.
fn best_split(
    raw: &[Vec<f32>],
    classes: &[u32],
    rows: &[usize],
    options: &Options,
) -> Result<Option<Split>, TrainError> {
    let is_pure = rows.iter().all(|row| classes[*row] == classes[rows[0]]);
    if is_pure || rows.len() < options.min_samples_split.max(2) as usize {
        return Ok(None);
    }
    let mut ranks = Array2::<f32>::zeros((rows.len(), raw.len()));
    for (column, mut ranks) in raw.iter().zip(ranks.columns_mut()) {
        let distinct = distinct(column, rows);
        for (row, rank) in rows.iter().zip(&mut ranks) {
            *rank = rank_of(column[*row], &distinct) as f32;
        }
    }
    let targets: Array1<bool> = rows.iter().map(|row| classes[*row] == 1).collect();
    let stump = DecisionTree::<f32, bool>::params()
        .max_depth(Some(1))
        .min_weight_split(options.min_samples_split as f32)
        .min_weight_leaf(options.min_samples_leaf as f32)
        .split_quality(match options.criterion {
            Criterion::Gini => SplitQuality::Gini,
            Criterion::Entropy => SplitQuality::Entropy,
        })
        .fit(&DatasetBase::new(ranks, targets))
        .map_err(|error| TrainError::bad_params(format!("the decision tree can't be grown: {error}")))?;
    // linfa prunes a split whose sides have the same most frequent class, but leaves what it was in the node. The sides
    // still differ in their shares, which is what we want of them; a node that found no split has no decrease.
    let (feature, boundary, decrease) = stump.root_node().split();
    if decrease <= 0.0 {
        return Ok(None);
    }
    let distinct = distinct(&raw[feature], rows);
    let threshold = match boundary.floor() as usize {
        0 => f32::MIN,
        rank => crate::forest::between(distinct[rank - 1], distinct[rank]),
    };
    Ok(Some(Split { feature, threshold, decrease: f64::from(decrease) }))
}

/// The rows' distinct values, ascending; missing left out. The least finite number counts as missing, so that "missing or
/// not" has a threshold.
fn distinct(column: &[f32], rows: &[usize]) -> Vec<f32> {
    let mut values: Vec<f32> = rows.iter().map(|row| column[*row]).filter(|value| *value > f32::MIN).collect();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup();
    values
}

/// 0 for a missing value, else 1 and up.
fn rank_of(value: f32, distinct: &[f32]) -> usize {
    if value > f32::MIN { distinct.partition_point(|other| *other < value) + 1 } else { 0 }
}

#[cfg(test)]
mod tests;
