//! The native random forest: bagged histogram trees (Breiman 2001) on columns binned once, parallel over trees.
//!
//! What it grows depends on the data, the parameters and the seed alone, never on the number of threads: each tree has
//! its own random stream, and what trees have in common is added up in an order-free way. Work runs in rayon's current
//! pool. Missing values (NaN) go left at every split.
//!
//! Two ways in: [`RandomForestParams`] speaks linfa's language (`Fit`, `Predict`, `ParamGuard`) and suits any linfa
//! user; [`crate::train`] comes in below it with a progress callback.

mod binary;
mod bins;
mod bootstrap;
mod classes;
mod grow;
mod linfa_api;
mod numbers;
mod out_of_bag;
mod params;
mod target;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::metrics;
use crate::model::TreeEnsemble;
use crate::rng::{Rng, Stream};
use binary::BinaryTarget;
use classes::ClassTarget;
use grow::{Grown, Limits, grow};
use numbers::NumberTarget;
use out_of_bag::OutOfBag;
use target::Target;

pub(crate) use bins::{Binned, between};
pub use classes::Criterion;
pub use linfa_api::{ForestClassifier, ForestRegressor};
pub use params::{ClassWeight, Classes, MaxFeatures, Numbers, RandomForestParams, RandomForestValidParams};

/// A grown forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// The trees.
    pub trees: TreeEnsemble,
    /// Impurity decrease per feature; adds up to 1 unless no tree could split.
    pub importances: Vec<f64>,
    /// Accuracy (classes) or R² (numbers) of the answers that trees give for rows they were not grown on; `None`
    /// without bootstrap, or when every row was drawn by every tree.
    pub out_of_bag_score: Option<f64>,
}

/// Works out the out-of-bag score of the trees grown so far; `None` where there is none. While others grow it is a
/// glimpse, which may count part of their answers.
pub(crate) type Score<'a> = &'a dyn Fn() -> Option<f64>;

/// Called after each tree with the number of trees done, and the way to their score; `false` stops the growing.
pub(crate) type OnTree<'a> = &'a (dyn Fn(usize, Score<'_>) -> bool + Sync);

/// Grows a forest of classes: a class index below `n_classes` per row of `binned`. `None` when it was stopped.
pub(crate) fn fit_classes(
    binned: &Binned,
    classes: &[u32],
    n_classes: usize,
    params: &RandomForestValidParams<Classes>,
    on_tree: OnTree<'_>,
) -> Option<Forest> {
    let weights = params.class_weight().weights(classes, n_classes);
    let score = |out_of_bag: &OutOfBag| {
        let answers = (0..binned.rows()).filter_map(|row| Some((out_of_bag.class(row)?, classes[row] as usize)));
        let (right, all) = answers.fold((0, 0), |(right, all), (said, is)| (right + u32::from(said == is), all + 1));
        (all > 0).then(|| f64::from(right) / f64::from(all))
    };
    let (mut forest, out_of_bag) = match (weights.as_slice(), params.criterion()) {
        ([negative, positive], Criterion::Gini) => {
            let target = BinaryTarget { classes, weights: [*negative, *positive] };
            grow_all(binned, &target, (1, 1.0), params, &score, on_tree)?
        }
        (weights, criterion) => {
            let target = ClassTarget { classes, weights, criterion };
            let (mut forest, out_of_bag) = grow_all(binned, &target, (n_classes, 1.0), params, &score, on_tree)?;
            if n_classes == 2 {
                keep_positive_share(&mut forest.trees);
            }
            (forest, out_of_bag)
        }
    };
    forest.out_of_bag_score = out_of_bag.as_ref().and_then(score);
    Some(forest)
}

/// Grows a forest of numbers: a finite target per row of `binned`. `None` when it was stopped.
pub(crate) fn fit_numbers(
    binned: &Binned,
    targets: &[f64],
    params: &RandomForestValidParams<Numbers>,
    on_tree: OnTree<'_>,
) -> Option<Forest> {
    let bound = targets.iter().fold(0.0_f64, |bound, target| bound.max(target.abs()));
    let score = |out_of_bag: &OutOfBag| {
        let answers = (0..binned.rows()).filter_map(|row| Some((targets[row], out_of_bag.number(row)?)));
        let (truth, predicted): (Vec<f64>, Vec<f64>) = answers.unzip();
        metrics::regression::r2(&truth, &predicted)
    };
    let (mut forest, out_of_bag) = grow_all(binned, &NumberTarget::new(targets), (1, bound), params, &score, on_tree)?;
    forest.out_of_bag_score = out_of_bag.as_ref().and_then(score);
    Some(forest)
}

/// Grows every tree. `outputs` is how many numbers a leaf has and a bound on their size.
fn grow_all<T: Target, K: Sync>(
    binned: &Binned,
    target: &T,
    (outputs, bound): (usize, f64),
    params: &RandomForestValidParams<K>,
    score: &(impl Fn(&OutOfBag) -> Option<f64> + Sync),
    on_tree: OnTree<'_>,
) -> Option<(Forest, Option<OutOfBag>)> {
    let rows = binned.rows();
    let limits = Limits {
        max_depth: params.max_depth().unwrap_or(usize::MAX),
        min_split: params.min_samples_split(),
        min_leaf: params.min_samples_leaf(),
        features: params.max_features().of(binned.features()),
    };
    let out_of_bag = params.bootstrap().then(|| OutOfBag::new(rows, outputs, bound));
    let progress = Progress { done: Mutex::new(0), stopped: AtomicBool::new(false), on_tree };
    let grow_one = |index: usize| -> Option<Grown> {
        progress.goes_on().then_some(())?;
        let mut rng = Rng::new(params.seed(), Stream::Tree(index as u64));
        let counts = bootstrap::counts(rows, params.bootstrap(), &mut rng);
        let draw = bootstrap::draw(target, &counts);
        let grown = grow(binned, target, limits, draw, out_of_bag.as_ref(), &mut rng);
        progress.tree_done(&|| out_of_bag.as_ref().and_then(score));
        Some(grown)
    };
    let grown: Option<Vec<Grown>> = (0..params.n_trees()).into_par_iter().with_max_len(1).map(grow_one).collect();
    let grown = grown?;
    let importances = mean_importances(&grown, binned.features());
    let trees = TreeEnsemble { outputs, trees: grown.into_iter().map(|grown| grown.tree).collect() };
    Some((Forest { trees, importances, out_of_bag_score: None }, out_of_bag))
}

/// Counts the trees that are done, in order, and remembers when to stop.
struct Progress<'a> {
    done: Mutex<usize>,
    stopped: AtomicBool,
    on_tree: OnTree<'a>,
}

impl Progress<'_> {
    fn goes_on(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    fn tree_done(&self, score: Score<'_>) {
        // Held during the call, so that progress is told in order.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        if !(self.on_tree)(*done, score) {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }
}

/// The mean over the trees that split at all, so that it adds up to 1; summed in tree order.
fn mean_importances(grown: &[Grown], features: usize) -> Vec<f64> {
    let mut sums = vec![0.0; features];
    for grown in grown {
        for (sum, importance) in sums.iter_mut().zip(&grown.importances) {
            *sum += importance;
        }
    }
    metrics::importances::normalise(&mut sums);
    sums
}

/// Turns leaves with two classes' shares into leaves with the positive one's.
fn keep_positive_share(trees: &mut TreeEnsemble) {
    trees.outputs = 1;
    for tree in &mut trees.trees {
        tree.values = tree.values.chunks_exact(2).map(|shares| shares[1]).collect();
    }
}

#[cfg(test)]
mod tests;
