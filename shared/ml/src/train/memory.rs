//! Estimates of the memory of a training run. A run that can't stay within the limit fails at its start, with the figure.

use trainyard_domain::algorithm::{CLASSIFICATION_LEAF_ROWS, ENGINE, LINFA, REGRESSION_LEAF_ROWS};
use trainyard_domain::params::Params;
use trainyard_domain::{Algorithm, FailureCode};

use crate::error::TrainError;
use crate::model::{Feature, FeatureKind};
use crate::preprocess::ModelFamily;
use crate::{boosting, linear, preprocess, svm};

/// Memory of the process without data.
const BASE: u64 = 32 << 20;
/// A cell of the table: a number, or the code of a category.
const CELL: u64 = 8;
/// A raw value, with its bin.
const RAW_CELL: u64 = 4 + 1;
/// A node of a trained tree: in the model, in the model file, in the model decoded from the file, and compiled.
const NODE: u64 = 21 + 20 + 21 + 12;
/// A number of a leaf, in the same four places.
const LEAF_VALUE: u64 = 4 * 4;
/// A number of the design matrix.
const DESIGN_CELL: u64 = 8;
/// Copies of the design matrix while linfa trains: ours and its own.
const LINFA_COPIES: u64 = 3;

/// The size of a training run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// Rows of the table.
    pub(super) rows: u64,
    /// Columns of the table that are used.
    pub(super) columns: u64,
    /// Numbers of a raw row.
    pub(super) raw_columns: u64,
    /// Numbers of a raw row that are target statistics of categories.
    pub(super) category_columns: u64,
    /// Columns of the design matrix.
    pub(super) design_columns: u64,
    /// [`crate::model::Task::outputs`]
    pub(super) outputs: u64,
}

impl Shape {
    /// The shape for `rows` rows.
    pub(super) fn new(rows: usize, features: &[Feature], outputs: usize) -> Self {
        let design_width = |feature: &Feature| match &feature.kind {
            FeatureKind::Category { .. } => feature.kind.codes(),
            // Each raw value can have an indicator for missing values.
            kind => 2 * kind.width(),
        };
        let statistics = |feature: &Feature| match &feature.kind {
            FeatureKind::Category { statistics, .. } => statistics.len() as u64,
            _ => 0,
        };
        Self {
            rows: rows as u64,
            columns: features.len() as u64,
            raw_columns: features.iter().map(|feature| feature.kind.width() as u64).sum(),
            category_columns: features.iter().map(statistics).sum(),
            design_columns: features.iter().map(|feature| design_width(feature) as u64).sum(),
            outputs: outputs as u64,
        }
    }
}

impl Shape {
    /// The largest shape that a model of this family can have, for the features of an ensemble, which are those of every
    /// family before orders and statistics.
    pub(super) fn of_family(rows: usize, features: &[Feature], outputs: usize, family: ModelFamily) -> Self {
        let statistics = preprocess::MAX_STATISTICS.min(outputs) as u64;
        let width = |feature: &Feature| match (&feature.kind, family) {
            (FeatureKind::Category { .. }, ModelFamily::Forest) => preprocess::FOLDS as u64,
            (FeatureKind::Category { .. }, ModelFamily::Boosting) => statistics,
            (FeatureKind::Category { .. }, _) => 1,
            (kind, _) => kind.width() as u64,
        };
        let has_statistics = |feature: &&Feature| family == ModelFamily::Boosting && feature.kind.is_category();
        Self {
            raw_columns: features.iter().map(width).sum(),
            category_columns: features.iter().filter(has_statistics).count() as u64 * statistics,
            ..Self::new(rows, features, outputs)
        }
    }
}

/// Bytes of memory at the peak of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimate {
    /// What every run of this shape needs.
    least: u64,
    /// With the largest trees that the parameters allow. Trees on real data are often much smaller.
    most: u64,
}

/// Refuses a run that needs more than `limit` bytes. Returns a note for the log if the run may need more.
///
/// # Errors
/// `out_of_memory` with the estimate.
pub(super) fn check(
    shape: &Shape,
    algorithm: Algorithm,
    params: &Params,
    limit: Option<u64>,
) -> Result<Option<String>, TrainError> {
    let Some(limit) = limit else { return Ok(None) };
    let Estimate { least, most } = estimate(shape, algorithm, params);
    let classes = if shape.outputs > 1 { format!(" and {} classes", shape.outputs) } else { String::new() };
    let describe = |verb: &str, bytes: u64| {
        let (rows, needed, limit) = (shape.rows, bytes.div_ceil(1 << 20), limit >> 20);
        format!(
            "training on {rows} rows{classes} {verb} {needed} MB of memory, more than the {limit} MB of \
            worker.child_memory_mb"
        )
    };
    if least > limit {
        let message = format!("{}; use fewer features or fewer rows", describe("needs", least));
        return Err(TrainError::Failed { code: FailureCode::OutOfMemory, message });
    }
    let advice = "if it fails, use fewer trees, a smaller max_depth or a larger min_samples_leaf";
    Ok((most > limit).then(|| format!("{}; {advice}", describe("can need up to", most))))
}

/// Why a trial of a search does not fit: `at_once` models of it, each with its largest trees, need more than `limit` bytes
/// besides `other` bytes. A search has other trials, so it takes no risk.
pub(super) fn excess(
    shape: &Shape,
    algorithm: Algorithm,
    params: &Params,
    (at_once, other): (u64, u64),
    limit: Option<u64>,
) -> Option<String> {
    let limit = limit?;
    let most = estimate(shape, algorithm, params).most;
    let further = most.saturating_sub(BASE).saturating_mul(at_once.saturating_sub(1));
    let needed = most.saturating_add(further).saturating_add(other);
    (needed > limit).then(|| {
        let (needed, limit) = (needed.div_ceil(1 << 20), limit >> 20);
        format!("it can need up to {needed} MB of memory, more than the {limit} MB of worker.child_memory_mb")
    })
}

fn estimate(shape: &Shape, algorithm: Algorithm, params: &Params) -> Estimate {
    let Shape { rows, columns, raw_columns, design_columns, outputs, .. } = *shape;
    let all = |factors: &[u64]| factors.iter().fold(1_u64, |product, factor| product.saturating_mul(*factor));
    let threads = rayon::current_num_threads() as u64;
    let table = all(&[rows, columns.saturating_add(1), CELL]).saturating_add(all(&[rows, raw_columns, RAW_CELL]));
    // The predictions for the held-out part.
    let predictions = all(&[rows, outputs, 8]);
    let design_matrix = all(&[rows, design_columns, DESIGN_CELL]);
    let is_linfa = params.choice(ENGINE) == LINFA;
    let (training, trees) = match algorithm {
        Algorithm::RandomForest | Algorithm::ExtraTrees => {
            let growing = all(&[rows, 16 * 2 + 8, threads]);
            // The out-of-bag predictions.
            let sums = all(&[rows, outputs.saturating_add(1), 8]);
            (growing.saturating_add(sums), params.int("n_trees").unwrap_or(100).unsigned_abs())
        }
        Algorithm::GradientBoosting => {
            let rounds = params.int("n_rounds").unwrap_or(2_000).unsigned_abs();
            (boosting_bytes(shape, params), rounds.saturating_mul(outputs))
        }
        // Per node: the ranks of its rows for both sides of missing values, in our matrix and in linfa's sorted copies.
        Algorithm::DecisionTree => (all(&[rows, raw_columns, 2 * (4 + 4 + 16 + 16)]), 1),
        // linfa-svm stores the kernel matrix twice.
        Algorithm::Svm if is_linfa => {
            (all(&[rows, rows, 2 * 8]).saturating_add(design_matrix.saturating_mul(LINFA_COPIES)), 0)
        }
        Algorithm::Svm => {
            let cache = params.int("cache_mb").unwrap_or(200).unsigned_abs().saturating_mul(1 << 20);
            (design_matrix.saturating_add(svm::estimate_bytes(rows, design_columns, cache, threads)), 0)
        }
        Algorithm::LogisticRegression if is_linfa => {
            (all(&[rows, outputs, 8]).saturating_add(design_matrix).saturating_mul(LINFA_COPIES), 0)
        }
        Algorithm::LogisticRegression | Algorithm::Ridge => {
            (design_matrix.saturating_add(linear::estimate_bytes(rows, design_columns, outputs)), 0)
        }
        // Each trial has the estimate of its own algorithm.
        Algorithm::Auto => (0, 0),
    };
    let least = BASE.saturating_add(table).saturating_add(predictions).saturating_add(training);
    Estimate { least, most: least.saturating_add(tree_bytes(shape, algorithm, params).saturating_mul(trees)) }
}

/// Gradient boosting, with the ordered statistics of categories and their bins.
fn boosting_bytes(shape: &Shape, params: &Params) -> u64 {
    let ordered = shape.category_columns.saturating_mul(preprocess::PERMUTATIONS as u64);
    let max_leaves = params.int("max_leaves").unwrap_or(31).unsigned_abs();
    let columns = shape.raw_columns.saturating_add(ordered);
    let training = boosting::estimate_bytes(shape.rows, columns, shape.outputs, max_leaves);
    training.saturating_add(shape.rows.saturating_mul(ordered.saturating_mul(RAW_CELL)))
}

/// One tree with the most leaves that the parameters allow, each with a number per class; a boosted tree has one number.
fn tree_bytes(shape: &Shape, algorithm: Algorithm, params: &Params) -> u64 {
    // Without a parameter a forest has the default of its task.
    let default = CLASSIFICATION_LEAF_ROWS.min(REGRESSION_LEAF_ROWS);
    let min_leaf = params.int("min_samples_leaf").unwrap_or(default).unsigned_abs().max(1);
    let depth = params.int("max_depth").map_or(63, i64::unsigned_abs).min(63) as u32;
    let max_leaves = params.int("max_leaves").map_or(u64::MAX, i64::unsigned_abs);
    let leaves = (shape.rows / min_leaf).min(1 << depth).min(max_leaves).max(1);
    let values = if algorithm == Algorithm::GradientBoosting { 1 } else { shape.outputs };
    let per_leaf = values.saturating_mul(LEAF_VALUE).saturating_add(2 * NODE);
    leaves.saturating_mul(per_leaf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parsed(algorithm: Algorithm, params: &Value) -> Params {
        Params::parse(algorithm, params.as_object().unwrap()).unwrap()
    }

    fn of(shape: Shape, algorithm: Algorithm, params: Value) -> Estimate {
        estimate(&shape, algorithm, &parsed(algorithm, &params))
    }

    fn shape(rows: u64, outputs: u64) -> Shape {
        Shape { rows, columns: 30, raw_columns: 30, category_columns: 5, design_columns: 60, outputs }
    }

    #[test]
    fn the_estimate_increases_with_the_parameters_and_the_classes() {
        let forest = |rows, outputs, params| of(shape(rows, outputs), Algorithm::RandomForest, params).most;
        let full = forest(100_000, 1, json!({"n_trees": 100}));
        assert!(full > forest(100_000, 1, json!({"n_trees": 10})));
        assert!(full > forest(100_000, 1, json!({"n_trees": 100, "max_depth": 5})));
        assert!(full > forest(100_000, 1, json!({"n_trees": 100, "min_samples_leaf": 50})));
        assert!(full > forest(10_000, 1, json!({"n_trees": 100})));
        let many = forest(100_000, 1_000, json!({"min_samples_leaf": 10}));
        assert!(many > 100_000 / 10 * 1_000 * 100 * LEAF_VALUE, "the leaves alone are larger: {many}");
        let svm = |params| of(shape(5_000, 1), Algorithm::Svm, params).least;
        let linfa = svm(json!({"engine": "linfa"}));
        assert!(linfa > 5_000 * 5_000 * 8, "the kernel matrix alone is larger: {linfa}");
        assert!(svm(json!({"cache_mb": 10})) < svm(json!({"cache_mb": 50})));
        assert!(svm(json!({"cache_mb": 200})) < linfa);
    }

    #[test]
    fn a_run_is_refused_only_if_it_needs_too_much() {
        let check = |rows, limit| {
            let params = parsed(Algorithm::RandomForest, &json!({}));
            check(&shape(rows, 1_000), Algorithm::RandomForest, &params, limit)
        };
        assert!(check(100_000, None).unwrap().is_none() && check(100_000, Some(1 << 50)).unwrap().is_none());
        let note = check(100_000, Some(4 << 30)).unwrap().unwrap();
        assert!(note.starts_with("training on 100000 rows and 1000 classes can need up to "), "{note}");
        let refusal = check(100_000, Some(1 << 30)).unwrap_err().to_string();
        assert!(refusal.starts_with("training on 100000 rows and 1000 classes needs "), "{refusal}");
        assert!(refusal.contains("more than the 1024 MB of worker.child_memory_mb; use fewer features"), "{refusal}");
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let most = u64::MAX;
        let shape = Shape {
            rows: most,
            columns: most,
            raw_columns: most,
            category_columns: most,
            design_columns: most,
            outputs: most,
        };
        for algorithm in Algorithm::ALL {
            assert_eq!(of(shape, algorithm, json!({})).most, u64::MAX);
        }
    }

    #[test]
    fn a_trial_that_does_not_fit_has_a_reason() {
        let params = parsed(Algorithm::GradientBoosting, &json!({}));
        let excess = |at_once, other, limit| {
            excess(&shape(10_000, 1), Algorithm::GradientBoosting, &params, (at_once, other), limit)
        };
        assert_eq!((excess(1, 0, None), excess(5, 0, Some(4 << 30))), (None, None));
        assert!(excess(5, 4 << 30, Some(4 << 30)).is_some());
        let alone = estimate(&shape(10_000, 1), Algorithm::GradientBoosting, &params).most;
        assert!(excess(1, 0, Some(alone)).is_none());
        let reason = excess(2, 0, Some(alone)).unwrap();
        assert!(
            reason.starts_with("it can need up to ") && reason.ends_with(" MB of worker.child_memory_mb"),
            "{reason}"
        );
    }
}
