//! A decision tree by linfa-trees, converted to [`Tree`] with class distributions in the leaves.
//!
//! linfa-trees 0.8 trains one node at a time: each split is a linfa tree of depth 1 on the rows of the node, with
//! values replaced by their ranks. The search and the impurity measures are linfa's. This avoids four problems of
//! linfa's own trees:
//!
//! * linfa misses splits between tied values if the last tied row is outside the node, and splits of gaps below 1e-5.
//!   With ranks of the node's rows, ties are complete and gaps are 1.
//! * linfa uses `value <= threshold` in training and `value < threshold` in prediction. Thresholds between ranks equal
//!   no value.
//! * linfa has no missing values. They get rank 0, below all others, and in a second column the highest rank, so that
//!   both sides are tried. In a node without missing values they go to the side with more rows.
//! * linfa's leaves have only the most frequent class. Here the leaves count the training rows.
//!
//! linfa sums class shares in the random order of a hash map. With two classes the result is exact. With more classes
//! the last bits of a score can differ between runs, and so can the tree. Multiclass trees are therefore grown by
//! [`crate::forest`], as one tree on all rows and features.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_trees::{DecisionTree, SplitQuality};
use ndarray::{Array1, Array2};

use crate::error::TrainError;
use crate::forest::Criterion;
use crate::metrics::importances::normalise;
use crate::model::{NodeSplit, Tree, TreeEnsemble};
use crate::progress::Progress;

/// Parameters of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Maximum depth of a leaf; the root has depth 0.
    pub max_depth: Option<usize>,
    /// Minimum number of rows in a node that may be split.
    pub min_samples_split: u32,
    /// Minimum number of rows on each side of a split.
    pub min_samples_leaf: u32,
    /// Split criterion.
    pub criterion: Criterion,
}

/// A split of a node.
struct Found {
    feature: usize,
    threshold: f32,
    /// Whether missing values go right; `None` if the node has none.
    missing_right: Option<bool>,
    /// The impurity decrease.
    decrease: f64,
}

/// Trains a binary decision tree on raw columns (NaN is missing) and computes normalized feature importances.
pub(crate) fn fit(
    raw: &[Vec<f32>],
    classes: &[u32],
    options: &Options,
    progress: &Progress<'_>,
) -> Result<(TreeEnsemble, Vec<f64>), TrainError> {
    let mut tree = Tree::default();
    let mut importances = vec![0.0; raw.len()];
    tree.push_empty_leaf(classes.len() as f32);
    let mut finished_rows = 0;
    let mut open = vec![(0, 0, (0..classes.len()).collect::<Vec<usize>>())];
    while let Some((node, depth, rows)) = open.pop() {
        let may_split = options.max_depth.is_none_or(|max| depth < max);
        let Some(split) = (if may_split { best_split(raw, classes, &rows, options)? } else { None }) else {
            let positive = rows.iter().filter(|row| classes[**row] == 1).count();
            tree.set_values(node, &[(positive as f64 / rows.len() as f64) as f32]);
            finished_rows += rows.len();
            progress.at(finished_rows as f64 / classes.len() as f64)?;
            continue;
        };
        progress.check()?;
        importances[split.feature] += split.decrease * rows.len() as f64;
        let goes_left = |row: &usize| match raw[split.feature][*row] {
            value if value.is_nan() => split.missing_right == Some(false),
            value => value <= split.threshold,
        };
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(goes_left);
        let missing_right = split.missing_right.unwrap_or(right.len() > left.len());
        let covers = [left.len(), right.len()].map(|rows| rows as f32);
        let split = NodeSplit { feature: split.feature as u32, threshold: split.threshold, missing_right, covers };
        let children = tree.split(node, split);
        open.push((children + 1, depth + 1, right));
        open.push((children, depth + 1, left));
    }
    normalise(&mut importances);
    Ok((TreeEnsemble { outputs: 1, trees: vec![tree] }, importances))
}

/// The best split according to linfa, if any.
fn best_split(
    raw: &[Vec<f32>],
    classes: &[u32],
    rows: &[usize],
    options: &Options,
) -> Result<Option<Found>, TrainError> {
    let is_pure = rows.iter().all(|row| classes[*row] == classes[rows[0]]);
    if is_pure || rows.len() < options.min_samples_split.max(2) as usize {
        return Ok(None);
    }
    let columns: Vec<(usize, Option<bool>)> = (0..raw.len())
        .flat_map(|feature| {
            let has_missing = rows.iter().any(|row| raw[feature][*row].is_nan());
            let sides: &[_] = if has_missing { &[Some(false), Some(true)] } else { &[None] };
            sides.iter().map(move |missing_right| (feature, *missing_right))
        })
        .collect();
    let mut ranks = Array2::<f32>::zeros((rows.len(), columns.len()));
    for ((feature, missing_right), mut ranks) in columns.iter().zip(ranks.columns_mut()) {
        let distinct = distinct(&raw[*feature], rows);
        let of_missing = if *missing_right == Some(true) { distinct.len() + 1 } else { 0 };
        for (row, rank) in rows.iter().zip(&mut ranks) {
            let value = raw[*feature][*row];
            *rank = if value.is_nan() { of_missing } else { rank_of(value, &distinct) } as f32;
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
        .map_err(|error| TrainError::bad_params(format!("the decision tree could not be trained: {error}")))?;
    // linfa prunes a split whose sides have the same most frequent class, but keeps its values in the node. Such a
    // split is used, because the class shares differ. A node without a split has no decrease.
    let (column, boundary, decrease) = stump.root_node().split();
    if decrease <= 0.0 {
        return Ok(None);
    }
    let (feature, missing_right) = columns[column];
    let distinct = distinct(&raw[feature], rows);
    // Below and above all numbers only missing values are split off.
    let threshold = match boundary.floor() as usize {
        0 => f32::MIN,
        rank if rank == distinct.len() => f32::MAX,
        rank => crate::bins::midpoint(distinct[rank - 1], distinct[rank]),
    };
    Ok(Some(Found { feature, threshold, missing_right, decrease: f64::from(decrease) }))
}

/// The distinct values of the rows, ascending, without missing values.
fn distinct(column: &[f32], rows: &[usize]) -> Vec<f32> {
    let mut values: Vec<f32> = rows.iter().map(|row| column[*row]).filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup();
    values
}

/// The rank of a value, from 1.
fn rank_of(value: f32, distinct: &[f32]) -> usize {
    distinct.partition_point(|other| *other < value) + 1
}

#[cfg(test)]
mod tests;
