//! The training engines: selects the engine of an algorithm and converts the parameters of the job.

use linfa::ParamGuard;
use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;

use crate::error::TrainError;
use crate::forest::{
    self, Binned, ClassWeight, Classes, Criterion, Forest, MaxFeatures, Numbers, RandomForestParams,
    RandomForestValidParams, Score,
};
use crate::frame::{Frame, Target};
use crate::model::{Estimator, Signature};
use crate::preprocess::{self, DesignMatrix, ModelFamily, Part, TargetValues};
use crate::progress::Progress;
use crate::{linfa_logistic, linfa_svm, linfa_tree};

/// The input of an engine besides the data.
#[derive(Debug)]
pub(super) struct FitRequest<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) params: &'a Params,
    pub(super) seed: u64,
    /// The fold of each training row; see [`preprocess::Fitted::folds`].
    pub(super) folds: &'a [u8],
}

/// The output of an engine.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) estimator: Estimator,
    /// The importance of each raw column, if the model defines it; else importances are measured by permutation.
    pub(super) importances: Option<Vec<f64>>,
    /// Random forests only.
    pub(super) out_of_bag_score: Option<f64>,
}

/// Refuses unsuitable data before any work is done.
pub(super) fn check_suitability(algorithm: Algorithm, frame: &Frame) -> Result<(), TrainError> {
    if matches!(frame.target, Target::Numbers(_)) && !algorithm.supports_regression() {
        return Err(TrainError::bad_params(format!(
            "{} does not support regression; use random_forest, or set task to 'classification'",
            algorithm.as_str()
        )));
    }
    match algorithm.max_rows() {
        Some(max) if frame.rows as i64 > max => Err(TrainError::bad_params(format!(
            "{} supports at most {max} rows; this dataset has {}",
            algorithm.as_str(),
            frame.rows
        ))),
        _ => Ok(()),
    }
}

/// The raw values that an algorithm needs.
pub(super) fn family(algorithm: Algorithm) -> ModelFamily {
    match algorithm {
        Algorithm::RandomForest => ModelFamily::Forest,
        Algorithm::DecisionTree => ModelFamily::Tree,
        Algorithm::Svm | Algorithm::LogisticRegression => ModelFamily::Dense,
    }
}

/// Trains a model on the training part.
pub(super) fn fit(
    request: &FitRequest<'_>,
    signature: &Signature,
    training: &Part,
    progress: &Progress<'_>,
) -> Result<Fitted, TrainError> {
    let params = request.params;
    match (request.algorithm, &training.targets) {
        (Algorithm::RandomForest, TargetValues::Classes(classes, n_classes)) => {
            let params = checked(forest_params::<Classes>(request))?;
            let binned = Binned::of(training, &signature.features, request.folds);
            let on_tree = on_tree(progress, params.n_trees(), "oob_accuracy");
            from_forest(forest::fit_classes(&binned, classes, *n_classes, &params, &on_tree))
        }
        (Algorithm::RandomForest, TargetValues::Numbers(targets)) => {
            let params = checked(forest_params::<Numbers>(request))?;
            let binned = Binned::of(training, &signature.features, request.folds);
            let on_tree = on_tree(progress, params.n_trees(), "oob_r2");
            from_forest(forest::fit_numbers(&binned, targets, &params, &on_tree))
        }
        (Algorithm::DecisionTree, TargetValues::Classes(classes, 2)) => {
            let (trees, importances) = linfa_tree::fit(&training.raw, classes, &tree_limits(params), progress)?;
            Ok(Fitted { estimator: Estimator::Trees(trees), importances: Some(importances), out_of_bag_score: None })
        }
        // linfa-trees is not reproducible with several classes; see [`crate::linfa_tree`].
        (Algorithm::DecisionTree, TargetValues::Classes(classes, n_classes)) => {
            let params = checked(single_tree_params(&tree_limits(params)))?;
            let binned = Binned::of(training, &signature.features, request.folds);
            let on_tree = |_: usize, _: Score<'_>| progress.at(1.0).is_ok();
            from_forest(forest::fit_classes(&binned, classes, *n_classes, &params, &on_tree))
        }
        (Algorithm::Svm, TargetValues::Classes(classes, n_classes)) => {
            let design_matrix = design_matrix(signature, training, params.choice("kernel") == "linear")?;
            let options = linfa_svm::Options {
                cost: params.float("c").unwrap_or(1.0),
                kernel: params.choice("kernel").to_owned(),
                gamma: params.float("gamma"),
                degree: params.int("degree").unwrap_or(3) as u32,
                seed: request.seed,
            };
            let svm = linfa_svm::fit(design_matrix, classes, *n_classes, &options, progress)?;
            Ok(Fitted { estimator: Estimator::Svm(svm), importances: None, out_of_bag_score: None })
        }
        (Algorithm::LogisticRegression, TargetValues::Classes(classes, n_classes)) => {
            let design_matrix = design_matrix(signature, training, true)?;
            let options = linfa_logistic::Options {
                alpha: params.float("alpha").unwrap_or(1.0),
                max_iterations: params.int("max_iterations").unwrap_or(200) as u64,
            };
            let (linear, importances) = linfa_logistic::fit(design_matrix, classes, *n_classes, &options)?;
            Ok(Fitted { estimator: Estimator::Linear(linear), importances: Some(importances), out_of_bag_score: None })
        }
        (algorithm, TargetValues::Numbers(_)) => {
            Err(TrainError::bad_params(format!("{} does not support regression", algorithm.as_str())))
        }
    }
}

/// Number of out-of-bag scores that are reported while a forest grows.
const CURVE_POINTS: usize = 20;

/// Reports the progress of the trees, and the out-of-bag score at regular intervals.
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
    Ok(Fitted { estimator: Estimator::Trees(trees), importances: Some(importances), out_of_bag_score })
}

fn forest_params<K>(request: &FitRequest<'_>) -> RandomForestParams<K> {
    let params = request.params;
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
            _ => ClassWeight::Uniform,
        })
        .seed(request.seed)
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

fn design_matrix(signature: &Signature, training: &Part, with_levels: bool) -> Result<DesignMatrix, TrainError> {
    preprocess::design_matrix(&signature.features, training, with_levels).ok_or_else(|| {
        TrainError::bad_data(
            "the table is too wide for this algorithm with one column per category; remove features with many \
            categories, or use random_forest",
        )
    })
}
