//! An upper estimate of the memory of a training run, so that a job that can't succeed is refused at submission.

use serde_json::Value;
use trainyard_domain::algorithm::{ENGINE, LINFA};
use trainyard_domain::{Algorithm, JobSpec};

use crate::{linear, svm};

/// Memory of the process without data.
const BASE: u64 = 32 << 20;
/// A cell as a string with its end offset, and as a typed value; both exist while a table is read.
const CELL: u64 = 12 + 4 + 8;
/// A cell as a raw number and as a bin.
const RAW_CELL: u64 = 4 + 1;
/// A node in memory and in the encoded file.
const NODE: u64 = 2 * 16;

/// Peak memory in bytes for training `spec` on `rows` rows with `features` feature columns.
pub fn estimate_bytes(rows: u64, features: u64, spec: &JobSpec) -> u64 {
    let int = |name: &str, default: u64| spec.params.get(name).and_then(Value::as_u64).unwrap_or(default);
    let cells = rows.saturating_mul(features.saturating_add(1));
    let table = cells.saturating_mul(CELL + RAW_CELL);
    let design_matrix = cells.saturating_mul(8);
    let is_linfa = spec.params.get(ENGINE).and_then(Value::as_str) == Some(LINFA);
    let model = match spec.algorithm {
        Algorithm::RandomForest => {
            // In the worst case a tree has one leaf per drawn row.
            let draws = rows.saturating_mul(2) / 3;
            let leaves = draws / int("min_samples_leaf", 1).max(1);
            let by_depth = 1_u64.checked_shl(int("max_depth", 63).min(63) as u32).unwrap_or(u64::MAX);
            let nodes = leaves.min(by_depth).saturating_mul(2);
            // Per growing tree: two copies of the samples, and the counts; at least two trees at a time.
            let growing = rows.saturating_mul(16 * 2 + 8).saturating_mul(2);
            nodes.saturating_mul(NODE).saturating_mul(int("n_trees", 100)).saturating_add(growing)
        }
        // Per node: the ranks of its rows, in our matrix and in linfa's sorted copies.
        Algorithm::DecisionTree => cells.saturating_mul(4 + 4 + 16 + 16),
        // linfa-svm stores the kernel matrix twice.
        Algorithm::Svm if is_linfa => {
            rows.saturating_mul(rows).saturating_mul(2 * 8).saturating_add(cells.saturating_mul(3 * 8))
        }
        Algorithm::Svm => {
            let cache = int("cache_mb", 200).saturating_mul(1 << 20);
            let solver = svm::estimate_bytes(rows, features, cache, rayon::current_num_threads() as u64);
            design_matrix.saturating_add(solver)
        }
        Algorithm::LogisticRegression if is_linfa => design_matrix.saturating_mul(3),
        Algorithm::LogisticRegression | Algorithm::Ridge => {
            design_matrix.saturating_add(linear::estimate_bytes(rows, features, 1))
        }
    };
    BASE.saturating_add(table).saturating_add(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trainyard_domain::{DatasetName, ModelName};

    fn spec(algorithm: Algorithm, params: Value) -> JobSpec {
        JobSpec {
            name: ModelName::parse("m").unwrap(),
            algorithm,
            features: vec![],
            dataset: DatasetName::parse("d").unwrap(),
            dataset_version: 1,
            target: "y".into(),
            params: params.as_object().unwrap().clone(),
            learning: trainyard_domain::spec::LearningOptions::default(),
            warnings: vec![],
            priority: 0,
            run_at: None,
            max_attempts: 1,
            timeout_s: 60,
            webhook_url: None,
            seed: 1,
        }
    }

    #[test]
    fn the_estimate_increases_with_the_parameters() {
        let forest = |rows, params| estimate_bytes(rows, 30, &spec(Algorithm::RandomForest, params));
        let full = forest(100_000, serde_json::json!({"n_trees": 100}));
        assert!(full > forest(100_000, serde_json::json!({"n_trees": 10})));
        assert!(full > forest(100_000, serde_json::json!({"n_trees": 100, "max_depth": 5})));
        assert!(full > forest(10_000, serde_json::json!({"n_trees": 100})));
        let svm = |params| estimate_bytes(5_000, 30, &spec(Algorithm::Svm, params));
        let linfa = svm(serde_json::json!({"engine": "linfa"}));
        assert!(linfa > 5_000 * 5_000 * 8, "the kernel matrix alone is larger: {linfa}");
        assert!(svm(serde_json::json!({"cache_mb": 10})) < svm(serde_json::json!({"cache_mb": 50})));
        assert!(svm(serde_json::json!({"cache_mb": 200})) < linfa);
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        for algorithm in Algorithm::ALL {
            assert_eq!(estimate_bytes(u64::MAX, u64::MAX, &spec(algorithm, serde_json::json!({}))), u64::MAX);
        }
    }
}
