//! The distributions in a model file, and the drift of requests that are compared with them.

use std::cell::RefCell;

use super::*;
use crate::artifact;
use crate::metrics::psi;
use crate::model::{Bins, Distributions, Manifest};
use crate::predict::{Predictor, Row, RowCounter};

/// Counts per column and bin.
struct Counts(RefCell<Vec<Vec<u64>>>);

impl RowCounter for Counts {
    fn count(&self, column: usize, bin: usize, rows: u32) {
        self.0.borrow_mut()[column][bin] += u64::from(rows);
    }
}

fn manifest(csv: &str, request: &TrainRequest) -> Manifest {
    artifact::decode(&run(csv, request).artifact).unwrap().manifest
}

/// The PSI of each feature and of the predictions for these rows.
fn drift(artifact: &[u8], rows: &[Row]) -> Vec<f64> {
    let predictor = Predictor::load(artifact).unwrap();
    let Distributions { features, predictions } = &predictor.manifest().distributions;
    let distributions = || features.iter().chain([predictions]);
    let counts = Counts(RefCell::new(distributions().map(|one| vec![0; one.rows.len()]).collect()));
    predictor.counted_by(&counts).predict_many(rows).unwrap();
    distributions().zip(counts.0.take()).map(|(training, recent)| psi(&training.rows, &recent)).collect()
}

#[test]
fn a_model_file_has_the_distributions_of_its_training_rows() {
    let job = request(Algorithm::RandomForest, &["sex", "age", "pclass"], "survived", 1, none());
    let Manifest { distributions, rows, metrics, signature, .. } = manifest(TITANIC, &job);
    for (feature, distribution) in signature.features.iter().zip(&distributions.features) {
        assert_eq!(distribution.rows.iter().sum::<u64>(), rows, "{}", feature.name);
        assert_eq!(distribution.missing(), feature.missing_in_training, "{}", feature.name);
    }
    let [sex, age, class] = &distributions.features[..] else { panic!("{distributions:?}") };
    assert_eq!(sex.bins, Bins::Codes { top: vec![1, 0] }, "there are more men");
    assert!(sex.rows[0] > sex.rows[1] && sex.rows[2..] == [0, 0], "{sex:?}");
    assert_eq!(class.bins, Bins::Numbers { edges: vec![1.5, 2.5] });
    let Bins::Numbers { edges } = &age.bins else { panic!("{age:?}") };
    let (present, bins) = (rows - age.missing(), &age.rows[..10]);
    assert!(edges.len() == 9 && bins.iter().all(|rows| rows * 10 > present / 2 && rows * 10 < present * 2), "{age:?}");
    let predicted: u64 = distributions.predictions.rows.iter().sum();
    assert_eq!(json!(predicted), metrics["rows"]["test"], "the predictions for the held-out part");
}

#[test]
fn rows_like_the_training_rows_have_no_drift_and_others_have() {
    let csv = (0..2_000_u64).fold("x,city,when,flag,y\n".to_owned(), |csv, row| {
        let x = row * 7_919 % 2_003;
        let (city, day) = (["Bonn", "Trier", "Mainz"][(row % 3) as usize], 1 + row % 28);
        format!("{csv}{x},{city},2024-01-{day:02},{},{}\n", row.is_multiple_of(4), u64::from(x > 1_000) * 10 + x % 7)
    });
    // Numbers between those of the training rows, which the models know too well.
    let row = |row: u64, shift: u64| {
        let x = (row * 7_919 % 2_003 + shift) as f64 + 0.5;
        let third = if shift > 0 { "Rome" } else { "Mainz" };
        let (city, month) = (["Bonn", "Trier", third][(row % 3) as usize], 1 + shift / 900);
        let when = format!("2024-{month:02}-{:02}", 1 + row % 28);
        json!({"x": x, "city": city, "when": when, "flag": row.is_multiple_of(4) || shift > 0})
            .as_object()
            .unwrap()
            .clone()
    };
    for algorithm in [Algorithm::RandomForest, Algorithm::GradientBoosting, Algorithm::Ridge] {
        let mut job = request(algorithm, &["x", "city", "when", "flag"], "y", 1, none());
        job.spec.learning.task = Some(trainyard_domain::TaskKind::Regression);
        let artifact = run(&csv, &job).artifact;
        let same = drift(&artifact, &(0..900).map(|at| row(at, 0)).collect::<Vec<_>>());
        assert!(same.iter().all(|psi| *psi < 0.1), "{}: {same:?}", algorithm.as_str());
        let other = drift(&artifact, &(0..900).map(|at| row(at, 900)).collect::<Vec<_>>());
        assert!(other.iter().all(|psi| *psi > 0.25), "{}: {other:?}", algorithm.as_str());
    }
}
