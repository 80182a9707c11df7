//! The tree compared with linfa's own tree, and its properties.

use linfa::traits::Predict;

use super::*;
use crate::progress::Observer;
use crate::rng::{Rng, Stream};

struct NoopObserver;
impl Observer for NoopObserver {
    fn progress(&self, _: &str, _: f64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

fn grow(raw: &[Vec<f32>], classes: &[u32], options: &Options) -> TreeEnsemble {
    let progress = Progress::start(&NoopObserver, "training", 0.0, 1.0).unwrap();
    fit(raw, classes, options, &progress).unwrap().0
}

fn options() -> Options {
    Options { max_depth: None, min_samples_split: 2, min_samples_leaf: 1, criterion: Criterion::Gini }
}

fn predict(tree: &TreeEnsemble, row: &[f32]) -> f64 {
    let mut output = [0.0];
    tree.predict(row, &mut output);
    output[0]
}

fn noise(columns: usize, rows: usize, values: u32) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(5, Stream::Split);
    (0..columns).map(|_| (0..rows).map(|_| rng.below(values) as f32).collect()).collect()
}

#[test]
fn without_ties_the_tree_equals_linfas() {
    // Distant and unique values avoid the known problems of linfa.
    let raw: Vec<Vec<f32>> = (0..4)
        .map(|column| {
            let mut values: Vec<f32> = (0..200).map(|value| value as f32 * 3.0).collect();
            Rng::new(column, Stream::Split).shuffle(&mut values);
            values
        })
        .collect();
    let classes: Vec<u32> = (0..200).map(|row| u32::from(raw[0][row] + raw[1][row] > 600.0)).collect();
    let trained = grow(&raw, &classes, &Options { max_depth: Some(6), ..options() });
    let records = Array2::from_shape_fn((200, 4), |(row, column)| raw[column][row]);
    let targets: Array1<bool> = classes.iter().map(|class| *class == 1).collect();
    let expected = DecisionTree::params().max_depth(Some(6)).fit(&DatasetBase::new(records.clone(), targets)).unwrap();
    let predictions: Array1<bool> = expected.predict(&records);
    for (row, prediction) in records.rows().into_iter().zip(predictions) {
        assert_eq!(predict(&trained, row.as_slice().unwrap()) > 0.5, prediction);
    }
}

#[test]
fn tied_values_and_narrow_gaps_are_split() {
    // linfa alone reaches 83 % because of the tied values.
    let raw = noise(3, 500, 3);
    let classes: Vec<u32> = (0..500).map(|row| u32::from(raw[0][row] + raw[1][row] + raw[2][row] >= 3.0)).collect();
    let tree = grow(&raw, &classes, &options());
    let narrow = vec![(0..10).map(|value| 1.0 + value as f32 * 1e-6).collect::<Vec<f32>>()];
    let halves: Vec<u32> = (0..10).map(|row| u32::from(row >= 5)).collect();
    let narrow_tree = grow(&narrow, &halves, &options());
    assert!((0..500).all(|row| predict(&tree, &[raw[0][row], raw[1][row], raw[2][row]]) == f64::from(classes[row])));
    assert!((0..10).all(|row| predict(&narrow_tree, &[narrow[0][row]]) == f64::from(halves[row])));
}

#[test]
fn missing_values_are_tried_on_both_sides() {
    let classes = [0, 0, 0, 1, 1, 1];
    let stump = Options { max_depth: Some(1), ..options() };
    for (raw, missing) in [([1.0, f32::NAN, 2.0, 3.0, 4.0, 5.0], 0.0), ([1.0, 2.0, 3.0, 4.0, f32::NAN, 5.0], 1.0)] {
        let tree = grow(&[raw.to_vec()], &classes, &stump);
        let found = [f32::NAN, 1.0, 5.0].map(|value| predict(&tree, &[value]));
        assert_eq!(found, [missing, 0.0, 1.0]);
    }
}

#[test]
fn missing_values_follow_most_rows_if_training_had_none() {
    let raw: Vec<f32> = (0..10).map(|value| value as f32).collect();
    for positives in [3, 7] {
        let classes: Vec<u32> = (0..10).map(|row| u32::from(row >= 10 - positives)).collect();
        let tree = grow(std::slice::from_ref(&raw), &classes, &options());
        assert_eq!(predict(&tree, &[f32::NAN]), if positives == 7 { 1.0 } else { 0.0 });
    }
}

#[test]
fn missing_values_can_be_split_off() {
    let raw = vec![vec![f32::NAN, 1.0, f32::NAN, 2.0, f32::NAN, 3.0]];
    let tree = grow(&raw, &[1, 0, 1, 0, 1, 0], &options());
    assert_eq!((predict(&tree, &[f32::NAN]), predict(&tree, &[-1e30]), predict(&tree, &[9.0])), (1.0, 0.0, 0.0));
}

#[test]
fn leaves_contain_class_shares() {
    let raw = vec![vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]];
    // Both sides are mostly negative: linfa would prune the split.
    let tree = grow(&raw, &[0, 0, 0, 0, 0, 0, 0, 1], &options());
    assert_eq!((predict(&tree, &[0.0]), predict(&tree, &[1.0])), (0.0, 0.25));
}

#[test]
fn limits_are_respected() {
    let raw = noise(4, 300, 1_000);
    let classes: Vec<u32> = (0..300).map(|row| u32::from(raw[0][row] > 400.0) ^ u32::from(row % 7 == 0)).collect();
    assert_eq!(grow(&raw, &classes, &Options { max_depth: Some(1), ..options() }).nodes(), 3);
    let leaves = |options: &Options| grow(&raw, &classes, options).trees[0].values.len();
    assert!(leaves(&Options { min_samples_leaf: 50, ..options() }) <= 6);
    assert!(leaves(&Options { min_samples_split: 100, ..options() }) < leaves(&options()));
    assert!(leaves(&Options { criterion: Criterion::Entropy, ..options() }) > 10);
}

#[test]
fn training_is_deterministic() {
    let raw = noise(5, 300, 10);
    let classes: Vec<u32> = (0..300).map(|row| u32::from(raw[0][row] + raw[1][row] > 9.0)).collect();
    for criterion in [Criterion::Gini, Criterion::Entropy] {
        let options = Options { criterion, ..options() };
        let first = grow(&raw, &classes, &options);
        assert!((0..19).all(|_| grow(&raw, &classes, &options) == first));
    }
}
