//! Compiled predictors compared with the reference implementation, and predictions for requests.

use proptest::prelude::*;
use serde_json::json;
use trainyard_domain::Algorithm;

use super::boosted::CompiledBoosting;
use super::flat::FlatForest;
use super::keys::Keys;
use super::{Outcome, Prediction, Predictor, Row, Scratch};
use crate::artifact;
use crate::artifact::samples::{self, Stream};
use crate::model::{BoostedTrees, Estimator, NodeSplit, Task, Tree, TreeEnsemble};

fn row(value: serde_json::Value) -> Row {
    value.as_object().unwrap().clone()
}

fn predictor(which: usize) -> Predictor {
    Predictor::load(&artifact::encode(&samples::all(7)[which])).unwrap()
}

/// Values that equal thresholds, lie between them or far outside, or are missing.
fn raw_value(random: &mut Stream) -> f32 {
    match random.below(8) {
        0 => f32::NAN,
        1 => f32::MAX,
        2 => f32::MIN,
        3 => -0.0,
        4 | 5 => random.below(9) as f32 - 3.0,
        _ => (random.unit() * 10.0 - 4.0) as f32,
    }
}

/// Compares each row alone, and all rows together, with the reference implementation, to the bit.
fn compare_with_reference(ensemble: TreeEnsemble, features: usize, rows: usize, random: &mut Stream) {
    let forest = FlatForest::compile(&ensemble, features);
    let raw: Vec<f32> = (0..rows * features).map(|_| raw_value(random)).collect();
    let outputs = ensemble.outputs;
    let mut keys = Keys::default();
    let mut together = vec![9.0; rows * outputs];
    forest.predict(&raw, &mut keys, &mut together);
    for (raw, together) in raw.chunks_exact(features).zip(together.chunks_exact(outputs)) {
        let (mut alone, mut expected) = (vec![9.0; outputs], vec![9.0; outputs]);
        forest.predict(raw, &mut keys, &mut alone);
        assert_eq!(alone, together, "a prediction depends on the other rows");
        ensemble.predict(raw, &mut expected);
        assert_eq!(alone, expected);
    }
}

/// As [`compare_with_reference`], for boosted trees in the order of their rounds.
fn compare_boosted(boosted: &BoostedTrees, features: usize, rows: usize, random: &mut Stream) {
    let compiled = CompiledBoosting::new(boosted, features);
    let raw: Vec<f32> = (0..rows * features).map(|_| raw_value(random)).collect();
    let outputs = boosted.response.baseline.len();
    let (mut keys, mut sums, mut together) = (Keys::default(), Vec::new(), vec![9.0; rows * outputs]);
    compiled.predict(&raw, &mut keys, &mut sums, &mut together);
    for (raw, together) in raw.chunks_exact(features).zip(together.chunks_exact(outputs)) {
        let (mut alone, mut expected) = (vec![9.0; outputs], vec![9.0; outputs]);
        compiled.predict(raw, &mut keys, &mut sums, &mut alone);
        assert_eq!(alone, together, "a prediction depends on the other rows");
        boosted.predict(raw, &mut expected);
        assert_eq!(alone, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn compiled_trees_predict_like_the_reference(
        seed in any::<u64>(), features in 1..40_usize, outputs in 1..5_usize, trees in 1..40_usize,
        splits in 0..60_usize, rows in 1..60_usize,
    ) {
        let random = &mut Stream(seed);
        let ensemble = samples::forest(random, features, outputs, trees, splits);
        compare_with_reference(ensemble, features, rows, random);
    }

    #[test]
    fn compiled_boosting_predicts_like_the_reference(
        seed in any::<u64>(), features in 1..40_usize, which in 0..3_usize, rows in 1..60_usize,
    ) {
        let random = &mut Stream(seed);
        let task = [samples::binary(), samples::three_classes(), Task::Regression][which].clone();
        compare_boosted(&samples::boosted(random, features, &task), features, rows, random);
    }
}

/// The weighted sum of the members is that of the reference implementation. Trees are added in another order, so the last
/// bits can differ.
#[test]
fn compiled_ensembles_and_calibrated_models_predict_like_the_reference() {
    let random = &mut Stream(11);
    let ensembles = [(12, samples::binary()), (13, samples::three_classes()), (14, Task::Regression)];
    let calibrated = [(15, samples::binary()), (16, samples::three_classes())];
    for (which, task) in ensembles.into_iter().chain(calibrated) {
        let (predictor, model) = (predictor(which), samples::all(7).swap_remove(which));
        let rows = 50;
        let (mut raw, mut unseen) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let code = random.below(5);
            // Codes, a missing value and an unseen category.
            let category = if code < 3 { code as f32 } else { f32::NAN };
            raw.extend([raw_value(random).clamp(-50.0, 50.0), random.below(2) as f32, category]);
            unseen.extend([false, false, code == 4]);
        }
        let outputs = task.outputs();
        let mut together = vec![9.0; rows * outputs];
        predictor.predict_raw(&raw, &unseen, &mut Scratch::default(), &mut together);
        let rows = raw.chunks_exact(3).zip(unseen.chunks_exact(3)).zip(together.chunks_exact(outputs));
        let mut scratch = Scratch::default();
        for ((raw, unseen), together) in rows {
            let (mut alone, mut expected) = (vec![9.0; outputs], vec![9.0; outputs]);
            predictor.predict_raw(raw, unseen, &mut scratch, &mut alone);
            assert_eq!(alone, together, "a prediction depends on the other rows");
            model.estimator.predict(&task, raw, unseen, &mut expected);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
            assert!(alone.iter().zip(&expected).all(close), "{alone:?} for {expected:?}");
        }
    }
}

#[test]
fn many_and_medium_trees_predict_like_the_reference() {
    let random = &mut Stream(6);
    // At most, and more than, 128 leaves; several hundred trees of different depths.
    for (features, outputs, trees, splits) in [(3, 1, 20, 127), (3, 1, 20, 150), (4, 2, 9, 400), (5, 1, 600, 20)] {
        let ensemble = samples::forest(random, features, outputs, trees, splits);
        for rows in [1, 7, 8, 32, 39, 41] {
            compare_with_reference(ensemble.clone(), features, rows, random);
        }
    }
}

#[test]
fn wide_models_and_large_trees_predict_like_the_reference() {
    let random = &mut Stream(5);
    // More than 1,023 features, more than 16,383 features, and more than 131,071 nodes with many features.
    for (features, splits) in [(1_023, 500), (1_024, 500), (2_000, 70_000), (16_384, 200)] {
        let tree = samples::tree(random, features, 1, splits);
        compare_with_reference(TreeEnsemble { outputs: 1, trees: vec![tree] }, features, 20, random);
    }
}

#[test]
fn a_degenerate_tree_of_maximum_depth_is_walked_to_its_end() {
    let mut tree = Tree::default();
    let mut last = tree.push_empty_leaf(20.0);
    for level in 0..5_000_u32 {
        // The left child is a leaf, the right child the next split.
        let split = NodeSplit { feature: 0, threshold: level as f32, missing_right: level < 10, covers: [1.0; 2] };
        let left = tree.split(last, split);
        tree.set_values(left, &[if level == 10 { 0.5 } else { 0.25 }]);
        last = left + 1;
    }
    tree.set_values(last, &[0.75]);
    let ensemble = TreeEnsemble { outputs: 1, trees: vec![tree; 9] };
    let mut outputs = [0.0; 3];
    FlatForest::compile(&ensemble, 1).predict(&[4_999.5, 4_998.5, f32::NAN], &mut Keys::default(), &mut outputs);
    assert_eq!(outputs, [0.75, 0.25, 0.5]);
}

#[test]
fn binary_predictions_have_the_probability_of_the_positive_class() {
    let predictor = predictor(0);
    let prediction = predictor.predict_one(&row(json!({"age": 29, "alone": false, "embarked": "C"}))).unwrap();
    let Outcome::Binary { prob, positive, label } = &prediction.outcome else { panic!("{prediction:?}") };
    assert_eq!((*positive, label.as_str()), if *prob >= 0.5 { (true, "1") } else { (false, "0") });
    assert!(prediction.warnings.is_empty());
}

#[test]
fn multiclass_predictions_have_all_probabilities() {
    for which in [1, 4, 6] {
        let prediction = predictor(which).predict_one(&row(json!({"age": 3}))).unwrap();
        let Outcome::Class { label, probabilities } = prediction.outcome else { panic!() };
        assert_eq!(probabilities.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let best = probabilities.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert_eq!(best.0, label);
    }
}

#[test]
fn warnings_name_missing_and_unknown_values() {
    for which in 0..7 {
        let prediction = predictor(which).predict_one(&row(json!({"alone": null, "embarked": "Z"}))).unwrap();
        assert_eq!(
            prediction.warnings,
            [
                "'age' is missing; imputed as in training",
                "'alone' is missing; imputed as in training",
                "'embarked' has the category 'Z', which did not occur in training",
            ]
        );
    }
}

#[test]
fn errors_name_unknown_and_mistyped_features() {
    let predictor = predictor(0);
    let errors = predictor
        .predict_one(&row(json!({"age": "old", "alone": 2, "embarked": ["S"], "cabin": 1})))
        .unwrap_err()
        .errors;
    let found: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("features.age", "must be a number, not 'old'"),
            ("features.alone", "must be true or false, not a number other than 0 and 1"),
            ("features.embarked", "must be a string, not an array"),
            ("features.cabin", "is not a feature of this model; its features are age, alone, embarked"),
        ]
    );
    let rows = [row(json!({})), row(json!({"age": true}))];
    assert_eq!(predictor.predict(&rows).unwrap_err().errors[0].field, "instances[1].age");
}

#[test]
fn the_number_of_errors_is_limited() {
    let rows = vec![row(json!({"age": "old"})); 5_000];
    let refused = predictor(0).predict(&rows).unwrap_err();
    assert_eq!((refused.errors.len(), refused.omitted), (100, 924), "rows after the first chunk are not read");
    let unknown: serde_json::Map<_, _> = (0..10_000).map(|i| (format!("x{i}"), json!(1))).collect();
    let refused = predictor(0).predict_one(&unknown).unwrap_err();
    assert_eq!((refused.errors.len(), refused.omitted), (100, 9_900));
}

#[test]
fn the_number_of_warnings_is_limited() {
    let rows = vec![row(json!({"embarked": "Z".repeat(500)})); 8_000];
    let predictions = predictor(0).predict(&rows).unwrap();
    let named =
        |prediction: &Prediction| prediction.warnings.iter().filter(|warning| warning.starts_with('\'')).count();
    assert_eq!(predictions.iter().map(named).sum::<usize>(), 20_000);
    let last = &predictions.last().unwrap().warnings;
    assert_eq!(last, &["3 more features are missing or have a category that did not occur in training"]);
    assert!(predictions[0].warnings.iter().all(|warning| warning.len() < 200));
}

#[test]
fn booleans_have_several_spellings() {
    let predictor = predictor(3);
    let predict = |value: serde_json::Value| predictor.predict_one(&row(json!({"age": 5, "alone": value}))).unwrap();
    for yes in [json!(1), json!(1.0), json!("yes"), json!("True"), json!("1")] {
        assert_eq!(predict(yes.clone()), predict(json!(true)), "{yes}");
    }
    assert_ne!(predict(json!("no")).outcome, predict(json!(true)).outcome);
}

#[test]
fn a_batch_of_several_chunks_keeps_its_order() {
    let predictor = predictor(2);
    let rows: Vec<_> = (0..2_500).map(|i| row(json!({"age": i % 9 - 3, "embarked": "S"}))).collect();
    let together = predictor.predict(&rows).unwrap();
    for (row, prediction) in rows.iter().zip(&together).step_by(97) {
        assert_eq!(&predictor.predict_one(row).unwrap(), prediction);
    }
    assert!(predictor.predict(&[]).unwrap().is_empty());
}

#[test]
fn predictions_that_are_not_finite_are_refused() {
    let mut linear = samples::linear(&mut Stream(1), 1);
    linear.weights[0] = 1e308;
    linear.weights[1] = -1e308;
    let model = samples::model(Task::Regression, Algorithm::LogisticRegression, Estimator::Linear(linear));
    let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
    let errors = predictor.predict_one(&row(json!({"age": 1e30}))).unwrap_err().errors;
    assert_eq!(errors[0].field, "features");
}

#[test]
fn a_predictor_has_metadata() {
    let predictor = predictor(0);
    assert_eq!(predictor.algorithm(), Algorithm::RandomForest);
    assert_eq!(predictor.signature().target, "survived");
    assert_eq!(predictor.manifest().seed, 42);
    assert!(predictor.memory_bytes() > 1_000);
}
