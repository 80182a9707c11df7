//! Which engine fits which algorithm, and how a job's parameters reach it.

use linfa::ParamGuard;
use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;

use super::Progress;
use super::TrainError;
use crate::forest::{
    self, Binned, ClassWeight, Classes, Criterion, Forest, MaxFeatures, Numbers, RandomForestParams,
    RandomForestValidParams, Score,
};
use crate::frame::{Frame, Target};
use crate::model::{Body, Signature};
use crate::preprocess::{self, Design, Part, Truth};
use crate::{linfa_logistic, linfa_svm, linfa_tree};

/// What to fit.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) params: &'a Params,
    pub(super) seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) body: Body,
    /// Per feature, where the model itself says; else they are measured by permutation.
    pub(super) importances: Option<Vec<f64>>,
    /// Forests only.
    pub(super) out_of_bag_score: Option<f64>,
}

/// Refuses what the engine can't take before any work is done.
pub(super) fn check_size(algorithm: Algorithm, frame: &Frame) -> Result<(), TrainError> {
    if matches!(frame.target, Target::Numbers(_)) && !algorithm.supports_regression() {
        return Err(TrainError::bad_params(format!(
            "{} classifies only, and the target has more than 20 distinct numbers (random_forest does both)",
            algorithm.as_str()
        )));
    }
    match algorithm.max_rows() {
        Some(max) if frame.rows as i64 > max => Err(TrainError::bad_params(format!(
            "{} takes at most {max} rows; this data set has {}",
            algorithm.as_str(),
            frame.rows
        ))),
        _ => Ok(()),
    }
}

/// Fits a model on the training part.
pub(super) fn fit(
    order: &Order<'_>,
    signature: &Signature,
    training: &Part,
    progress: &Progress<'_>,
) -> Result<Fitted, TrainError> {
    let params = order.params;
    match (order.algorithm, &training.truth) {
        (Algorithm::RandomForest, Truth::Classes(classes, n_classes)) => {
            let params = checked(forest_params::<Classes>(order))?;
            let binned = Binned::new(training.rows, &training.raw);
            let on_tree = on_tree(progress, params.n_trees(), "oob_accuracy");
            from_forest(forest::fit_classes(&binned, classes, *n_classes, &params, &on_tree))
        }
        (Algorithm::RandomForest, Truth::Numbers(targets)) => {
            let params = checked(forest_params::<Numbers>(order))?;
            let binned = Binned::new(training.rows, &training.raw);
            let on_tree = on_tree(progress, params.n_trees(), "oob_r2");
            from_forest(forest::fit_numbers(&binned, targets, &params, &on_tree))
        }
        (Algorithm::DecisionTree, Truth::Classes(classes, 2)) => {
            let (trees, importances) = linfa_tree::fit(&training.raw, classes, &tree_limits(params), progress)?;
            Ok(Fitted { body: Body::Trees(trees), importances: Some(importances), out_of_bag_score: None })
        }
        // linfa-trees adds up class shares in the order of a hash map: see `linfa_tree`.
        (Algorithm::DecisionTree, Truth::Classes(classes, n_classes)) => {
            let params = checked(single_tree_params(&tree_limits(params)))?;
            let binned = Binned::new(training.rows, &training.raw);
            let on_tree = |_: usize, _: Score<'_>| progress.at(1.0).is_ok();
            from_forest(forest::fit_classes(&binned, classes, *n_classes, &params, &on_tree))
        }
        (Algorithm::Svm, Truth::Classes(classes, n_classes)) => {
            let design = design(signature, training)?;
            let options = linfa_svm::Options {
                cost: params.float("c").unwrap_or(1.0),
                kernel: params.choice("kernel").to_owned(),
                gamma: params.float("gamma"),
                degree: params.int("degree").unwrap_or(3) as u32,
                seed: order.seed,
            };
            let svm = linfa_svm::fit(design, classes, *n_classes, &options, progress)?;
            Ok(Fitted { body: Body::Svm(svm), importances: None, out_of_bag_score: None })
        }
        (Algorithm::LogisticRegression, Truth::Classes(classes, n_classes)) => {
            let design = design(signature, training)?;
            let options = linfa_logistic::Options {
                alpha: params.float("alpha").unwrap_or(1.0),
                max_iterations: params.int("max_iterations").unwrap_or(200) as u64,
            };
            let (linear, importances) = linfa_logistic::fit(design, classes, *n_classes, &options)?;
            Ok(Fitted { body: Body::Linear(linear), importances: Some(importances), out_of_bag_score: None })
        }
        (Algorithm::Noop, _) => Err(TrainError::bad_params("noop trains nothing".to_owned())),
        (algorithm, Truth::Numbers(_)) => {
            Err(TrainError::bad_params(format!("{} classifies only", algorithm.as_str())))
        }
    }
}

/// How often the out-of-bag score is told while a forest grows.
const CURVE_POINTS: usize = 20;

/// Tells how many of `n_trees` are done, and now and then how good they are together.
fn on_tree<'a>(
    progress: &'a Progress<'_>,
    n_trees: usize,
    score_name: &'static str,
) -> impl Fn(usize, Score<'_>) -> bool + Sync + 'a {
    let every = n_trees.div_ceil(CURVE_POINTS);
    move |done, score| {
        if done % every == 0
            && let Some(value) = score()
        {
            progress.metric(score_name, value, done as u64);
        }
        progress.at(done as f64 / n_trees as f64).is_ok()
    }
}

fn from_forest(forest: Option<Forest>) -> Result<Fitted, TrainError> {
    let Forest { trees, importances, out_of_bag_score } = forest.ok_or(TrainError::Cancelled)?;
    Ok(Fitted { body: Body::Trees(trees), importances: Some(importances), out_of_bag_score })
}

fn forest_params<K>(order: &Order<'_>) -> RandomForestParams<K> {
    let params = order.params;
    RandomForestParams::default()
        .n_trees(params.int("n_trees").unwrap_or(100) as usize)
        .max_depth(params.int("max_depth").map(|depth| depth as usize))
        .min_samples_leaf(params.int("min_samples_leaf").unwrap_or(1) as u32)
        .max_features(match params.choice("max_features") {
            "log2" => MaxFeatures::Log2,
            "third" => MaxFeatures::Third,
            "all" => MaxFeatures::All,
            _ => MaxFeatures::Sqrt,
        })
        .class_weight(match params.choice("class_weight") {
            "balanced" => ClassWeight::Balanced,
            _ => ClassWeight::Even,
        })
        .seed(order.seed)
}

fn tree_limits(params: &Params) -> linfa_tree::Options {
    linfa_tree::Options {
        max_depth: params.int("max_depth").map(|depth| depth as usize),
        min_samples_split: params.int("min_samples_split").unwrap_or(2) as u32,
        min_samples_leaf: params.int("min_samples_leaf").unwrap_or(1) as u32,
        criterion: match params.choice("criterion") {
            "entropy" => Criterion::Entropy,
            _ => Criterion::Gini,
        },
    }
}

fn single_tree_params(options: &linfa_tree::Options) -> RandomForestParams<Classes> {
    RandomForestParams::default()
        .n_trees(1)
        .bootstrap(false)
        .max_features(MaxFeatures::All)
        .max_depth(options.max_depth)
        .min_samples_split(options.min_samples_split)
        .min_samples_leaf(options.min_samples_leaf)
        .criterion(options.criterion)
}

fn checked<K>(params: RandomForestParams<K>) -> Result<RandomForestValidParams<K>, TrainError> {
    params.check().map_err(|error| TrainError::bad_params(error.to_string()))
}

fn design(signature: &Signature, training: &Part) -> Result<Design, TrainError> {
    preprocess::design(&signature.features, training).ok_or_else(|| {
        TrainError::bad_data(
            "one column per category makes this table too wide for this algorithm; leave out features with many \
             categories, or use random_forest",
        )
    })
}
