//! The same data and the same job specification give the same model file, byte for byte.

use super::*;

const FEATURES: [&str; 6] = ["sex", "age", "sibsp", "parch", "fare", "embarked"];

fn artifact(algorithm: Algorithm, target: &str, seed: u64, threads: usize) -> Vec<u8> {
    let params = if algorithm == Algorithm::RandomForest { json!({"n_trees": 20}) } else { none() };
    let request = request(algorithm, &FEATURES, target, seed, params);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| run(TITANIC, &request).artifact)
}

#[test]
fn the_file_does_not_depend_on_the_number_of_threads() {
    for algorithm in classifiers() {
        for target in ["survived", "pclass"] {
            let one = artifact(algorithm, target, 7, 1);
            for threads in [2, 3] {
                assert!(one == artifact(algorithm, target, 7, threads), "{} of {target}", algorithm.as_str());
            }
        }
        assert!(artifact(algorithm, "survived", 7, 2) != artifact(algorithm, "survived", 8, 2));
    }
}

#[test]
fn multiclass_trees_are_deterministic() {
    let first = artifact(Algorithm::DecisionTree, "pclass", 3, 2);
    assert!((0..19).all(|_| artifact(Algorithm::DecisionTree, "pclass", 3, 2) == first));
}
