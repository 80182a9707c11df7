//! The rules for a valid model. With a valid model a predictor never reads out of bounds, loops forever or divides by
//! zero, even if the file is forged.

use std::collections::HashSet;

use trainyard_domain::spec::MAX_FEATURES;

use super::error::{ArtifactError, ensure};
use super::{check_distributions, check_estimator};
use crate::model::{
    CategoryOrder, CategoryStatistic, DateUnit, FeatureKind, MAX_SELF_TEST_ROWS, Manifest, Model, Signature, Task,
};

/// Maximum number of classes.
const MAX_CLASSES: usize = 1_000;
/// Maximum number of categories of a feature. Codes are exact in `f32` up to 2^24.
const MAX_CATEGORIES: usize = 1 << 20;

/// Maximum number of orders of a category.
const MAX_ORDERS: usize = 8;
/// Maximum number of statistics of a category.
const MAX_STATISTICS: usize = 8;

/// Validates a model in one pass.
///
/// # Errors
/// [`ArtifactError::Invalid`] with the reason.
pub fn check(model: &Model) -> Result<(), ArtifactError> {
    check_signature(&model.manifest.signature)?;
    check_self_test(&model.manifest)?;
    check_distributions::check(&model.manifest)?;
    check_estimator::check(&model.estimator, &model.manifest.signature)
}

fn check_signature(signature: &Signature) -> Result<(), ArtifactError> {
    let count = signature.features.len();
    ensure((1..=MAX_FEATURES).contains(&count), || format!("{count} features"))?;
    ensure(!signature.target.is_empty(), || "a target without a name".into())?;
    let mut names = HashSet::from([signature.target.as_str()]);
    ensure(signature.dropped.len() <= MAX_FEATURES, || format!("{} dropped features", signature.dropped.len()))?;
    for feature in &signature.features {
        let name = feature.name.as_str();
        ensure(!name.is_empty() && names.insert(name), || format!("feature '{name}' is empty or named twice"))?;
        check_kind(&feature.kind).map_err(|what| ArtifactError::invalid(format!("{what} of feature '{name}'")))?;
    }
    check_task(&signature.task)?;
    check_threshold(&signature.task)
}

fn check_kind(kind: &FeatureKind) -> Result<(), &'static str> {
    match kind {
        FeatureKind::Number { median, min, max, scaling } => {
            if ![median, min, max].iter().all(|value| value.is_finite()) || min > max {
                return Err("the bounds");
            }
            if !scaling.is_valid() {
                return Err("the scaling");
            }
        }
        FeatureKind::Boolean { .. } => {}
        FeatureKind::Category { categories, mode, orders, statistics, .. } => {
            // A feature without values in the training part has no categories, and mode 0.
            if categories.len() > MAX_CATEGORIES || *mode >= kind.codes().max(1) {
                return Err("the categories");
            }
            if !are_orders(orders, kind.codes()) {
                return Err("the orders");
            }
            if !are_statistics(statistics, kind.codes()) || !(orders.is_empty() || statistics.is_empty()) {
                return Err("the statistics");
            }
        }
        FeatureKind::Datetime { min, max, parts } => {
            if !min.is_finite() || !max.is_finite() || min > max {
                return Err("the bounds");
            }
            let count = 1..=DateUnit::ALL.len();
            if !count.contains(&parts.len()) || !parts.iter().all(|part| part.scaling.is_valid()) {
                return Err("the parts");
            }
        }
    }
    Ok(())
}

/// Whether the orders are valid for a category with this number of codes.
pub(super) fn are_orders(orders: &[CategoryOrder], codes: usize) -> bool {
    orders.len() <= MAX_ORDERS && orders.iter().all(|order| order.ranks.len() == codes)
}

/// Whether the statistics are valid for a category with this number of codes.
pub(super) fn are_statistics(statistics: &[CategoryStatistic], codes: usize) -> bool {
    let is_finite = |statistic: &CategoryStatistic| {
        statistic.unseen.is_finite() && statistic.values.iter().all(|value| value.is_finite())
    };
    let fine = |statistic: &CategoryStatistic| statistic.values.len() == codes && is_finite(statistic);
    statistics.len() <= MAX_STATISTICS && statistics.iter().all(fine)
}

fn check_task(task: &Task) -> Result<(), ArtifactError> {
    let labels = task.labels();
    let distinct: HashSet<_> = labels.iter().collect();
    let counts = match task {
        Task::Binary { .. } => 2..=2,
        Task::MultiClass { .. } => 3..=MAX_CLASSES,
        Task::Regression => 0..=0,
    };
    let fine = counts.contains(&labels.len()) && distinct.len() == labels.len();
    ensure(fine, || format!("{} classes, {} of them distinct", labels.len(), distinct.len()))
}

/// A threshold outside the range of probabilities would predict one class for every row.
fn check_threshold(task: &Task) -> Result<(), ArtifactError> {
    match task {
        Task::Binary { threshold, .. } => {
            ensure((0.0..=1.0).contains(threshold), || format!("the threshold {threshold}"))
        }
        Task::MultiClass { .. } | Task::Regression => Ok(()),
    }
}

fn check_self_test(manifest: &Manifest) -> Result<(), ArtifactError> {
    let rows = &manifest.self_test;
    ensure(rows.len() <= MAX_SELF_TEST_ROWS, || format!("{} self-test rows", rows.len()))?;
    let outputs = manifest.signature.task.outputs();
    let fine = rows.iter().all(|row| row.expected.len() == outputs && row.expected.iter().all(|v| v.is_finite()));
    ensure(fine, || "the self-test's answers".into())
}
