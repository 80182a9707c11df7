//! Validation of the fitted numbers.

use super::error::{ArtifactError, ensure};
use super::{check_calibration, check_ensemble};
use crate::model::{
    BoostedTrees, ColumnEncoder, DecisionFunction, DesignMatrixEncoder, Estimator, Feature, Kernel, LEAF, LinearModel,
    Link, Response, Signature, SvmModel, Task, Tree, TreeEnsemble,
};

/// Maximum number of trees in a forest, and of rounds of gradient boosting.
const MAX_TREES: usize = 10_000;

/// The input and the output of an estimator.
pub(super) struct Shape<'a> {
    pub(super) features: Vec<RawFeature<'a>>,
    pub(super) task: &'a Task,
}

/// A feature as an estimator reads it.
pub(super) struct RawFeature<'a> {
    pub(super) name: &'a str,
    /// Number of raw values.
    pub(super) width: usize,
    /// Number of codes of a category; `None` for other types.
    pub(super) codes: Option<usize>,
}

impl<'a> Shape<'a> {
    /// The shape of the estimator of a model.
    pub(super) fn of(signature: &'a Signature) -> Self {
        let feature = |feature: &'a Feature| RawFeature {
            name: &feature.name,
            width: feature.kind.width(),
            codes: feature.kind.is_category().then(|| feature.kind.codes()),
        };
        Self { features: signature.features.iter().map(feature).collect(), task: &signature.task }
    }

    /// Number of raw values of a row.
    fn width(&self) -> usize {
        self.features.iter().map(|feature| feature.width).sum()
    }
}

/// Validates the estimator of a model.
pub(super) fn check(estimator: &Estimator, signature: &Signature) -> Result<(), ArtifactError> {
    match estimator {
        Estimator::Ensemble(ensemble) => check_ensemble::check(ensemble, signature),
        Estimator::Calibrated(calibrated) => check_calibration::check(calibrated, signature),
        estimator => check_single(estimator, &Shape::of(signature)),
    }
}

/// Validates an estimator that contains no other one.
pub(super) fn check_single(estimator: &Estimator, shape: &Shape<'_>) -> Result<(), ArtifactError> {
    match estimator {
        Estimator::Trees(trees) => {
            let shares = *shape.task != Task::Regression;
            check_trees(trees, shape, shape.task.outputs(), MAX_TREES, shares)
        }
        Estimator::Boosting(boosted) => check_boosting(boosted, shape),
        Estimator::Linear(linear) => check_linear(linear, shape),
        Estimator::Svm(svm) => check_svm(svm, shape),
        Estimator::Ensemble(_) | Estimator::Calibrated(_) => {
            Err(ArtifactError::invalid("an ensemble or a calibrated model in another model"))
        }
    }
}

/// `outputs` is the number of values per leaf; with `shares` each is a probability.
fn check_trees(
    ensemble: &TreeEnsemble,
    shape: &Shape<'_>,
    outputs: usize,
    max_trees: usize,
    shares: bool,
) -> Result<(), ArtifactError> {
    ensure(ensemble.outputs == outputs, || format!("{} numbers per leaf, not {outputs}", ensemble.outputs))?;
    let (count, width) = (ensemble.trees.len(), shape.width());
    ensure((1..=max_trees).contains(&count), || format!("{count} trees"))?;
    for (i, tree) in ensemble.trees.iter().enumerate() {
        let fine = check_tree(tree, width, outputs, shares);
        fine.map_err(|what| ArtifactError::invalid(format!("{what} in tree {i}")))?;
    }
    Ok(())
}

fn check_boosting(boosted: &BoostedTrees, shape: &Shape<'_>) -> Result<(), ArtifactError> {
    let Response { baseline, scale, link } = &boosted.response;
    let outputs = shape.task.outputs();
    ensure(baseline.len() == outputs && finite(baseline), || "the baseline".into())?;
    ensure(scale.is_finite() && *scale > 0.0, || "the scale".into())?;
    let links: &[Link] = match shape.task {
        Task::Binary { .. } => &[Link::Logit],
        Task::MultiClass { .. } => &[Link::Softmax],
        Task::Regression => &[Link::Identity, Link::Log],
    };
    ensure(links.contains(link), || "the link".into())?;
    ensure(boosted.trees.trees.len().is_multiple_of(outputs), || "the number of trees".into())?;
    check_trees(&boosted.trees, shape, 1, MAX_TREES * outputs, false)
}

/// Validates a tree in one pass. Children come after their parent, so every walk ends. Each node except the root has
/// exactly one parent, so the nodes form one tree.
pub(crate) fn check_tree(tree: &Tree, width: usize, outputs: usize, shares: bool) -> Result<(), &'static str> {
    let nodes = tree.len();
    let lengths = [tree.threshold.len(), tree.missing_right.len(), tree.left.len(), tree.cover.len()];
    if nodes == 0 || nodes >= LEAF as usize || lengths != [nodes; 4] {
        return Err("the number of nodes");
    }
    if !tree.cover.iter().all(|cover| cover.is_normal() && *cover > 0.0) {
        return Err("the training weight of a node");
    }
    let leaves = tree.values.len() / outputs;
    let mut has_parent = vec![false; nodes];
    let mut splits = 0;
    for node in 0..nodes {
        let left = tree.left[node] as usize;
        if tree.feature[node] == LEAF {
            if left >= leaves {
                return Err("a leaf's number");
            }
            if tree.missing_right[node] {
                return Err("a leaf with a side for missing values");
            }
            continue;
        }
        if tree.feature[node] as usize >= width {
            return Err("a feature's number");
        }
        if !tree.threshold[node].is_finite() {
            return Err("a threshold");
        }
        // No overflow: left is a u32 and usize has 64 bits.
        if left <= node || left + 1 >= nodes || has_parent[left] || has_parent[left + 1] {
            return Err("a child's number");
        }
        (has_parent[left], has_parent[left + 1]) = (true, true);
        splits += 1;
    }
    let share = |value: &f32| (0.0..=1.0).contains(value);
    let sound = |value: &f32| if shares { share(value) } else { value.is_finite() };
    if 2 * splits + 1 != nodes {
        Err("a node without a parent")
    } else if leaves * outputs != tree.values.len() || !tree.values.iter().all(sound) {
        Err("a leaf's values")
    } else {
        Ok(())
    }
}

fn check_encoder(encoder: &DesignMatrixEncoder, shape: &Shape<'_>) -> Result<(), ArtifactError> {
    ensure(encoder.columns.len() == shape.width(), || "the number of encoded columns".into())?;
    let mut rest = encoder.columns.as_slice();
    for feature in &shape.features {
        let (own, tail) = rest.split_at(feature.width);
        rest = tail;
        let is_number = feature.codes.is_none();
        let fine = own.iter().all(|encoder| match encoder {
            ColumnEncoder::OneHot { categories, impute } => {
                feature.codes == Some(*categories) && own.len() == 1 && impute < &(*categories).max(1)
            }
            ColumnEncoder::Scaled { impute, mean, scale, .. } => is_number && are_scaling(*impute, *mean, *scale),
            ColumnEncoder::ScaledWithLevels { impute, mean, scale, levels, .. } => {
                is_number && are_scaling(*impute, *mean, *scale) && finite(levels)
            }
        });
        ensure(fine, || format!("the encoder of feature '{}'", feature.name))?;
    }
    Ok(())
}

fn are_scaling(impute: f64, mean: f64, scale: f64) -> bool {
    impute.is_finite() && mean.is_finite() && scale.is_normal() && scale > 0.0
}

fn check_linear(linear: &LinearModel, shape: &Shape<'_>) -> Result<(), ArtifactError> {
    check_encoder(&linear.encoder, shape)?;
    let outputs = shape.task.outputs();
    let expected = outputs.checked_mul(linear.encoder.width());
    ensure(linear.intercepts.len() == outputs && Some(linear.weights.len()) == expected, || {
        "the weights' shape".into()
    })?;
    ensure(finite(&linear.weights) && finite(&linear.intercepts), || "a weight that is not finite".into())?;
    ensure(linear.means.len() == linear.encoder.width() && finite(&linear.means), || "the means".into())
}

fn check_svm(svm: &SvmModel, shape: &Shape<'_>) -> Result<(), ArtifactError> {
    check_encoder(&svm.encoder, shape)?;
    let kernel = match svm.kernel {
        Kernel::Linear => true,
        Kernel::Rbf { gamma } => gamma.is_finite() && gamma > 0.0,
        Kernel::Polynomial { constant, degree } => constant.is_finite() && (1..=10).contains(&degree),
    };
    ensure(kernel, || "the kernel's parameters".into())?;
    let width = svm.encoder.width();
    ensure(width > 0 && svm.vectors.len().is_multiple_of(width), || "the support vectors' shape".into())?;
    ensure(finite(&svm.vectors), || "a support vector that is not finite".into())?;
    if *shape.task == Task::Regression {
        ensure(svm.functions.len() == 1, || format!("{} decision functions", svm.functions.len()))?;
    } else {
        check_pairs(&svm.functions, shape.task.labels().len())?;
    }
    let vectors = svm.vectors.len() / width;
    let fine = svm.functions.iter().all(|function| check_function(function, vectors));
    ensure(fine, || "a decision function's numbers".into())
}

/// Every unordered pair of classes has exactly one decision function.
fn check_pairs(functions: &[DecisionFunction], classes: usize) -> Result<(), ArtifactError> {
    let mut seen = vec![false; classes * classes];
    let fine = functions.len() == classes * (classes - 1) / 2
        && functions.iter().all(|function| {
            let (low, high) =
                (function.first.min(function.second) as usize, function.first.max(function.second) as usize);
            low < high && high < classes && !std::mem::replace(&mut seen[low * classes + high], true)
        });
    ensure(fine, || "the pairs of classes".into())
}

fn check_function(function: &DecisionFunction, vectors: usize) -> bool {
    function.support.len() == function.coefficients.len()
        && function.support.iter().all(|row| (*row as usize) < vectors)
        && finite(&function.coefficients)
        && finite(&[function.rho, function.platt_a, function.platt_b])
}

fn finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}
