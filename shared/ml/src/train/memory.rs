//! How much memory a training run will take, before it runs: rough, from above, so that a job that can't fit is refused
//! at submission and not killed an hour later.

use serde_json::Value;
use trainyard_domain::{Algorithm, JobSpec};

/// What the process takes without any data.
const BASE: u64 = 32 << 20;
/// A cell as text with its end, and typed: both are held while a table is read.
const CELL: u64 = 12 + 4 + 8;
/// A cell as a raw number and as a bin.
const RAW_CELL: u64 = 4 + 1;
/// A tree's node in memory and again in the encoded file.
const NODE: u64 = 2 * 16;

/// Bytes that training `spec` on a table of `rows` rows takes at its peak, `features` of its columns in use.
pub fn estimate_bytes(rows: u64, features: u64, spec: &JobSpec) -> u64 {
    let int = |name: &str, default: u64| spec.params.get(name).and_then(Value::as_u64).unwrap_or(default);
    let cells = rows.saturating_mul(features.saturating_add(1));
    let table = cells.saturating_mul(CELL + RAW_CELL);
    let model = match spec.algorithm {
        Algorithm::RandomForest => {
            // A tree splits until its leaves are pure: at worst a leaf a drawn row, and as many splits.
            let draws = rows.saturating_mul(2) / 3;
            let leaves = draws / int("min_samples_leaf", 1).max(1);
            let by_depth = 1_u64.checked_shl(int("max_depth", 63).min(63) as u32).unwrap_or(u64::MAX);
            let nodes = leaves.min(by_depth).saturating_mul(2);
            // Per tree in the making: samples twice, counts; two at a time at least.
            let growing = rows.saturating_mul(16 * 2 + 8).saturating_mul(2);
            nodes.saturating_mul(NODE).saturating_mul(int("n_trees", 100)).saturating_add(growing)
        }
        // Node by node, the rows of the node as ranks, in our matrix and in linfa's sorted copies.
        Algorithm::DecisionTree => cells.saturating_mul(4 + 4 + 16 + 16),
        // linfa-svm holds the kernel of all pairs of rows, and makes a copy of it.
        Algorithm::Svm => rows.saturating_mul(rows).saturating_mul(2 * 8).saturating_add(cells.saturating_mul(3 * 8)),
        Algorithm::LogisticRegression => cells.saturating_mul(3 * 8),
        Algorithm::Noop => 0,
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
            priority: 0,
            run_at: None,
            max_attempts: 1,
            timeout_s: 60,
            webhook_url: None,
            seed: 1,
        }
    }

    #[test]
    fn what_costs_more_is_estimated_higher() {
        let forest = |rows, params| estimate_bytes(rows, 30, &spec(Algorithm::RandomForest, params));
        let full = forest(100_000, serde_json::json!({"n_trees": 100}));
        assert!(full > forest(100_000, serde_json::json!({"n_trees": 10})));
        assert!(full > forest(100_000, serde_json::json!({"n_trees": 100, "max_depth": 5})));
        assert!(full > forest(10_000, serde_json::json!({"n_trees": 100})));
        let svm = estimate_bytes(5_000, 30, &spec(Algorithm::Svm, serde_json::json!({})));
        assert!(svm > 5_000 * 5_000 * 8, "the kernel alone has that much: {svm}");
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        for algorithm in Algorithm::ALL {
            assert_eq!(estimate_bytes(u64::MAX, u64::MAX, &spec(algorithm, serde_json::json!({}))), u64::MAX);
        }
    }
}
