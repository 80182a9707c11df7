//! The classifiers compared with linfa's decision function, and their calibration.

use super::*;
use crate::model::{ColumnEncoder, DesignMatrixEncoder, Task};
use crate::progress::Observer;

struct NoopObserver;
impl Observer for NoopObserver {
    fn progress(&self, _: &str, _: f64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Points around the centres of the classes on a circle.
fn clusters(n_classes: usize, rows: usize) -> (Array2<f64>, Vec<u32>) {
    let mut rng = Rng::new(11, Stream::Split);
    let mut noise = move || (0..6).map(|_| f64::from(rng.below(1_000)) / 1_000.0 - 0.5).sum::<f64>();
    let classes: Vec<u32> = (0..rows).map(|row| (row % n_classes) as u32).collect();
    let matrix = Array2::from_shape_fn((rows, 2), |(row, column)| {
        let angle = f64::from(classes[row]) / n_classes as f64 * std::f64::consts::TAU;
        (if column == 0 { angle.cos() } else { angle.sin() }) * 1.2 + noise()
    });
    (matrix, classes)
}

fn options(kernel: &str) -> Options {
    Options { cost: 2.0, kernel: kernel.into(), gamma: None, degree: 3, tolerance: 1e-3, seed: 1 }
}

fn train(matrix: &Array2<f64>, classes: &[u32], n_classes: usize, options: &Options) -> SvmModel {
    let plain = ColumnEncoder::Scaled { impute: 0.0, mean: 0.0, scale: 1.0, missing_indicator: false };
    let encoder = DesignMatrixEncoder { columns: vec![plain; matrix.ncols()] };
    let progress = Progress::start(&NoopObserver, "training", 0.0, 1.0).unwrap();
    fit(DesignMatrix { encoder, matrix: matrix.clone() }, classes, &[], n_classes, options, &progress).unwrap()
}

fn decision(model: &SvmModel, row: &[f64]) -> f64 {
    let kernels: Vec<f64> =
        model.vectors.chunks_exact(row.len()).map(|vector| model.kernel.value(vector, row)).collect();
    model.functions[0].decision(&kernels)
}

#[test]
fn decision_values_equal_those_of_linfa() {
    let (matrix, classes) = clusters(2, 120);
    let targets: Array1<bool> = classes.iter().map(|class| *class == 1).collect();
    for kernel in ["rbf", "linear", "polynomial"] {
        let options = options(kernel);
        let trained = train(&matrix, &classes, 2, &options);
        let pair = KernelPair::new(&options, &matrix);
        let records = &matrix * pair.row_scale;
        let expected: Svm<f64, bool> =
            pair.params(&options).check().unwrap().fit(&DatasetBase::new(records.clone(), targets.clone())).unwrap();
        for (row, linfa_row) in matrix.rows().into_iter().zip(records.rows()) {
            let (a, b) =
                (decision(&trained, row.as_slice().unwrap()), expected.weighted_sum(&linfa_row) - expected.rho);
            assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{kernel}: {a} for {b}");
        }
    }
}

#[test]
fn a_linear_classifier_has_a_single_vector() {
    let (matrix, classes) = clusters(2, 120);
    let model = train(&matrix, &classes, 2, &options("linear"));
    assert_eq!(model.vectors.len(), 2);
    let rbf = train(&matrix, &classes, 2, &options("rbf"));
    assert!(rbf.vectors.len() / 2 < 120, "rows far from the boundary are not support vectors");
}

#[test]
fn every_pair_of_classes_has_a_classifier() {
    let (matrix, classes) = clusters(4, 200);
    let model = train(&matrix, &classes, 4, &options("rbf"));
    assert_eq!(model.functions.len(), 6);
    let task = Task::MultiClass { classes: ["a", "b", "c", "d"].map(String::from).to_vec(), numeric: false };
    let right = matrix.rows().into_iter().zip(&classes).filter(|(row, class)| {
        let mut outputs = [0.0; 4];
        model.predict(&task, row.as_slice().unwrap(), &mut outputs);
        crate::metrics::classes::most_likely(&outputs) == **class as usize
    });
    let right = right.count();
    assert!(right > 140, "{right} of 200");
}

#[test]
fn the_calibration_uses_held_out_rows() {
    // With this cost the classifier overfits all rows; the calibration must not be overconfident.
    let mut rng = Rng::new(4, Stream::Split);
    let matrix = Array2::from_shape_fn((200, 2), |_| f64::from(rng.below(1_000)) / 250.0 - 2.0);
    let classes: Vec<u32> = (0..200).map(|_| rng.below(2)).collect();
    let model = train(&matrix, &classes, 2, &Options { cost: 1e4, gamma: Some(50.0), ..options("rbf") });
    let task = crate::artifact::samples::binary();
    let confidence = matrix.rows().into_iter().map(|row| {
        let mut output = [0.0];
        model.predict(&task, row.as_slice().unwrap(), &mut output);
        (output[0] - 0.5).abs()
    });
    let confidence = confidence.fold(0.0, f64::max);
    assert!(confidence < 0.2, "random classes were predicted with {}", 0.5 + confidence);
}

#[test]
fn a_class_with_one_row_can_be_trained() {
    let matrix = ndarray::array![[0.0, 0.0], [0.1, 0.2], [0.2, 0.1], [3.0, 3.0]];
    let model = train(&matrix, &[0, 0, 0, 1], 2, &options("rbf"));
    assert!(model.functions[0].platt_a.is_finite() && model.functions[0].platt_b.is_finite());
}
