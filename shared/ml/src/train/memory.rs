//! An upper estimate of the memory of a training run, so that a run that would exceed the limit fails at its start, with
//! the figure.

use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;

use crate::error::TrainError;
use crate::model::{Feature, FeatureKind};

/// Memory of the process without data.
const BASE: u64 = 32 << 20;
/// A cell of the table: a number, or the code of a category.
const CELL: u64 = 8;
/// A raw value, with its bin.
const RAW_CELL: u64 = 4 + 1;
/// A node of a trained tree: in the model, in the model file, in the model decoded from the file, and compiled.
const NODE: u64 = 17 + 16 + 17 + 8;
/// A number of a leaf, in the same four places.
const LEAF_VALUE: u64 = 4 * 4;
/// A number of the design matrix, in our copy and in those of linfa.
const DESIGN_CELL: u64 = 3 * 8;

/// The size of a training run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// Rows of the table.
    pub(super) rows: u64,
    /// Columns of the table that are used.
    pub(super) columns: u64,
    /// Numbers of a raw row.
    pub(super) raw_columns: u64,
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
        Self {
            rows: rows as u64,
            columns: features.len() as u64,
            raw_columns: features.iter().map(|feature| feature.kind.width() as u64).sum(),
            design_columns: features.iter().map(|feature| design_width(feature) as u64).sum(),
            outputs: outputs as u64,
        }
    }
}

/// Refuses a run that needs more than `limit` bytes.
///
/// # Errors
/// `bad_params` with the estimate.
pub(super) fn check(
    shape: &Shape,
    algorithm: Algorithm,
    params: &Params,
    limit: Option<u64>,
) -> Result<(), TrainError> {
    let needed = estimate_bytes(shape, algorithm, params);
    let Some(limit) = limit.filter(|limit| needed > *limit) else { return Ok(()) };
    let advice = match algorithm {
        Algorithm::RandomForest => "use fewer trees, a smaller max_depth, a larger min_samples_leaf",
        Algorithm::DecisionTree | Algorithm::Svm | Algorithm::LogisticRegression => "use fewer features",
    };
    let classes = if shape.outputs > 1 { format!(" and {} classes", shape.outputs) } else { String::new() };
    Err(TrainError::bad_params(format!(
        "training on {} rows{classes} can need {} MB of memory, more than the {} MB of worker.child_memory_mb; {advice} or \
        fewer rows",
        shape.rows,
        needed.div_ceil(1 << 20),
        limit >> 20,
    )))
}

/// Peak memory in bytes.
fn estimate_bytes(shape: &Shape, algorithm: Algorithm, params: &Params) -> u64 {
    let Shape { rows, columns, raw_columns, design_columns, outputs } = *shape;
    let all = |factors: &[u64]| factors.iter().fold(1_u64, |product, factor| product.saturating_mul(*factor));
    let table = all(&[rows, columns.saturating_add(1), CELL]).saturating_add(all(&[rows, raw_columns, RAW_CELL]));
    // The predictions for the held-out part.
    let predictions = all(&[rows, outputs, 8]);
    let training = match algorithm {
        Algorithm::RandomForest => {
            let growing = all(&[rows, 16 * 2 + 8, rayon::current_num_threads() as u64]);
            // The out-of-bag predictions.
            let sums = all(&[rows, outputs.saturating_add(1), 8]);
            let trees = params.int("n_trees").unwrap_or(100).unsigned_abs();
            tree_bytes(shape, params).saturating_mul(trees).saturating_add(growing).saturating_add(sums)
        }
        // Per node: the ranks of its rows for both sides of missing values, in our matrix and in linfa's sorted copies.
        Algorithm::DecisionTree => {
            all(&[rows, raw_columns, 2 * (4 + 4 + 16 + 16)]).saturating_add(tree_bytes(shape, params))
        }
        // linfa-svm stores the kernel matrix twice.
        Algorithm::Svm => all(&[rows, rows, 2 * 8]).saturating_add(all(&[rows, design_columns, DESIGN_CELL])),
        Algorithm::LogisticRegression => {
            all(&[rows, design_columns, DESIGN_CELL]).saturating_add(all(&[rows, outputs, DESIGN_CELL]))
        }
    };
    BASE.saturating_add(table).saturating_add(predictions).saturating_add(training)
}

/// One tree with the most leaves that the parameters allow, each with a number per class.
fn tree_bytes(shape: &Shape, params: &Params) -> u64 {
    let min_leaf = params.int("min_samples_leaf").unwrap_or(1).unsigned_abs().max(1);
    let depth = params.int("max_depth").map_or(63, i64::unsigned_abs).min(63) as u32;
    let leaves = (shape.rows / min_leaf).min(1 << depth).max(1);
    let per_leaf = shape.outputs.saturating_mul(LEAF_VALUE).saturating_add(2 * NODE);
    leaves.saturating_mul(per_leaf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn estimate(shape: Shape, algorithm: Algorithm, params: Value) -> u64 {
        let params = Params::parse(algorithm, params.as_object().unwrap()).unwrap();
        estimate_bytes(&shape, algorithm, &params)
    }

    fn shape(rows: u64, outputs: u64) -> Shape {
        Shape { rows, columns: 30, raw_columns: 30, design_columns: 60, outputs }
    }

    #[test]
    fn the_estimate_increases_with_the_parameters_and_the_classes() {
        let forest = |rows, outputs, params| estimate(shape(rows, outputs), Algorithm::RandomForest, params);
        let full = forest(100_000, 1, json!({"n_trees": 100}));
        assert!(full > forest(100_000, 1, json!({"n_trees": 10})));
        assert!(full > forest(100_000, 1, json!({"n_trees": 100, "max_depth": 5})));
        assert!(full > forest(100_000, 1, json!({"n_trees": 100, "min_samples_leaf": 50})));
        assert!(full > forest(10_000, 1, json!({"n_trees": 100})));
        let many = forest(100_000, 1_000, json!({"min_samples_leaf": 10}));
        assert!(many > 100_000 / 10 * 1_000 * 100 * LEAF_VALUE, "the leaves alone are larger: {many}");
        let svm = estimate(shape(5_000, 1), Algorithm::Svm, json!({}));
        assert!(svm > 5_000 * 5_000 * 8, "the kernel matrix alone is larger: {svm}");
    }

    #[test]
    fn the_refusal_contains_the_figures() {
        let params = Params::parse(Algorithm::RandomForest, &serde_json::Map::new()).unwrap();
        let check = |limit| check(&shape(100_000, 1_000), Algorithm::RandomForest, &params, limit);
        assert!(check(None).is_ok() && check(Some(1 << 50)).is_ok());
        let message = check(Some(4 << 30)).unwrap_err().to_string();
        assert!(message.starts_with("training on 100000 rows and 1000 classes can need "), "{message}");
        assert!(message.contains("more than the 4096 MB of worker.child_memory_mb; use fewer trees"), "{message}");
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let most = u64::MAX;
        let shape = Shape { rows: most, columns: most, raw_columns: most, design_columns: most, outputs: most };
        for algorithm in Algorithm::ALL {
            assert_eq!(estimate(shape, algorithm, json!({})), u64::MAX);
        }
    }
}
