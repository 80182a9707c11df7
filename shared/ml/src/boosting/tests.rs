//! Gradient boosting through linfa's traits, and its properties.

use std::sync::Mutex;

use linfa::prelude::*;
use ndarray::{Array1, Array2, Axis, array, concatenate};

use super::*;
use crate::forest::ClassWeight;
use crate::metrics::regression::r2;

/// Rows whose class depends on the sum of the first two of six features, with `flips` percent wrong classes.
fn noisy_sum(rows: usize, flips: u32) -> (Array2<f64>, Array1<usize>) {
    let mut rng = Rng::new(9, Stream::Split);
    let x = Array2::from_shape_fn((rows, 6), |_| f64::from(rng.below(10_000)) / 10_000.0);
    let y = x.rows().into_iter().map(|row| usize::from(row[0] + row[1] > 1.0)).collect::<Array1<_>>();
    let y = y.mapv(|class| if rng.below(100) < flips { 1 - class } else { class });
    (x, y)
}

fn classifier() -> BoostingClassifierParams {
    BoostingParams::default()
}

/// A regressor without early stopping and random draws.
fn regressor() -> BoostingRegressorParams {
    let params = BoostingParams::default().n_rounds(100).learning_rate(0.1).early_stopping_rounds(None);
    params.subsample(1.0).feature_fraction(1.0).l2(1.0)
}

fn fit(params: BoostingClassifierParams, x: &Array2<f64>, y: &Array1<usize>) -> Boosted {
    params.fit(&Dataset::new(x.clone(), y.clone())).unwrap().boosted().clone()
}

#[test]
fn a_classifier_implements_the_linfa_traits() {
    let (x, y) = noisy_sum(2_000, 5);
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    let model = classifier().fit(&train).unwrap();
    let accuracy = model.predict(&test).confusion_matrix(&test).unwrap().accuracy();
    assert!(accuracy > 0.9, "{accuracy}");
    assert_eq!(model.classes(), [0, 1]);
    let probabilities = model.predict_probabilities(test.records());
    assert!(probabilities.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    let importances = &model.boosted().importances;
    assert!((importances.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(importances[..2].iter().all(|signal| importances[2..].iter().all(|noise| *signal > 5.0 * noise)));
}

#[test]
fn several_classes_and_string_labels_are_supported() {
    let (x, _) = noisy_sum(1_500, 0);
    let name = |sum: f64| ["low", "middle", "high"][usize::from(sum >= 0.7) + usize::from(sum >= 1.3)].to_owned();
    let y: Array1<String> = x.rows().into_iter().map(|row| name(row[0] + row[1])).collect();
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    let model = classifier().fit(&train).unwrap();
    assert_eq!(model.classes(), ["high", "low", "middle"]);
    assert!(model.predict(&test).confusion_matrix(&test).unwrap().accuracy() > 0.93);
    let probabilities = model.predict_probabilities(test.records());
    assert!(probabilities.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    assert_eq!(model.boosted().model.trees.trees.len(), 3 * model.boosted().n_rounds);
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    // More rows than one thread partitions at once.
    let (x, y) = noisy_sum(40_000, 10);
    let trained = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(classifier().n_rounds(8).seed(seed), &x, &y))
    };
    let one = trained(1, 1);
    assert_eq!(one, trained(2, 1));
    assert_eq!(one, trained(3, 1));
    assert_ne!(one, trained(2, 2));
}

#[test]
fn a_constant_feature_changes_nothing() {
    let (x, y) = noisy_sum(600, 10);
    for constant in [7.0, f64::NAN] {
        let wider = concatenate![Axis(1), x, Array2::from_elem((600, 1), constant)];
        let (plain, mut with_constant) = (fit(classifier(), &x, &y), fit(classifier(), &wider, &y));
        assert_eq!(with_constant.importances.pop(), Some(0.0));
        assert_eq!(plain, with_constant);
    }
}

#[test]
fn early_stopping_keeps_the_best_round() {
    let (x, y) = noisy_sum(2_000, 10);
    let mut rng = Rng::new(1, Stream::Split);
    let noise = y.mapv(|_| rng.below(2) as usize);
    let rounds = |y| fit(classifier().early_stopping_rounds(Some(20)), &x, y).n_rounds;
    let (of_signal, of_noise) = (rounds(&y), rounds(&noise));
    assert!(of_noise < 60 && of_signal > 2 * of_noise && of_signal < 1_000, "{of_signal}, {of_noise}");
    // The rounds after the best one are not part of the model.
    let losses = Mutex::new(Vec::new());
    let on_round = |_, loss: Option<f64>| {
        losses.lock().unwrap().push(loss.unwrap());
        true
    };
    let columns: Vec<Vec<f32>> = x.columns().into_iter().map(|column| column.mapv(|v| v as f32).to_vec()).collect();
    let bins = Bins::new(2_000, 6, &TrainColumn::plain(&columns));
    let validation: Vec<bool> = (0..2_000).map(|row| row % 10 == 3).collect();
    let classes: Vec<u32> = y.iter().map(|class| *class as u32).collect();
    let rows = Rows { bins: &bins, validation: &validation };
    let params = classifier().early_stopping_rounds(Some(20)).check().unwrap();
    let boosted = fit_classes(rows, &classes, 2, &params, StageCheckpoints::NONE, &on_round).unwrap();
    let losses = losses.into_inner().unwrap();
    assert_eq!(losses.len(), boosted.n_rounds + 20);
    assert_eq!(boosted.model.trees.trees.len(), boosted.n_rounds);
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!((boosted.validation_loss, losses[boosted.n_rounds - 1]), (Some(least), least));
    // The loss is that of the model: nothing differs between training and prediction.
    let found = (0..2_000).filter(|row| validation[*row]).map(|row| {
        let mut output = [0.0];
        let raw: Vec<f32> = x.row(row).iter().map(|value| *value as f32).collect();
        boosted.model.predict(&raw, &mut output);
        -(if y[row] == 1 { output[0] } else { 1.0 - output[0] }).ln()
    });
    let found = found.sum::<f64>() / 200.0;
    assert!((found - least).abs() < 1e-9, "{found} and {least}");
}

#[test]
fn missing_values_have_the_same_side_in_training_and_prediction() {
    let (mut x, _) = noisy_sum(1_000, 0);
    let mut rng = Rng::new(2, Stream::Split);
    // Rows without a value, and rows with large values, are positive.
    let y: Array1<usize> = x.column(2).mapv(|value| usize::from(!(0.3..0.6).contains(&value)));
    for (value, class) in x.column_mut(2).iter_mut().zip(&y) {
        if *value < 0.3 || (*class == 0 && rng.below(20) == 0) {
            *value = f64::NAN;
        }
    }
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    let model = classifier().n_rounds(60).learning_rate(0.2).early_stopping_rounds(None).fit(&train).unwrap();
    let accuracy = |dataset: &Dataset<f64, usize, ndarray::Ix1>| {
        model.predict(dataset).confusion_matrix(dataset).unwrap().accuracy()
    };
    assert!(accuracy(&train) > 0.97 && accuracy(&test) > 0.95, "{}, {}", accuracy(&train), accuracy(&test));
}

#[test]
fn missing_values_can_be_split_off() {
    let x = Array2::from_shape_fn((60, 1), |(row, _)| if row % 2 == 0 { f64::NAN } else { row as f64 });
    let y: Array1<f64> = (0..60).map(|row| f64::from(row % 2 == 0)).collect();
    let model = regressor().fit(&Dataset::new(x.clone(), y.clone())).unwrap();
    let tree = &model.boosted().model.trees.trees[0];
    assert_eq!((tree.len(), tree.threshold[0], tree.missing_right[0]), (3, f32::MIN, false));
    assert!(model.predict(&x).iter().zip(&y).all(|(a, b)| (a - b).abs() < 0.05));
}

/// The split of a stump has the gain of the best split that a search through all thresholds finds.
#[test]
fn a_stump_has_the_best_split() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed, Stream::Split);
        let x = Array2::from_shape_fn((60, 3), |_| match rng.below(6) {
            0 => f64::NAN,
            _ => f64::from(rng.below(12)),
        });
        let y: Array1<f64> = (0..60).map(|_| f64::from(rng.below(1_000))).collect();
        let params = regressor().n_rounds(1).max_leaves(2).min_samples_leaf(7).l2(2.0).learning_rate(1.0);
        let model = params.fit(&Dataset::new(x.clone(), y.clone())).unwrap();
        let tree = &model.boosted().model.trees.trees[0];
        let mean = y.mean().unwrap();
        let score = |rows: &[usize]| {
            let sum: f64 = rows.iter().map(|row| y[*row] - mean).sum();
            sum * sum / (rows.len() as f64 + 2.0)
        };
        let gain = |goes_left: &dyn Fn(usize) -> bool| {
            let (left, right): (Vec<usize>, Vec<usize>) = (0..60).partition(|row| goes_left(*row));
            (left.len() >= 7 && right.len() >= 7).then(|| score(&left) + score(&right))
        };
        let mut best = f64::NEG_INFINITY;
        for (column, threshold, missing_left) in
            (0..3).flat_map(|column| (-1..12).flat_map(move |value| [(column, value, false), (column, value, true)]))
        {
            let left = |row: usize| {
                let value: f64 = x[[row, column]];
                if value.is_nan() { missing_left } else { value <= f64::from(threshold) }
            };
            best = best.max(gain(&left).unwrap_or(f64::NEG_INFINITY));
        }
        let (column, threshold, missing_right) =
            (tree.feature[0] as usize, f64::from(tree.threshold[0]), tree.missing_right[0]);
        let found = gain(&|row| {
            let value: f64 = x[[row, column]];
            if value.is_nan() { !missing_right } else { value <= threshold }
        });
        assert!((found.unwrap() - best).abs() < 1e-6 * best, "{found:?} instead of {best}");
    }
}

#[test]
fn a_regressor_predicts_numbers_of_any_magnitude() {
    let (x, _) = noisy_sum(1_500, 0);
    for (offset, factor) in [(0.0, 1.0), (1e9, 1.0), (0.0, 1e-200), (0.0, 1e300)] {
        let y: Array1<f64> = x.rows().into_iter().map(|row| offset + factor * (row[0] * row[1] + row[2])).collect();
        let (train, test) = Dataset::new(x.clone(), y).split_with_ratio(0.8);
        let predicted = regressor().fit(&train).unwrap().predict(&test);
        let shifted = |values: &Array1<f64>| values.mapv(|value| (value - offset) / factor).to_vec();
        let score = r2(&shifted(test.targets()), &shifted(&predicted)).unwrap();
        assert!(score > 0.97, "{score} for {offset} + {factor} x");
    }
}

#[test]
fn a_quantile_has_its_share_of_the_targets_below() {
    let mut rng = Rng::new(4, Stream::Split);
    let x = Array2::from_shape_fn((4_000, 2), |_| rng.unit());
    // The spread depends on the first feature.
    let y: Array1<f64> = x.rows().into_iter().map(|row| 100.0 * row[1] + 50.0 * row[0] * rng.unit()).collect();
    let (train, test) = Dataset::new(x, y).split_with_ratio(0.8);
    for quantile in [0.1, 0.5, 0.9] {
        let params = regressor().max_leaves(7).min_samples_leaf(100).loss(RegressionLoss::Quantile { quantile });
        let predicted = params.fit(&train).unwrap().predict(&test);
        let below = predicted.iter().zip(test.targets()).filter(|(predicted, target)| target <= predicted).count();
        let share = below as f64 / test.targets().len() as f64;
        assert!((share - quantile).abs() < 0.05, "{share} for {quantile}");
    }
}

#[test]
fn poisson_predicts_the_mean_of_counts() {
    let mut rng = Rng::new(4, Stream::Split);
    let x = Array2::from_shape_fn((4_000, 2), |_| rng.unit());
    // Knuth's method for a Poisson distribution.
    let mut count = |mean: f64| {
        let (mut k, mut product) = (0, rng.unit());
        while product > (-mean).exp() {
            (k, product) = (k + 1, product * rng.unit());
        }
        f64::from(k)
    };
    let means: Vec<f64> = x.rows().into_iter().map(|row| (2.0 * row[0]).exp() - 0.9).collect();
    let y: Array1<f64> = means.iter().map(|mean| count(*mean)).collect();
    let predicted =
        regressor().loss(RegressionLoss::Poisson).fit(&Dataset::new(x.clone(), y.clone())).unwrap().predict(&x);
    assert!(predicted.iter().all(|mean| *mean > 0.0));
    let (mean, expected) = (predicted.mean().unwrap(), y.mean().unwrap());
    assert!((mean - expected).abs() < 0.02 * expected, "{mean} instead of {expected}");
    assert!(r2(&means, &predicted.to_vec()).unwrap() > 0.85);
    let poisson = || regressor().loss(RegressionLoss::Poisson);
    let refused = |y: Array1<f64>| poisson().fit(&Dataset::new(array![[1.0], [2.0]], y)).unwrap_err().to_string();
    assert!(refused(array![1.0, -1.0]).contains("not negative"));
    assert!(refused(array![0.0, 0.0]).contains("above 0"));
}

#[test]
fn the_limits_of_a_tree_are_respected() {
    let (x, y) = noisy_sum(1_000, 20);
    let trees = |params: BoostingClassifierParams| fit(params.n_rounds(20), &x, &y).model.trees.trees;
    let leaves = |tree: &Tree| tree.len().div_ceil(2);
    assert!(trees(classifier().max_leaves(7)).iter().all(|tree| leaves(tree) == 7));
    assert!(trees(classifier().max_depth(Some(2))).iter().all(|tree| leaves(tree) == 4));
    assert!(trees(classifier().min_samples_leaf(300)).iter().all(|tree| leaves(tree) <= 3));
    assert!(trees(classifier().min_hessian(1e3)).iter().all(|tree| leaves(tree) == 1));
}

#[test]
fn balanced_class_weights_find_rare_classes() {
    let mut rng = Rng::new(3, Stream::Split);
    let x = Array2::from_shape_fn((1_000, 2), |_| f64::from(rng.below(1_000)));
    // 5 % of the rows are positive, all in a region where most rows are negative.
    let y: Array1<usize> = x.column(0).mapv(|value| usize::from(value > 850.0 && rng.below(3) == 0));
    let found = |params: BoostingClassifierParams| {
        params.n_rounds(30).fit(&Dataset::new(x.clone(), y.clone())).unwrap().predict(&x).sum()
    };
    assert!(found(classifier().class_weight(ClassWeight::Balanced)) > 3 * found(classifier()).max(10));
}

#[test]
fn the_callback_can_stop_the_training() {
    let columns = [(0..200_u16).map(f32::from).collect()];
    let bins = Bins::new(200, 1, &TrainColumn::plain(&columns));
    let classes: Vec<u32> = (0..200).map(|row| u32::from(row > 70)).collect();
    let seen = Mutex::new(Vec::new());
    let on_round = |done, _| {
        seen.lock().unwrap().push(done);
        done < 5
    };
    let rows = Rows { bins: &bins, validation: &[] };
    let params = classifier().check().unwrap();
    let stopped = fit_classes(rows, &classes, 2, &params, StageCheckpoints::NONE, &on_round);
    assert_eq!(stopped, Err(Failure::Stopped));
    assert_eq!(seen.into_inner().unwrap(), [1, 2, 3, 4, 5]);
}

#[test]
fn invalid_parameters_are_refused() {
    let (x, y) = noisy_sum(30, 0);
    let dataset = Dataset::new(x, y);
    let wrong = [
        classifier().n_rounds(0),
        classifier().learning_rate(f64::NAN),
        classifier().max_leaves(1),
        classifier().max_depth(Some(0)),
        classifier().min_samples_leaf(0),
        classifier().min_hessian(0.0),
        classifier().l2(-1.0),
        classifier().feature_fraction(0.0),
        classifier().subsample(1.5),
        classifier().early_stopping_rounds(Some(0)),
        classifier().validation_fraction(1.0),
        classifier().loss(RegressionLoss::Quantile { quantile: 1.0 }),
    ];
    for params in wrong {
        assert!(matches!(params.fit(&dataset), Err(Error::Parameters(_))));
    }
    let weighted = dataset.with_weights(Array1::ones(30));
    assert!(matches!(classifier().fit(&weighted), Err(Error::Parameters(_))));
}
