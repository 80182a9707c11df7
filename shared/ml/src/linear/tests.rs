//! Linear models compared with linfa-logistic, and their optimality.

use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2};

use super::*;
use crate::artifact::samples::Stream;
use crate::forest::ClassWeight;
use crate::linfa_logistic;
use crate::model::{ColumnEncoder, DesignMatrixEncoder};
use crate::preprocess::DesignMatrix;

/// Classes by noisy linear scores.
fn table(rows: usize, width: usize, n_classes: usize, seed: u64) -> (Array2<f64>, Vec<u32>) {
    let mut random = Stream(seed);
    let matrix = Array2::from_shape_fn((rows, width), |_| random.unit() * 4.0 - 2.0);
    let weights = Array2::from_shape_fn((n_classes, width), |_| random.unit() * 2.0 - 1.0);
    let classes = matrix.rows().into_iter().map(|row| {
        let scores: Vec<f64> = weights.rows().into_iter().map(|w| w.dot(&row) + random.unit() * 2.0).collect();
        crate::metrics::classes::most_likely(&scores) as u32
    });
    let classes = classes.collect();
    (matrix, classes)
}

fn logistic(params: LogisticParams, matrix: &Array2<f64>, classes: &[u32], n_classes: usize) -> Fitted {
    fit_classes(matrix, classes, n_classes, &params.check().unwrap(), &|_| true).unwrap()
}

/// The largest component of the mean gradient.
fn gradient(fitted: &Fitted, matrix: &Array2<f64>, classes: &[u32], n_classes: usize, alpha: f64) -> f64 {
    let rows = matrix.iter().copied().collect::<Vec<_>>();
    let weights = vec![1.0; n_classes];
    let width = matrix.ncols();
    let objective = Objective { rows: &rows, width, targets: Targets::Classes(classes, &weights), alpha };
    let coefficients: Vec<f64> = (fitted.weights.chunks(width).zip(&fitted.intercepts))
        .flat_map(|(weights, intercept)| weights.iter().chain([intercept]).copied())
        .collect();
    let gradient = objective.evaluate(&coefficients).gradient;
    gradient.iter().fold(0.0_f64, |largest, value| largest.max(value.abs())) / classes.len() as f64
}

#[test]
fn the_gradient_is_the_derivative_of_the_value() {
    for n_classes in [2, 4] {
        let (matrix, classes) = table(90, 3, n_classes, 1);
        let rows = matrix.iter().copied().collect::<Vec<_>>();
        let weights: Vec<f64> = (0..n_classes).map(|class| 0.5 + class as f64).collect();
        let objective = Objective { rows: &rows, width: 3, targets: Targets::Classes(&classes, &weights), alpha: 0.7 };
        let size = objective.outputs() * objective.size();
        let at: Vec<f64> = (0..size).map(|i| (i as f64 * 0.7).sin()).collect();
        let here = objective.evaluate(&at);
        for i in 0..size {
            let mut near = at.clone();
            near[i] += 1e-5;
            let above = objective.evaluate(&near);
            near[i] -= 2e-5;
            let below = objective.evaluate(&near);
            let slope = (above.value - below.value) / 2e-5;
            assert!((slope - here.gradient[i]).abs() < 1e-5 * slope.abs().max(1.0), "{slope}, {}", here.gradient[i]);
            let mut unit = vec![0.0; size];
            unit[i] = 1.0;
            let product = objective.hessian_times(&here.state, &unit);
            for (product, (above, below)) in product.iter().zip(above.gradient.iter().zip(&below.gradient)) {
                let curvature = (above - below) / 2e-5;
                assert!((curvature - product).abs() < 1e-4 * curvature.abs().max(1.0), "{curvature}, {product}");
            }
            let diagonal = objective.hessian_diagonal(&here.state)[i];
            assert!((diagonal - product[i]).abs() < 1e-9 * diagonal.max(1.0), "{diagonal}, {}", product[i]);
            let (block, column) = (i / 4, i % 4);
            let exact = objective.hessian_block(&here.state, (block, block))[column * objective.stride() + column];
            assert!((exact - diagonal).abs() < 1e-9 * diagonal.max(1.0), "{exact}, {diagonal}");
        }
    }
}

#[test]
fn weights_equal_those_of_linfa() {
    for n_classes in [2, 3] {
        let (matrix, classes) = table(600, 5, n_classes, 2);
        let plain = ColumnEncoder::Scaled { impute: 0.0, mean: 0.0, scale: 1.0, missing_indicator: false };
        let encoder = DesignMatrixEncoder { columns: vec![plain; 5] };
        let options = linfa_logistic::Options { alpha: 1.0, tolerance: 1e-7, max_iterations: 2_000 };
        let design_matrix = DesignMatrix { encoder, matrix: matrix.clone() };
        let (expected, _) = linfa_logistic::fit(design_matrix, &classes, n_classes, &options).unwrap();
        let found = logistic(LogisticParams::default(), &matrix, &classes, n_classes);
        for (found, expected) in found.weights.iter().zip(&expected.weights) {
            assert!((found - expected).abs() < 2e-3, "{n_classes}: {found} for {expected}");
        }
        if n_classes == 2 {
            assert!((found.intercepts[0] - expected.intercepts[0]).abs() < 2e-3);
        }
    }
}

#[test]
fn every_method_reaches_the_tolerance() {
    // Cholesky's method; conjugate gradients with blocks, and with the diagonal.
    for (rows, width, n_classes) in [(800, 6, 2), (800, 6, 3), (900, 30, 12), (300, 2_200, 2), (200, 1_100, 3)] {
        let (matrix, classes) = table(rows, width, n_classes, 3);
        let fitted = logistic(LogisticParams::default(), &matrix, &classes, n_classes);
        assert!(fitted.converged, "{rows} x {width}, {n_classes} classes");
        let gradient = gradient(&fitted, &matrix, &classes, n_classes, 1.0);
        assert!(gradient < 2e-6, "{gradient} for {rows} x {width}, {n_classes} classes");
    }
}

#[test]
fn the_start_from_a_sample_leads_to_the_same_optimum() {
    let (matrix, mut classes) = table(25_000, 4, 2, 4);
    let fitted = logistic(LogisticParams::default(), &matrix, &classes, 2);
    assert!(fitted.converged && gradient(&fitted, &matrix, &classes, 2, 1.0) < 2e-6);
    // A class that the sample hardly contains.
    classes.iter_mut().enumerate().for_each(|(row, class)| *class = u32::from(row % 6_000 == 17));
    let rare = logistic(LogisticParams::default(), &matrix, &classes, 2);
    assert!(rare.converged && gradient(&rare, &matrix, &classes, 2, 1.0) < 2e-6);
}

#[test]
fn threads_change_no_byte() {
    let (matrix, classes) = table(22_000, 7, 3, 5);
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| logistic(LogisticParams::default(), &matrix, &classes, 3))
    };
    let one = train(1);
    assert!(one == train(2) && one == train(3));
}

#[test]
fn a_constant_column_changes_nothing() {
    let (matrix, classes) = table(500, 3, 2, 6);
    let wider = ndarray::concatenate![ndarray::Axis(1), matrix, Array2::zeros((500, 1))];
    let narrow = logistic(LogisticParams::default(), &matrix, &classes, 2);
    let wide = logistic(LogisticParams::default(), &wider, &classes, 2);
    assert_eq!(wide.weights[3], 0.0);
    assert!(narrow.weights.iter().zip(&wide.weights).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn separable_and_dependent_columns_have_finite_weights() {
    let matrix = Array2::from_shape_fn((40, 3), |(row, column)| if column < 2 { row as f64 - 19.5 } else { 1.0 });
    let classes: Vec<u32> = (0..40).map(|row| u32::from(row >= 20)).collect();
    for alpha in [0.0, 1e-6, 1.0, 1e4] {
        let fitted = logistic(LogisticParams::default().alpha(alpha), &matrix, &classes, 2);
        assert!(fitted.weights.iter().chain(&fitted.intercepts).all(|weight| weight.is_finite()), "{fitted:?}");
        assert!(fitted.weights[0] > 0.0, "{fitted:?}");
    }
    let huge = &matrix * 1e150;
    let fitted = logistic(LogisticParams::default(), &huge, &classes, 2);
    assert!(fitted.weights.iter().all(|weight| weight.is_finite()), "{fitted:?}");
}

#[test]
fn balanced_weights_raise_the_probability_of_a_rare_class() {
    let (matrix, _) = table(2_000, 2, 2, 7);
    let classes: Vec<u32> = (0..2_000).map(|row| u32::from(row % 20 == 0)).collect();
    let intercept = |weight| {
        let fitted = logistic(LogisticParams::default().class_weight(weight), &matrix, &classes, 2);
        crate::model::linear::sigmoid(fitted.intercepts[0])
    };
    assert!((intercept(ClassWeight::Uniform) - 0.05).abs() < 0.01);
    assert!((intercept(ClassWeight::Balanced) - 0.5).abs() < 0.05);
}

#[test]
fn ridge_regression_solves_its_normal_equations() {
    for (rows, width, alpha, unit) in
        [(300, 4, 1.0, 1.0), (300, 4, 0.0, 1e12), (30, 60, 2.0, 1e-9), (50, 2_500, 1.0, 1.0)]
    {
        let (matrix, noise) = table(rows, width, 2, 8);
        let targets: Vec<f64> = (matrix.rows().into_iter().zip(&noise))
            .map(|(row, noise)| unit * (3.0 * row[0] - row[1] + f64::from(*noise) + 7.0))
            .collect();
        let params = RidgeParams::default().alpha(alpha).check().unwrap();
        let fitted = fit_numbers(&matrix, &targets, &params, &|_| true).unwrap();
        assert!(fitted.converged);
        let weights = Array1::from(fitted.weights.clone());
        let errors = matrix.dot(&weights) + fitted.intercepts[0] - Array1::from(targets);
        // Xᵀ(Xw + b - y) + alpha w = 0, and the errors sum to 0.
        let gradient = matrix.t().dot(&errors) + alpha * &weights;
        let largest = gradient.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        assert!(largest < 1e-4 * unit * rows as f64, "{largest} for {rows} x {width}");
        assert!(errors.sum().abs() < 1e-4 * unit * rows as f64);
    }
}

#[test]
fn the_traits_of_linfa_train_and_predict() {
    let (matrix, classes) = table(300, 3, 3, 9);
    let labels: Array1<&str> = classes.iter().map(|class| ["a", "b", "c"][*class as usize]).collect();
    // Columns that are stored one after the other.
    let by_column = matrix.t().as_standard_layout().into_owned().reversed_axes();
    let model = LogisticParams::default().fit(&DatasetBase::new(by_column, labels.clone())).unwrap();
    let predicted: Array1<&str> = model.predict(&matrix);
    assert!(predicted.iter().zip(&labels).filter(|(a, b)| a == b).count() > 200);
    let shares = model.predict_probabilities(&matrix);
    assert!(shares.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    let targets: Array1<f64> = matrix.rows().into_iter().map(|row| 2.0 * row[0] - 5.0).collect();
    let ridge = RidgeParams::default().alpha(1e-6).fit(&DatasetBase::new(matrix.clone(), targets)).unwrap();
    assert!((ridge.weights()[0] - 2.0).abs() < 1e-4 && (ridge.intercept() + 5.0).abs() < 1e-4);
    assert!(LogisticParams::default().alpha(-1.0).check().is_err());
    assert!(RidgeParams::default().tolerance(0.0).check().is_err());
}
