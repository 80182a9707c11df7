//! Estimates of the memory of a training process: rows, columns, categories and classes, times what the engine of the
//! algorithm allocates for them.
//!
//! The API estimates a lower bound from the profile of the dataset and refuses jobs that fit into no worker
//! ([`TrainingShape::at_least`]). The training process knows the exact shape. The constants of the engines are those of
//! `shared/ml`, whose tests compare them.

mod at_submission;
pub mod boosting;
pub mod linear;
pub mod svm;

use crate::algorithm::{
    Algorithm, CALIBRATION, CLASSIFICATION_LEAF_ROWS, CV, ENGINE, LEARNING_CURVE, LINFA, REGRESSION_LEAF_ROWS,
    TUNE_THRESHOLD,
};
use crate::dataset::Dtype;
use crate::params::Params;
use crate::spec::MAX_CLASSES;

/// Memory of the process without data.
pub const BASE: u64 = 32 << 20;
/// Most rows that the held-out part can have more than its share: half a row per class.
const ROUNDED: u64 = MAX_CLASSES / 2;
/// The hash of a row, which finds copies.
const ROW_HASH: u64 = 8;
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
/// The most codes of a category; further categories share the last one.
pub const MAX_CATEGORIES: u64 = 1_000;
/// The size of a training run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainingShape {
    /// Rows of the table with a target.
    pub rows: u64,
    /// Bytes of a row of the table, without the target: [`cell_bytes`] of each used column.
    pub row_bytes: u64,
    /// Numbers of a raw row.
    pub raw_columns: u64,
    /// Numbers of a raw row that are target statistics of categories.
    pub category_columns: u64,
    /// Columns of the design matrix. Numbers with few different values can have more.
    pub design_columns: u64,
    /// Numbers that the model predicts for a row: 1, or the number of classes if there are more than two.
    pub outputs: u64,
}

/// Bytes of a cell of the table in memory: a number, a boolean, or the code of a category.
pub fn cell_bytes(dtype: Dtype) -> u64 {
    match dtype {
        Dtype::Number | Dtype::Datetime => 8,
        Dtype::Boolean => 1,
        Dtype::Category | Dtype::Text => 4,
    }
}

/// Bytes of memory at the peak of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// What every run of this shape needs: a lower bound.
    pub least: u64,
    /// With the largest trees and the fullest caches that the parameters allow. Most runs need less.
    pub most: u64,
}

/// Estimates the memory of a run with this number of threads. `least` does not decrease if a number of the shape increases.
pub fn estimate(shape: &TrainingShape, algorithm: Algorithm, params: &Params, threads: u64) -> MemoryEstimate {
    let least = least(shape, algorithm, params);
    MemoryEstimate { least, most: most(shape, algorithm, params, threads).max(least) }
}

/// The raw values with the larger of two things that are in memory one after the other: the table, and what the engine
/// allocates for the rows of the training part in any case.
fn least(shape: &TrainingShape, algorithm: Algorithm, params: &Params) -> u64 {
    let TrainingShape { rows, row_bytes, raw_columns, design_columns, outputs, .. } = *shape;
    let test_size = params.float("test_size").unwrap_or(0.2);
    let rows_trained = ((rows as f64 * (1.0 - test_size)) as u64).saturating_sub(ROUNDED);
    let table = product(&[rows, row_bytes.saturating_add(ROW_HASH)]);
    let matrix = |bytes| product(&[rows_trained, design_columns, bytes]);
    let is_linfa = params.choice(ENGINE) == LINFA;
    let training = match algorithm {
        // The bins, and the out-of-bag predictions with their numbers.
        Algorithm::RandomForest | Algorithm::ExtraTrees => {
            product(&[rows_trained, raw_columns.saturating_add(outputs.saturating_mul(8))])
        }
        // The bins, the derivatives, rounded and not, and a score and a prediction per output; the histograms of the root.
        Algorithm::GradientBoosting => {
            let per_row = raw_columns.saturating_add(16 + 8).saturating_add(outputs.saturating_mul(2 * 8));
            product(&[rows_trained, per_row]).saturating_add(product(&[raw_columns, boosting::HISTOGRAM]))
        }
        // The ranks.
        Algorithm::DecisionTree => product(&[rows_trained, raw_columns, 4]),
        // linfa-svm stores the kernel matrix twice.
        Algorithm::Svm if is_linfa => product(&[rows_trained, rows_trained, 2 * 8]).saturating_add(matrix(8)),
        // The matrix is converted to `f32`.
        Algorithm::Svm => matrix(DESIGN_CELL + 4),
        Algorithm::LogisticRegression | Algorithm::Ridge => matrix(DESIGN_CELL),
        // A search estimates each trial, and skips those that do not fit.
        Algorithm::Auto => 0,
    };
    BASE.saturating_add(product(&[rows, raw_columns, 4])).saturating_add(table.max(training))
}

/// The sum of everything, as if nothing were freed.
fn most(shape: &TrainingShape, algorithm: Algorithm, params: &Params, threads: u64) -> u64 {
    let TrainingShape { rows, row_bytes, raw_columns, outputs, .. } = *shape;
    let table =
        product(&[rows, row_bytes.saturating_add(2 * 8)]).saturating_add(product(&[rows, raw_columns, RAW_CELL]));
    // The predictions for the held-out part.
    let predictions = product(&[rows, outputs, 8]).saturating_add(validation_bytes(shape, params));
    // Each raw value can have an indicator for missing values.
    let design_columns = shape.design_columns.saturating_add(raw_columns);
    let design_matrix = product(&[rows, design_columns, DESIGN_CELL]);
    let is_linfa = params.choice(ENGINE) == LINFA;
    let (training, trees) = match algorithm {
        Algorithm::RandomForest | Algorithm::ExtraTrees => {
            let growing = product(&[rows, 16 * 2 + 8, threads]);
            // The out-of-bag predictions, of each thread up to `forest::out_of_bag::MAX_PARTS`, and their sum.
            let sums = product(&[rows, outputs.saturating_add(1), 8, threads.min(4).saturating_add(1)]);
            (growing.saturating_add(sums), params.int("n_trees").unwrap_or(100).unsigned_abs())
        }
        Algorithm::GradientBoosting => {
            let rounds = params.int("n_rounds").unwrap_or(2_000).unsigned_abs();
            (boosting::most_bytes(shape, params), rounds.saturating_mul(outputs))
        }
        // Per node: the ranks of its rows for both sides of missing values, in our matrix and in linfa's sorted copies.
        Algorithm::DecisionTree => (product(&[rows, raw_columns, 2 * (4 + 4 + 16 + 16)]), 1),
        // linfa-svm stores the kernel matrix twice.
        Algorithm::Svm if is_linfa => {
            (product(&[rows, rows, 2 * 8]).saturating_add(design_matrix.saturating_mul(LINFA_COPIES)), 0)
        }
        Algorithm::Svm => {
            let cache = params.int("cache_mb").unwrap_or(200).unsigned_abs().saturating_mul(1 << 20);
            (design_matrix.saturating_add(svm::most_bytes(rows, design_columns, cache, threads)), 0)
        }
        Algorithm::LogisticRegression if is_linfa => {
            (product(&[rows, outputs, 8]).saturating_add(design_matrix).saturating_mul(LINFA_COPIES), 0)
        }
        Algorithm::LogisticRegression | Algorithm::Ridge => {
            (design_matrix.saturating_add(linear::most_bytes(rows, design_columns, outputs)), 0)
        }
        Algorithm::Auto => (0, 0),
    };
    let trees = tree_bytes(shape, algorithm, params).saturating_mul(trees);
    [table, predictions, training, trees].into_iter().fold(BASE, u64::saturating_add)
}

/// The rows of a model that is not saved, and the predictions of all folds with a copy for the calibration, while the table and
/// the rows of the saved model are in memory.
fn validation_bytes(shape: &TrainingShape, params: &Params) -> u64 {
    let TrainingShape { rows, raw_columns, outputs, .. } = *shape;
    let per_row = product(&[raw_columns, RAW_CELL]).saturating_add(product(&[outputs, 2 * 8]));
    let is_on = |name: &str| !matches!(params.choice(name), "" | "off");
    let validates =
        params.int(CV).unwrap_or(0) > 0 || [CALIBRATION, TUNE_THRESHOLD, LEARNING_CURVE].into_iter().any(is_on);
    if validates { product(&[rows, per_row]) } else { 0 }
}

fn product(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product, factor| product.saturating_mul(*factor))
}

/// One tree with the most leaves that the parameters allow, each with a number per class; a boosted tree has one number.
fn tree_bytes(shape: &TrainingShape, algorithm: Algorithm, params: &Params) -> u64 {
    // Without a parameter a forest has the default of its task.
    let default = CLASSIFICATION_LEAF_ROWS.min(REGRESSION_LEAF_ROWS);
    let min_leaf = params.int("min_samples_leaf").unwrap_or(default).unsigned_abs().max(1);
    let depth = params.int("max_depth").map_or(63, i64::unsigned_abs).min(63) as u32;
    let max_leaves = params.int("max_leaves").map_or(u64::MAX, i64::unsigned_abs);
    let leaves = (shape.rows / min_leaf).min(1 << depth).min(max_leaves).max(1);
    let values = if algorithm == Algorithm::GradientBoosting { 1 } else { shape.outputs };
    leaves.saturating_mul(values.saturating_mul(LEAF_VALUE).saturating_add(2 * NODE))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(algorithm: Algorithm, params: &Value) -> Params {
        Params::parse(algorithm, params.as_object().unwrap()).unwrap()
    }

    fn of(shape: TrainingShape, algorithm: Algorithm, params: Value) -> MemoryEstimate {
        estimate(&shape, algorithm, &parsed(algorithm, &params), 2)
    }

    fn shape(rows: u64, outputs: u64) -> TrainingShape {
        TrainingShape { rows, row_bytes: 240, raw_columns: 30, category_columns: 5, design_columns: 60, outputs }
    }

    #[test]
    fn the_estimate_increases_with_the_parameters_and_the_classes() {
        let forest = |rows, outputs, params| of(shape(rows, outputs), Algorithm::RandomForest, params).most;
        let full = forest(100_000, 1, json!({"n_trees": 100}));
        assert!(full > forest(100_000, 1, json!({"n_trees": 10})));
        assert!(full > forest(100_000, 1, json!({"n_trees": 100, "max_depth": 5})));
        assert!(full > forest(100_000, 1, json!({"n_trees": 100, "min_samples_leaf": 50})));
        assert!(full > forest(10_000, 1, json!({"n_trees": 100})));
        assert!(
            full < forest(100_000, 1, json!({"n_trees": 100, "cv": 5})),
            "the rows of a fold and their predictions"
        );
        let many = forest(100_000, 1_000, json!({"min_samples_leaf": 10}));
        assert!(many > 100_000 / 10 * 1_000 * 100 * LEAF_VALUE, "the leaves alone are larger: {many}");
        let svm = |params| of(shape(5_000, 1), Algorithm::Svm, params);
        let linfa = svm(json!({"engine": "linfa"}));
        assert!(linfa.least > 3_500 * 3_500 * 2 * 8, "the kernel matrix alone is larger: {linfa:?}");
        assert!(svm(json!({"cache_mb": 10})).most < svm(json!({"cache_mb": 50})).most);
        assert_eq!(svm(json!({"cache_mb": 10})).least, svm(json!({"cache_mb": 50})).least, "few rows may be cached");
        assert!(svm(json!({"cache_mb": 200})).most < linfa.most);
    }

    #[test]
    fn the_lower_bound_does_not_decrease_with_the_shape() {
        let small = shape(2_000, 2);
        let larger = [
            TrainingShape { rows: 2_001, ..small },
            TrainingShape { row_bytes: 248, ..small },
            TrainingShape { raw_columns: 31, ..small },
            TrainingShape { category_columns: 6, ..small },
            TrainingShape { design_columns: 61, ..small },
            TrainingShape { outputs: 3, ..small },
        ];
        for algorithm in Algorithm::ALL {
            let MemoryEstimate { least, most } = of(small, algorithm, json!({}));
            assert!(least <= most, "{algorithm:?}");
            for shape in larger {
                assert!(of(shape, algorithm, json!({})).least >= least, "{algorithm:?}: {shape:?}");
            }
        }
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let most = u64::MAX;
        let shape = TrainingShape {
            rows: most,
            row_bytes: most,
            raw_columns: most,
            category_columns: most,
            design_columns: most,
            outputs: most,
        };
        for algorithm in Algorithm::ALL {
            assert_eq!(of(shape, algorithm, json!({})).most, u64::MAX);
        }
    }
}
