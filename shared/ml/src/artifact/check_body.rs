//! The part of [`super::check`] that looks at fitted numbers.

use super::ArtifactError;
use super::check::ensure;
use crate::model::{
    Body, DesignEncoding, Feature, FeatureEncoding, FeatureKind, Kernel, LEAF, LinearModel, Machine, Signature,
    SvmModel, Task, Tree, TreeEnsemble,
};

/// Most trees in a forest.
const MAX_TREES: usize = 10_000;

pub(super) fn check(body: &Body, signature: &Signature) -> Result<(), ArtifactError> {
    match body {
        Body::Trees(trees) => check_trees(trees, signature),
        Body::Linear(linear) => check_linear(linear, signature),
        Body::Svm(svm) => check_svm(svm, signature),
    }
}

fn check_trees(ensemble: &TreeEnsemble, signature: &Signature) -> Result<(), ArtifactError> {
    let outputs = signature.task.outputs();
    ensure(ensemble.outputs == outputs, || format!("{} numbers per leaf, not {outputs}", ensemble.outputs))?;
    let count = ensemble.trees.len();
    ensure((1..=MAX_TREES).contains(&count), || format!("{count} trees"))?;
    let shares = signature.task != Task::Regression;
    for (i, tree) in ensemble.trees.iter().enumerate() {
        let fine = check_tree(tree, signature.features.len(), outputs, shares);
        fine.map_err(|what| ArtifactError::invalid(format!("{what} in tree {i}")))?;
    }
    Ok(())
}

/// One pass: children lie behind their parent, so walks end; no node has two parents and the counts add up, so that
/// every node but the root has exactly one and the nodes form one tree.
fn check_tree(tree: &Tree, width: usize, outputs: usize, shares: bool) -> Result<(), &'static str> {
    let nodes = tree.len();
    if nodes == 0 || nodes >= LEAF as usize || tree.threshold.len() != nodes || tree.left.len() != nodes {
        return Err("the number of nodes");
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
            continue;
        }
        if tree.feature[node] as usize >= width {
            return Err("a feature's number");
        }
        if !tree.threshold[node].is_finite() {
            return Err("a threshold");
        }
        // left < left + 1 < nodes, without overflow: left is below 2^32 and usize has 64 bits.
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

fn check_encoding(encoding: &DesignEncoding, features: &[Feature]) -> Result<(), ArtifactError> {
    ensure(encoding.features.len() == features.len(), || "the number of encoded features".into())?;
    for (encoding, feature) in encoding.features.iter().zip(features) {
        let fine = match (encoding, &feature.kind) {
            (FeatureEncoding::OneHot { categories, impute }, FeatureKind::Category { categories: known, .. }) => {
                *categories == known.len() && *impute < known.len().max(1)
            }
            (FeatureEncoding::Scaled { .. }, FeatureKind::Category { .. }) | (FeatureEncoding::OneHot { .. }, _) => {
                false
            }
            (FeatureEncoding::Scaled { impute, mean, scale, .. }, _) => {
                impute.is_finite() && mean.is_finite() && scale.is_normal() && *scale > 0.0
            }
        };
        ensure(fine, || format!("the encoding of feature '{}'", feature.name))?;
    }
    Ok(())
}

fn check_linear(linear: &LinearModel, signature: &Signature) -> Result<(), ArtifactError> {
    check_encoding(&linear.encoding, &signature.features)?;
    let outputs = signature.task.outputs();
    let expected = outputs.checked_mul(linear.encoding.width());
    ensure(linear.intercepts.len() == outputs && Some(linear.weights.len()) == expected, || {
        "the weights' shape".into()
    })?;
    ensure(finite(&linear.weights) && finite(&linear.intercepts), || "a weight that is not finite".into())
}

fn check_svm(svm: &SvmModel, signature: &Signature) -> Result<(), ArtifactError> {
    check_encoding(&svm.encoding, &signature.features)?;
    ensure(signature.task != Task::Regression, || "a support vector machine that regresses".into())?;
    let kernel = match svm.kernel {
        Kernel::Linear => true,
        Kernel::Rbf { gamma } => gamma.is_finite() && gamma > 0.0,
        Kernel::Polynomial { constant, degree } => constant.is_finite() && (1..=10).contains(&degree),
    };
    ensure(kernel, || "the kernel's parameters".into())?;
    let width = svm.encoding.width();
    ensure(width > 0 && svm.vectors.len().is_multiple_of(width), || "the support vectors' shape".into())?;
    ensure(finite(&svm.vectors), || "a support vector that is not finite".into())?;
    check_pairs(&svm.machines, signature.task.labels().len())?;
    let vectors = svm.vectors.len() / width;
    let fine = svm.machines.iter().all(|machine| check_machine(machine, vectors));
    ensure(fine, || "a machine's numbers".into())
}

/// Every unordered pair of classes has exactly one machine.
fn check_pairs(machines: &[Machine], classes: usize) -> Result<(), ArtifactError> {
    let mut seen = vec![false; classes * classes];
    let fine = machines.len() == classes * (classes - 1) / 2
        && machines.iter().all(|machine| {
            let (low, high) = (machine.first.min(machine.second) as usize, machine.first.max(machine.second) as usize);
            low < high && high < classes && !std::mem::replace(&mut seen[low * classes + high], true)
        });
    ensure(fine, || "the pairs of classes".into())
}

fn check_machine(machine: &Machine, vectors: usize) -> bool {
    machine.support.len() == machine.coefficients.len()
        && machine.support.iter().all(|row| (*row as usize) < vectors)
        && finite(&machine.coefficients)
        && finite(&[machine.rho, machine.platt_a, machine.platt_b])
}

fn finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}
