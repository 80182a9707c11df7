//! The forest through linfa's traits, and its properties.

use linfa::prelude::*;
use ndarray::{Array1, Array2, array};

use super::*;
use crate::rng::{Rng, Stream};

/// Rows whose class depends on the sum of the first two of six features, with `flips` percent wrong classes.
fn noisy_sum(rows: usize, flips: u32) -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(9, Stream::Split);
    let x = Array2::from_shape_fn((rows, 6), |_| rng.below(1_000) as f32 / 1_000.0);
    let y = x.rows().into_iter().map(|row| usize::from(row[0] + row[1] > 1.0)).collect::<Array1<_>>();
    let y = y.mapv(|class| if rng.below(100) < flips { 1 - class } else { class });
    (x, y)
}

fn classes() -> RandomForestParams<Classes> {
    RandomForestParams::default().n_trees(30)
}

#[test]
fn a_forest_implements_the_linfa_traits() {
    let (x, y) = noisy_sum(1_000, 5);
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    let model = classes().fit(&train).unwrap();
    let accuracy = model.predict(&test).confusion_matrix(&test).unwrap().accuracy();
    assert!(accuracy > 0.85, "{accuracy}");
    assert_eq!(model.classes(), [0, 1]);
    let probabilities = model.predict_probabilities(test.records());
    assert!(probabilities.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-9));
}

#[test]
fn importances_and_out_of_bag_score_are_plausible() {
    let (x, y) = noisy_sum(1_000, 5);
    let forest = classes().fit(&Dataset::new(x, y)).unwrap().forest().clone();
    let importances = &forest.importances;
    assert!((importances.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(importances[..2].iter().all(|signal| importances[2..].iter().all(|noise| *signal > 3.0 * noise)));
    let score = forest.out_of_bag_score.unwrap();
    assert!((0.85..0.97).contains(&score), "5 % of the classes are wrong, so {score} is implausible");
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let (x, y) = noisy_sum(500, 10);
    let dataset = Dataset::new(x, y);
    let grown = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| classes().fit(&dataset).unwrap())
    };
    assert_eq!(grown(1), grown(3));
    assert_ne!(grown(1), classes().seed(43).fit(&dataset).unwrap());
}

#[test]
fn random_thresholds_find_the_signal_and_differ_from_the_best_ones() {
    let (x, y) = noisy_sum(1_000, 5);
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    let random = || classes().thresholds(Thresholds::Random).bootstrap(false);
    let model = random().fit(&train).unwrap();
    let accuracy = model.predict(&test).confusion_matrix(&test).unwrap().accuracy();
    assert!(accuracy > 0.85, "{accuracy}");
    let forest = model.forest();
    assert_eq!(forest.out_of_bag_score, None, "without bootstrap");
    assert!(forest.importances[..2].iter().all(|signal| forest.importances[2..].iter().all(|noise| signal > noise)));
    let roots: std::collections::BTreeSet<u32> =
        forest.trees.trees.iter().map(|tree| tree.threshold[0].to_bits()).collect();
    assert!(roots.len() > 20, "{} different thresholds of 30 roots", roots.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(pool.install(|| random().fit(&train).unwrap()), model);
    let score = random().bootstrap(true).fit(&train).unwrap().forest().out_of_bag_score.unwrap();
    assert!((0.8..0.97).contains(&score), "{score}");
}

#[test]
fn random_thresholds_split_off_missing_values() {
    // The class is whether the value is missing; one number is constant.
    let x = Array2::from_shape_fn((200, 2), |(row, column)| match (column, row % 2) {
        (0, 0) => f32::NAN,
        (0, _) => 5.0,
        _ => (row / 2) as f32,
    });
    let y: Array1<usize> = (0..200).map(|row| row % 2).collect();
    let params = classes().thresholds(Thresholds::Random).bootstrap(false).max_features(MaxFeatures::All);
    let model = params.fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    assert_eq!(model.predict(&x), y);
    // Missing values go to the side of the numbers that predict like them.
    let x = Array2::from_shape_fn((300, 1), |(row, _)| if row % 3 == 0 { f32::NAN } else { (row % 3) as f32 });
    let y: Array1<usize> = (0..300).map(|row| usize::from(row % 3 != 1)).collect();
    assert_eq!(params_of_one_column().fit(&Dataset::new(x.clone(), y.clone())).unwrap().predict(&x), y);
}

fn params_of_one_column() -> RandomForestParams<Classes> {
    classes().thresholds(Thresholds::Random).bootstrap(false).min_samples_leaf(20)
}

#[test]
fn several_classes_and_string_labels_are_supported() {
    let (x, _) = noisy_sum(600, 0);
    let name = |sum: f32| {
        if sum < 0.7 {
            "low"
        } else if sum < 1.3 {
            "middle"
        } else {
            "high"
        }
    };
    let y: Array1<&str> = x.rows().into_iter().map(|row| name(row[0] + row[1])).collect();
    let dataset = Dataset::new(x, y.mapv(str::to_owned));
    let model = classes().fit(&dataset).unwrap();
    assert_eq!(model.classes(), ["high", "low", "middle"]);
    assert!(model.forest().out_of_bag_score.unwrap() > 0.8);
    // Trees with pure leaves memorize most rows.
    assert!(model.predict(&dataset).confusion_matrix(&dataset).unwrap().accuracy() > 0.99);
}

#[test]
fn both_implementations_of_binary_classification_agree() {
    let (x, y) = noisy_sum(300, 10);
    let columns: Vec<Vec<f32>> = x.columns().into_iter().map(|column| column.to_vec()).collect();
    let binned = Binned::new(300, &columns);
    let y: Vec<u32> = y.iter().map(|class| *class as u32).collect();
    let params = classes().n_trees(5).check().unwrap();
    let binary = fit_classes(&binned, &y, 2, &params, None, &|_, _| true).unwrap();
    let target = ClassTarget { classes: &y, weights: &[1.0, 1.0], criterion: Criterion::Gini };
    let (mut general, _) =
        grow_all(&binned, &target, (2, 1.0), &params, (&|_: &OutOfBag| None, None, &|_, _| true)).unwrap();
    keep_positive_probability(&mut general.trees);
    assert_eq!(binary.trees, general.trees);
}

#[test]
fn both_implementations_treat_missing_values_alike() {
    let (x, y) = noisy_sum(300, 10);
    let mut rng = Rng::new(4, Stream::Split);
    let hide = |value: &f32, rng: &mut Rng| if rng.below(4) == 0 { f32::NAN } else { *value };
    let columns: Vec<Vec<f32>> =
        x.columns().into_iter().map(|column| column.iter().map(|value| hide(value, &mut rng)).collect()).collect();
    let binned = Binned::new(300, &columns);
    let y: Vec<u32> = y.iter().map(|class| *class as u32).collect();
    let params = classes().n_trees(5).min_samples_leaf(5).check().unwrap();
    let binary = fit_classes(&binned, &y, 2, &params, None, &|_, _| true).unwrap();
    let target = ClassTarget { classes: &y, weights: &[1.0, 1.0], criterion: Criterion::Gini };
    let (mut general, _) =
        grow_all(&binned, &target, (2, 1.0), &params, (&|_: &OutOfBag| None, None, &|_, _| true)).unwrap();
    keep_positive_probability(&mut general.trees);
    assert_eq!(binary.trees, general.trees);
}

#[test]
fn a_regressor_predicts_numbers() {
    let (x, _) = noisy_sum(1_000, 0);
    // A large offset, to detect a loss of precision in the sums.
    let y: Array1<f32> = x.rows().into_iter().map(|row| 1_000.0 + row[0] * row[1]).collect();
    let params = RandomForestParams::<Numbers>::default().n_trees(40).max_features(MaxFeatures::Third);
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    let model = params.fit(&train).unwrap();
    let r2 = model.predict(&test).r2(&test).unwrap();
    assert!(r2 > 0.9, "{r2}");
    let score = model.forest().out_of_bag_score.unwrap();
    assert!((score - f64::from(r2)).abs() < 0.1, "{score} out of bag, {r2} held out");
}

#[test]
fn missing_values_can_be_split_off() {
    let x = array![[f32::NAN], [1.0], [f32::NAN], [2.0], [f32::NAN], [3.0]];
    let y = array![1_usize, 0, 1, 0, 1, 0];
    let model = classes().bootstrap(false).n_trees(1).fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    assert_eq!(model.predict(&x), y);
    let tree = &model.forest().trees.trees[0];
    assert_eq!((tree.len(), tree.threshold[0]), (3, f32::MIN));
}

/// The values of a tree with one split for a missing, a low and a high value.
fn stump(forest: &Forest) -> [Vec<f32>; 3] {
    let TreeEnsemble { outputs, trees } = &forest.trees;
    assert_eq!(trees[0].len(), 3);
    [f32::NAN, 1.0, 6.0].map(|value| trees[0].leaf(&[value], *outputs).unwrap().to_vec())
}

#[test]
fn missing_values_are_tried_on_both_sides() {
    let low_is_missing = array![[1.0], [f32::NAN], [2.0], [4.0], [5.0], [6.0]];
    let high_is_missing = array![[1.0], [2.0], [3.0], [4.0], [f32::NAN], [6.0]];
    let targets = array![0_usize, 0, 0, 1, 1, 1];
    for (x, side) in [(low_is_missing, 1), (high_is_missing, 2)] {
        for criterion in [Criterion::Gini, Criterion::Entropy] {
            let params = classes().bootstrap(false).n_trees(1).max_depth(Some(1)).criterion(criterion);
            let found = stump(params.fit(&Dataset::new(x.clone(), targets.clone())).unwrap().forest());
            assert_eq!((&found[0], &found[1], &found[2]), (&found[side], &vec![0.0], &vec![1.0]));
        }
        let numbers = targets.mapv(|class| class as f32);
        let params = RandomForestParams::<Numbers>::default().bootstrap(false).n_trees(1).max_depth(Some(1));
        let found = stump(params.fit(&Dataset::new(x, numbers)).unwrap().forest());
        assert_eq!((&found[0], &found[1], &found[2]), (&found[side], &vec![0.0], &vec![1.0]));
    }
}

#[test]
fn missing_values_follow_the_heavier_side_of_a_single_tree_if_training_had_none() {
    let x = Array2::from_shape_fn((10, 1), |(row, _)| row as f32);
    for positives in [3, 7] {
        let y: Array1<usize> = (0..10).map(|row| usize::from(row >= 10 - positives)).collect();
        let stump_of = |weight| {
            let params = classes().bootstrap(false).n_trees(1).class_weight(weight);
            stump(params.fit(&Dataset::new(x.clone(), y.clone())).unwrap().forest())[0][0]
        };
        assert_eq!(stump_of(ClassWeight::Uniform), if positives == 7 { 1.0 } else { 0.0 });
        // With equal weights on both sides missing values go left.
        assert_eq!(stump_of(ClassWeight::Balanced), 0.0);
    }
}

#[test]
fn a_row_without_values_has_about_the_mean_prediction_if_training_had_none() {
    let (x, _) = noisy_sum(1_000, 0);
    let nothing = Array2::from_elem((1, 6), f32::NAN);
    for share in [0.1, 0.3, 0.6, 0.9] {
        let y: Array1<usize> = x.column(0).mapv(|value| usize::from(value < share));
        let params = RandomForestParams::<Classes>::default();
        let found = params.fit(&Dataset::new(x.clone(), y)).unwrap().predict_probabilities(&nothing)[[0, 1]];
        assert!((found - f64::from(share)).abs() < 0.12, "{found}, and {share} of the rows are positive");
    }
    let y: Array1<f32> = x.column(0).mapv(|value| value * value);
    let (mean, deviation) = (y.mean().unwrap(), y.std(0.0));
    let found = RandomForestParams::<Numbers>::default().fit(&Dataset::new(x, y)).unwrap().predict(&nothing)[0];
    assert!((found - mean).abs() < deviation / 2.5, "{found}, and the mean is {mean}");
}

#[test]
fn minimum_leaf_size_and_maximum_depth_are_respected() {
    let (x, y) = noisy_sum(400, 20);
    let dataset = Dataset::new(x, y);
    let forest = |params: RandomForestParams<Classes>| params.fit(&dataset).unwrap().forest().trees.clone();
    let depth_1 = forest(classes().max_depth(Some(1)));
    assert!(depth_1.trees.iter().all(|tree| tree.len() == 3));
    let wide = forest(classes().min_samples_leaf(100));
    assert!(wide.trees.iter().all(|tree| tree.values.len() <= 4));
    assert!(wide.nodes() < forest(classes()).nodes() / 10);
}

#[test]
fn balanced_class_weights_find_rare_classes() {
    let mut rng = Rng::new(3, Stream::Split);
    let x = Array2::from_shape_fn((1_000, 2), |_| rng.below(1_000) as f32);
    // 5 % of the rows are positive, all in a region where most rows are negative.
    let y: Array1<usize> = x.column(0).mapv(|value| usize::from(value > 850.0 && rng.below(3) == 0));
    let dataset = Dataset::new(x.clone(), y.clone());
    let params = classes().max_depth(Some(3)).max_features(MaxFeatures::All);
    let found = |params: RandomForestParams<Classes>| params.fit(&dataset).unwrap().predict(&x).sum();
    assert!(found(params.clone().class_weight(ClassWeight::Balanced)) > 5 * found(params).max(10));
}

#[test]
fn the_callback_can_stop_the_training() {
    let (x, y) = noisy_sum(200, 0);
    let columns: Vec<Vec<f32>> = x.columns().into_iter().map(|column| column.to_vec()).collect();
    let y: Vec<u32> = y.iter().map(|class| *class as u32).collect();
    let seen = Mutex::new(Vec::new());
    let on_tree = |done, _: Score<'_>| {
        seen.lock().unwrap().push(done);
        done < 5
    };
    let params = classes().n_trees(500).check().unwrap();
    assert!(fit_classes(&Binned::new(200, &columns), &y, 2, &params, None, &on_tree).is_none());
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() < 50 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn invalid_parameters_are_refused() {
    let (x, y) = noisy_sum(10, 0);
    let dataset = Dataset::new(x, y);
    for bad in [classes().n_trees(0), classes().max_depth(Some(0)), classes().min_samples_leaf(0)] {
        assert!(matches!(bad.fit(&dataset), Err(Error::Parameters(_))));
    }
    let weighted = dataset.with_weights(Array1::ones(10));
    assert!(matches!(classes().fit(&weighted), Err(Error::Parameters(_))));
}

#[test]
fn max_features_is_computed_correctly() {
    let of = |max: MaxFeatures| [1, 2, 7, 30].map(|features| max.of(features));
    assert_eq!(of(MaxFeatures::Sqrt), [1, 1, 2, 5]);
    assert_eq!(of(MaxFeatures::Log2), [1, 1, 2, 4]);
    assert_eq!(of(MaxFeatures::Third), [1, 1, 2, 10]);
    assert_eq!(of(MaxFeatures::All), [1, 2, 7, 30]);
}
