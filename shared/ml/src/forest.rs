//! Forests of histogram trees on binned columns, trained in parallel: random forests (Breiman 2001), and extremely
//! randomized trees with random thresholds (Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning
//! 2006).
//!
//! The result depends only on data, parameters and seed, not on the number of threads: each tree has its own random
//! stream, and shared sums do not depend on the order of additions. Training runs in the current rayon pool. A split
//! tries missing values (NaN) on both sides; [`grow::UnknownSide`] decides for nodes without missing values.
//!
//! Two interfaces: [`RandomForestParams`] implements linfa's traits (`Fit`, `Predict`, `ParamGuard`); [`crate::train`]
//! calls the functions below with a progress callback.

mod binary;
mod bins;
mod bootstrap;
mod classes;
mod grow;
mod linfa_api;
mod numbers;
mod out_of_bag;
mod params;
mod random_split;
mod saved;
mod shrinkage;
mod target;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use crate::checkpoint::Checkpoints;
use crate::metrics;
use crate::model::TreeEnsemble;
use crate::rng::{Rng, Stream};
use binary::BinaryTarget;
use classes::ClassTarget;
use grow::{GrownTree, Limits, UnknownSide, grow};
use numbers::NumberTarget;
use out_of_bag::OutOfBag;
use target::Target;

pub(crate) use bins::{Binned, RowGroups};
pub use classes::Criterion;
pub use linfa_api::{ForestClassifier, ForestRegressor};
pub use params::{ClassWeight, Classes, MaxFeatures, Numbers, RandomForestParams, RandomForestValidParams, Thresholds};

/// A trained forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// The trees.
    pub trees: TreeEnsemble,
    /// Impurity decrease per column, normalized to a sum of 1; all zero if no tree has a split.
    pub importances: Vec<f64>,
    /// Out-of-bag accuracy (classification) or R² (regression). `None` without bootstrap, or if every tree was trained
    /// on every row.
    pub out_of_bag_score: Option<f64>,
}

/// Computes the out-of-bag score of the trees grown so far. While other trees grow, the score is approximate.
pub(crate) type Score<'a> = &'a dyn Fn() -> Option<f64>;

/// Called after each tree with the number of finished trees and their score. `false` stops the training.
pub(crate) type OnTree<'a> = &'a (dyn Fn(usize, Score<'_>) -> bool + Sync);

/// Trains a classifier: a class index below `n_classes` per row of `binned`. `None` if `on_tree` stopped the training.
pub(crate) fn fit_classes(
    binned: &Binned,
    classes: &[u32],
    n_classes: usize,
    params: &RandomForestValidParams<Classes>,
    checkpoints: Option<&Checkpoints<'_>>,
    on_tree: OnTree<'_>,
) -> Option<Forest> {
    let weights = params.class_weight().weights(classes, n_classes);
    let score = |out_of_bag: &OutOfBag| {
        let out_of_bag = out_of_bag.total();
        let predictions = (0..binned.rows()).filter_map(|row| Some((out_of_bag.class(row)?, classes[row] as usize)));
        let (right, all) = predictions
            .fold((0, 0), |(right, all), (predicted, actual)| (right + u32::from(predicted == actual), all + 1));
        (all > 0).then(|| f64::from(right) / f64::from(all))
    };
    let (mut forest, out_of_bag) = match (weights.as_slice(), params.criterion()) {
        ([negative, positive], Criterion::Gini) => {
            let target = BinaryTarget { classes, weights: [*negative, *positive] };
            grow_all(binned, &target, (1, 1.0), params, (&score, checkpoints, on_tree))?
        }
        (weights, criterion) => {
            let target = ClassTarget { classes, weights, criterion };
            let (mut forest, out_of_bag) =
                grow_all(binned, &target, (n_classes, 1.0), params, (&score, checkpoints, on_tree))?;
            if n_classes == 2 {
                keep_positive_probability(&mut forest.trees);
            }
            (forest, out_of_bag)
        }
    };
    forest.out_of_bag_score = out_of_bag.as_ref().and_then(score);
    Some(forest)
}

/// Trains a regressor: a finite target per row of `binned`. `None` if `on_tree` stopped the training.
pub(crate) fn fit_numbers(
    binned: &Binned,
    targets: &[f64],
    params: &RandomForestValidParams<Numbers>,
    checkpoints: Option<&Checkpoints<'_>>,
    on_tree: OnTree<'_>,
) -> Option<Forest> {
    let bound = targets.iter().fold(0.0_f64, |bound, target| bound.max(target.abs()));
    let score = |out_of_bag: &OutOfBag| {
        let out_of_bag = out_of_bag.total();
        let predictions = (0..binned.rows()).filter_map(|row| Some((targets[row], out_of_bag.number(row)?)));
        let (actual, predicted): (Vec<f64>, Vec<f64>) = predictions.unzip();
        metrics::regression::r2(&actual, &predicted)
    };
    let (mut forest, out_of_bag) =
        grow_all(binned, &NumberTarget::new(targets), (1, bound), params, (&score, checkpoints, on_tree))?;
    forest.out_of_bag_score = out_of_bag.as_ref().and_then(score);
    Some(forest)
}

/// Grows all trees. `outputs` is the number of values per leaf and the bound of their absolute value.
fn grow_all<T: Target, K: Sync>(
    binned: &Binned,
    target: &T,
    (outputs, bound): (usize, f64),
    params: &RandomForestValidParams<K>,
    (score, checkpoints, on_tree): (&(impl Fn(&OutOfBag) -> Option<f64> + Sync), Option<&Checkpoints<'_>>, OnTree<'_>),
) -> Option<(Forest, Option<OutOfBag>)> {
    let rows = binned.rows();
    let limits = Limits {
        max_depth: params.max_depth().unwrap_or(usize::MAX),
        min_split: params.min_samples_split(),
        min_leaf: params.min_samples_leaf(),
        features: params.max_features().of(binned.features()),
        thresholds: params.thresholds(),
        shrinkage: params.shrinkage(),
        missing: if params.n_trees() == 1 { UnknownSide::Heavier } else { UnknownSide::Drawn },
    };
    let out_of_bag = params.bootstrap().then(|| OutOfBag::new(rows, outputs, bound));
    // The rows of a tree, and its random numbers after their draw.
    let draw = |index: usize| {
        let mut rng = Rng::new(params.seed(), Stream::Tree(index as u64));
        let counts = bootstrap::counts(rows, params.bootstrap(), &mut rng);
        let bins = binned.tree(index);
        let mut draw = bootstrap::draw(target, &counts, binned.copies());
        draw.out_of_bag_rows.retain(|row| bins.is_independent_of(*row));
        (bins, draw, rng)
    };
    let trees = match checkpoints {
        Some(checkpoints) => saved::restore(checkpoints, binned, params.n_trees(), outputs),
        None => (0..params.n_trees()).map(|_| OnceLock::new()).collect(),
    };
    if let Some(out_of_bag) = &out_of_bag {
        trees.par_iter().enumerate().with_max_len(1).for_each(|(index, tree)| {
            if let Some(GrownTree { tree, .. }) = tree.get() {
                let (bins, draw, _) = draw(index);
                saved::add_out_of_bag(&bins, tree, &draw.out_of_bag_rows, out_of_bag);
            }
        });
    }
    let restored = trees.iter().filter(|tree| tree.get().is_some()).count();
    let progress = Progress { done: Mutex::new(restored), stopped: AtomicBool::new(false), on_tree };
    let grow_one = |index: usize| -> Option<()> {
        if trees[index].get().is_some() {
            return Some(());
        }
        progress.continues().then_some(())?;
        let (bins, draw, mut rng) = draw(index);
        // Not set before: each index is grown once.
        let _ = trees[index].set(grow(&bins, target, limits, draw, out_of_bag.as_ref(), &mut rng));
        if let Some(checkpoints) = checkpoints {
            saved::save_if_due(checkpoints, &trees);
        }
        progress.tree_done(&|| out_of_bag.as_ref().and_then(score));
        Some(())
    };
    let all = (0..params.n_trees()).into_par_iter().with_max_len(1).try_for_each(grow_one);
    // A run that was cancelled after the last check still saves the trees that have grown since.
    if let (None, Some(checkpoints)) = (all, checkpoints) {
        saved::save_if_due(checkpoints, &trees);
    }
    all?;
    let grown = trees.into_iter().map(OnceLock::into_inner).collect::<Option<Vec<GrownTree>>>()?;
    let importances = mean_importances(&grown, binned.columns());
    let trees = TreeEnsemble { outputs, trees: grown.into_iter().map(|grown| grown.tree).collect() };
    Some((Forest { trees, importances, out_of_bag_score: None }, out_of_bag))
}

/// Counts finished trees and stores the stop request.
struct Progress<'a> {
    done: Mutex<usize>,
    stopped: AtomicBool,
    on_tree: OnTree<'a>,
}

impl Progress<'_> {
    fn continues(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    fn tree_done(&self, score: Score<'_>) {
        // Locked during the callback, so that progress is reported in order.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        if !(self.on_tree)(*done, score) {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }
}

/// The mean over all trees with a split; the sum is 1.
fn mean_importances(grown: &[GrownTree], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for grown in grown {
        for (sum, importance) in sums.iter_mut().zip(&grown.importances) {
            *sum += importance;
        }
    }
    metrics::importances::normalise(&mut sums);
    sums
}

/// Replaces the two class probabilities of each leaf by that of the positive class.
fn keep_positive_probability(trees: &mut TreeEnsemble) {
    trees.outputs = 1;
    for tree in &mut trees.trees {
        tree.values = tree.values.chunks_exact(2).map(|shares| shares[1]).collect();
    }
}

#[cfg(test)]
mod tests;
