//! Machines compared with those of linfa-svm, and their probabilities.

use linfa::DatasetBase;
use linfa::ParamGuard;
use linfa::traits::{Fit, Predict};
use ndarray::{Array1, Array2};

use super::*;
use crate::artifact::samples::Stream;
use crate::forest::ClassWeight;
use crate::linfa_svm;
use crate::metrics::classes::most_likely;
use crate::model::{ColumnEncoder, DesignMatrixEncoder, SvmModel, Task};
use crate::preprocess::DesignMatrix;
use crate::progress::{Observer, Progress};

struct NoopObserver;
impl Observer for NoopObserver {
    fn progress(&self, _: &str, _: f64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Points around the centres of the classes on a circle.
fn clusters(n_classes: usize, rows: usize, seed: u64) -> (Array2<f64>, Vec<u32>) {
    let mut random = Stream(seed);
    let classes: Vec<u32> = (0..rows).map(|row| (row % n_classes) as u32).collect();
    let matrix = Array2::from_shape_fn((rows, 2), |(row, column)| {
        let angle = f64::from(classes[row]) / n_classes as f64 * std::f64::consts::TAU;
        let centre = if column == 0 { angle.cos() } else { angle.sin() };
        centre * 1.2 + (0..6).map(|_| random.unit() - 0.5).sum::<f64>()
    });
    (matrix, classes)
}

fn classifier(params: SvmClassifierParams, matrix: &Array2<f64>, classes: &[u32], n_classes: usize) -> Machine {
    fit_classes(matrix.clone(), classes, &[], n_classes, &params.check().unwrap(), &|_| true).unwrap()
}

fn decisions(kernel: Kernel, vectors: &[f64], function: &DecisionFunction, matrix: &Array2<f64>) -> Vec<f64> {
    let decision = |row: ndarray::ArrayView1<'_, f64>| {
        let row = row.to_vec();
        let kernels: Vec<f64> = vectors.chunks_exact(row.len()).map(|vector| kernel.value(vector, &row)).collect();
        function.decision(&kernels)
    };
    matrix.rows().into_iter().map(decision).collect()
}

/// The probabilities of a machine on rows of the design matrix.
fn probabilities(machine: &Machine, matrix: &Array2<f64>, n_classes: usize) -> Vec<Vec<f64>> {
    let model = SvmModel {
        encoder: DesignMatrixEncoder::default(),
        kernel: machine.kernel,
        vectors: machine.vectors.clone(),
        functions: machine.functions.clone(),
    };
    let task = match n_classes {
        2 => crate::artifact::samples::binary(),
        _ => Task::MultiClass { classes: (0..n_classes).map(|class| class.to_string()).collect(), numeric: true },
    };
    let of_row = |row: ndarray::ArrayView1<'_, f64>| {
        let mut outputs = vec![0.0; task.outputs()];
        model.predict(&task, &row.to_vec(), &mut outputs);
        outputs
    };
    matrix.rows().into_iter().map(of_row).collect()
}

#[test]
fn decision_values_and_probabilities_equal_those_of_linfa() {
    let (matrix, classes) = clusters(2, 400, 11);
    let plain = ColumnEncoder::Scaled { impute: 0.0, mean: 0.0, scale: 1.0, missing_indicator: false };
    let encoder = DesignMatrixEncoder { columns: vec![plain; 2] };
    let progress = Progress::start(&NoopObserver, "training", 0.0, 1.0).unwrap();
    let kernels = [
        ("rbf", KernelKind::Rbf),
        ("linear", KernelKind::Linear),
        ("polynomial", KernelKind::Polynomial { degree: 3 }),
    ];
    for (name, kernel) in kernels {
        let options =
            linfa_svm::Options { cost: 2.0, kernel: name.into(), gamma: None, degree: 3, tolerance: 1e-5, seed: 1 };
        let design_matrix = DesignMatrix { encoder: encoder.clone(), matrix: matrix.clone() };
        let expected = linfa_svm::fit(design_matrix, &classes, &[], 2, &options, &progress).unwrap();
        let params = SvmClassifierParams::default().cost(2.0).kernel(kernel).tolerance(1e-5).seed(1);
        let machine = classifier(params, &matrix, &classes, 2);
        let found = decisions(machine.kernel, &machine.vectors, &machine.functions[0], &matrix);
        let wanted = decisions(expected.kernel, &expected.vectors, &expected.functions[0], &matrix);
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!((found - wanted).abs() < 2e-3 * wanted.abs().max(1.0), "{name}: {found} for {wanted}");
        }
        // The folds are the same, so the calibrations are.
        let (a, b) = (&machine.functions[0], &expected.functions[0]);
        assert!((a.platt_a - b.platt_a).abs() < 0.02 && (a.platt_b - b.platt_b).abs() < 0.02, "{name}: {a:?}, {b:?}");
    }
}

#[test]
fn every_pair_of_classes_has_a_function_and_probabilities_sum_to_1() {
    let (matrix, classes) = clusters(4, 400, 12);
    let machine = classifier(SvmClassifierParams::default(), &matrix, &classes, 4);
    assert_eq!((machine.functions.len(), machine.unsolved), (6, 0));
    let probabilities = probabilities(&machine, &matrix, 4);
    assert!(probabilities.iter().all(|shares| (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9));
    let right = probabilities.iter().zip(&classes).filter(|(shares, class)| most_likely(shares) == **class as usize);
    let right = right.count();
    assert!(right > 280, "{right} of 400");
}

#[test]
fn the_calibration_uses_held_out_rows() {
    // With this cost the classifier overfits all rows; the calibration must not be overconfident.
    let mut random = Stream(4);
    let matrix = Array2::from_shape_fn((300, 2), |_| random.unit() * 4.0 - 2.0);
    let classes: Vec<u32> = (0..300).map(|_| random.below(2) as u32).collect();
    let params = SvmClassifierParams::default().cost(1e4).gamma(Some(50.0));
    let machine = classifier(params, &matrix, &classes, 2);
    let confidence = probabilities(&machine, &matrix, 2).into_iter().map(|p| (p[0] - 0.5).abs()).fold(0.0, f64::max);
    assert!(confidence < 0.3, "random classes were predicted with {}", 0.5 + confidence);
}

#[test]
fn the_calibration_holds_out_copies_together() {
    // A hundred points with random classes, each four times: a classifier that has seen a copy is always right.
    let mut random = Stream(5);
    let points = Array2::from_shape_fn((100, 2), |_| random.unit() * 4.0 - 2.0);
    let of_point: Vec<u32> = (0..100).map(|_| random.below(2) as u32).collect();
    let copies: Vec<u32> = (0..400).map(|row| row % 100).collect();
    let rows: Vec<usize> = copies.iter().map(|copy| *copy as usize).collect();
    let matrix = points.select(ndarray::Axis(0), &rows);
    let classes: Vec<u32> = rows.iter().map(|row| of_point[*row]).collect();
    let params = SvmClassifierParams::default().cost(1e4).gamma(Some(50.0)).check().unwrap();
    let confidence = |copies: &[u32]| {
        let machine = fit_classes(matrix.clone(), &classes, copies, 2, &params, &|_| true).unwrap();
        probabilities(&machine, &matrix, 2).into_iter().map(|p| (p[0] - 0.5).abs()).fold(0.0, f64::max)
    };
    let (with_copies, without) = (confidence(&copies), confidence(&[]));
    assert!(with_copies < 0.3, "random classes were predicted with {}", 0.5 + with_copies);
    assert!(without > 0.45, "the copies have no effect: {without}");
}

#[test]
fn threads_and_cache_change_no_byte() {
    let (matrix, classes) = clusters(3, 600, 13);
    let train = |threads: usize, cache_bytes: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let params = SvmClassifierParams::default().cache_bytes(cache_bytes);
        pool.install(|| classifier(params, &matrix, &classes, 3))
    };
    let one = train(1, 200 << 20);
    assert!(one == train(2, 200 << 20) && one == train(3, 200 << 20));
    assert!(one == train(4, 16 << 20), "still enough for the largest working set");
    // Regression, which is one problem.
    let targets: Vec<f64> = matrix.rows().into_iter().map(|row| row[0] * row[1]).collect();
    let regressor = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let params = SvmRegressorParams::default().check().unwrap();
        pool.install(|| fit_numbers(matrix.clone(), &targets, &params, &|_| true).unwrap())
    };
    assert!(regressor(1) == regressor(2) && regressor(1) == regressor(3));
}

#[test]
fn a_constant_column_changes_no_decision() {
    let (matrix, classes) = clusters(2, 300, 14);
    let wider = ndarray::concatenate![ndarray::Axis(1), matrix, Array2::zeros((300, 1))];
    let params = || SvmClassifierParams::default().gamma(Some(0.5));
    let (narrow, wide) = (classifier(params(), &matrix, &classes, 2), classifier(params(), &wider, &classes, 2));
    assert_eq!(narrow.functions, wide.functions);
}

#[test]
fn balanced_weights_find_more_of_a_rare_class() {
    let (matrix, classes) = clusters(2, 2_000, 15);
    let kept: Vec<usize> = (0..2_000).filter(|row| classes[*row] == 0 || row % 40 == 1).collect();
    let (matrix, classes) =
        (matrix.select(ndarray::Axis(0), &kept), kept.iter().map(|row| classes[*row]).collect::<Vec<_>>());
    let found = |weight: ClassWeight| {
        let params = SvmClassifierParams::default().class_weight(weight).calibrated(false);
        let machine = classifier(params, &matrix, &classes, 2);
        let decisions = decisions(machine.kernel, &machine.vectors, &machine.functions[0], &matrix);
        decisions.iter().zip(&classes).filter(|(decision, class)| **class == 1 && **decision > 0.0).count()
    };
    let (uniform, balanced) = (found(ClassWeight::Uniform), found(ClassWeight::Balanced));
    assert!(balanced > uniform + 5, "{balanced} and {uniform} of {}", classes.iter().sum::<u32>());
}

#[test]
fn unusual_tables_are_trained() {
    let one_row = ndarray::array![[0.0, 0.0], [0.1, 0.2], [0.2, 0.1], [3.0, 3.0]];
    let machine = classifier(SvmClassifierParams::default(), &one_row, &[0, 0, 0, 1], 2);
    assert!(machine.functions[0].platt_a.is_finite() && machine.functions[0].platt_b.is_finite());
    // Without any information the probability is that of the classes.
    let constant = Array2::zeros((100, 2));
    let classes: Vec<u32> = (0..100).map(|row| u32::from(row % 4 == 0)).collect();
    for kernel in [KernelKind::Rbf, KernelKind::Linear, KernelKind::Polynomial { degree: 2 }] {
        let machine = classifier(SvmClassifierParams::default().kernel(kernel), &constant, &classes, 2);
        let shares = probabilities(&machine, &constant, 2);
        assert!(shares.iter().all(|p| (p[0] - 0.25).abs() < 0.05), "{kernel:?}: {:?}", shares[0]);
    }
    let params = SvmClassifierParams::default().kernel(KernelKind::Polynomial { degree: 10 }).gamma(Some(1.0));
    let huge = Array2::from_elem((4, 2), 1e9);
    let failed = fit_classes(huge, &[0, 1, 0, 1], &[], 2, &params.check().unwrap(), &|_| true);
    assert_eq!(failed, Err(Failure::Diverged));
}

#[test]
fn a_linear_machine_has_a_single_vector() {
    let (matrix, classes) = clusters(2, 200, 16);
    let machine = classifier(SvmClassifierParams::default().kernel(KernelKind::Linear), &matrix, &classes, 2);
    assert_eq!(machine.vectors.len(), 2);
}

#[test]
fn the_traits_of_linfa_train_and_predict() {
    let (matrix, classes) = clusters(3, 300, 17);
    let labels: Array1<&str> = classes.iter().map(|class| ["a", "b", "c"][*class as usize]).collect();
    let dataset = DatasetBase::new(matrix.clone(), labels.clone());
    let model = SvmClassifierParams::default().fit(&dataset).unwrap();
    assert_eq!(model.classes(), ["a", "b", "c"]);
    let predicted: Array1<&str> = model.predict(&matrix);
    let right = predicted.iter().zip(&labels).filter(|(a, b)| a == b).count();
    assert!(right > 230, "{right} of 300");
    let targets: Array1<f64> = matrix.rows().into_iter().map(|row| 1_000.0 * (row[0] + row[1] * row[1])).collect();
    let regressor = SvmRegressorParams::default().cost(10.0).fit(&DatasetBase::new(matrix.clone(), targets.clone()));
    let predicted: Array1<f64> = regressor.unwrap().predict(&matrix);
    let errors: Vec<f64> = predicted.iter().zip(&targets).map(|(a, b)| (a - b).abs()).collect();
    assert!(errors.iter().sum::<f64>() / 300.0 < 200.0, "the tube is a tenth of the deviation");
    assert!(SvmClassifierParams::default().cost(0.0).check().is_err());
    assert!(SvmRegressorParams::default().epsilon(f64::NAN).check().is_err());
    let missing = DatasetBase::new(ndarray::array![[f64::NAN], [1.0]], ndarray::array![0_usize, 1]);
    assert!(SvmClassifierParams::default().fit(&missing).is_err());
}
