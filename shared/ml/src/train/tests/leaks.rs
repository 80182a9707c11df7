//! Features that contain the target, and copies of rows.

use trainyard_domain::spec::OnLeak;

use super::*;
use crate::artifact;

/// A number whose logarithm and whose negative are also columns, and noise.
fn wages() -> String {
    (0..200).fold("noise,logwage,falling,wage\n".to_owned(), |csv, row| {
        let log = f64::from(row * 37 % 200) / 20.0;
        format!("{csv}{},{log:.4},{:.3},{:.4}\n", row * 53 % 17, -log * log, log.exp())
    })
}

fn wage_request(on_leak: OnLeak) -> TrainRequest {
    let mut request = request(Algorithm::RandomForest, &["noise", "logwage", "falling"], "wage", 1, none());
    request.spec.learning.on_leak = on_leak;
    request
}

#[test]
fn a_feature_that_rises_or_falls_with_a_numeric_target_is_named() {
    let warnings = run(&wages(), &wage_request(OnLeak::Warn)).warnings;
    assert!(warnings.iter().any(|warning| warning.starts_with("'logwage' rises with the target")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.starts_with("'falling' falls with the target")), "{warnings:?}");
    assert!(!warnings.iter().any(|warning| warning.contains("'noise'")), "{warnings:?}");
}

#[test]
fn leaks_can_be_dropped_or_refused() {
    let trained = run(&wages(), &wage_request(OnLeak::Drop));
    let signature = artifact::decode(&trained.artifact).unwrap().manifest.signature;
    assert_eq!(signature.features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>(), ["noise"]);
    assert_eq!(signature.dropped, ["logwage", "falling"]);
    assert_eq!(trained.warnings.iter().filter(|warning| warning.ends_with("was dropped")).count(), 2);
    assert!(refusal(&wages(), &wage_request(OnLeak::Refuse)).starts_with("bad_data: 'logwage' rises with the target"));
}

#[test]
fn a_perfect_feature_of_classes_trains_with_a_warning() {
    let csv = (0..40).fold("legs,weight,mammal\n".to_owned(), |csv, row| {
        let mammal = row % 2 == 0;
        format!("{csv}{},{},{}\n", if mammal { 4 } else { 2 }, row * 7 % 11, if mammal { "yes" } else { "no" })
    });
    for algorithm in classifiers() {
        let trained = run(&csv, &request(algorithm, &["legs", "weight"], "mammal", 1, none()));
        assert_eq!(trained.metrics["accuracy"], 1.0);
        assert!(trained.warnings.iter().any(|warning| warning.starts_with("'legs' alone predicts")));
    }
}

#[test]
fn a_category_that_determines_the_class_is_named() {
    let csv = (0..400).fold("town,other,y\n".to_owned(), |csv, row| {
        let town = row * 7 % 40;
        format!("{csv}t{town},{},{}\n", row * 37 % 201, if town % 3 == 0 { "a" } else { "b" })
    });
    let warnings = run(&csv, &request(Algorithm::RandomForest, &["town", "other"], "y", 1, none())).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("'town' alone predicts the target"));
}

#[test]
fn distinct_numbers_against_distinct_numbers_are_not_refused() {
    let csv = (0..30).fold("size,price\n".to_owned(), |csv, row| {
        format!("{csv}{},{}\n", 40 + row * 3 + row % 2, 100_000 + row * 2_000 - row * 31 % 7 * 500)
    });
    let trained = run(&csv, &request(Algorithm::RandomForest, &["size"], "price", 1, none()));
    assert!(trained.metrics["r2"].is_number());
}

/// Sixty rows with random numbers and a random class, each four times.
fn repeated() -> String {
    (0..240).fold("a,b,y\n".to_owned(), |csv, row| {
        let row = row % 60;
        let class = (row * row * 31 + row * 17) % 7 % 2;
        format!("{csv}{},{},{}\n", row * 37 % 101, row * 53 % 97, ["a", "b"][class])
    })
}

#[test]
fn copies_of_a_row_stay_together_and_are_counted() {
    let csv = repeated();
    let accuracy = mean("accuracy", 1..=5, |seed| {
        let trained = run(&csv, &request(Algorithm::RandomForest, &["a", "b"], "y", seed, none()));
        assert!(trained.warnings.iter().any(|warning| warning.starts_with("180 of 240 rows repeat an earlier row")));
        trained
    });
    assert!(accuracy < 0.85, "copies in both parts would give an accuracy of 1: {accuracy}");
    let out_of_bag = mean("oob_accuracy", 1..=5, |seed| {
        run(&csv, &request(Algorithm::RandomForest, &["a", "b"], "y", seed, none()))
    });
    assert!(out_of_bag < 0.85, "trees that learned from a copy would give an out-of-bag accuracy near 1: {out_of_bag}");
}

#[test]
fn copies_of_a_row_do_not_flatter_the_calibration() {
    let csv = repeated();
    for engine in ["native", "linfa"] {
        let params = json!({"engine": engine, "c": 1000.0, "gamma": 5.0});
        let log_loss =
            mean("log_loss", 1..=5, |seed| run(&csv, &request(Algorithm::Svm, &["a", "b"], "y", seed, params.clone())));
        // Random classes have a log loss of 0.69.
        assert!(log_loss < 0.85, "{engine}: {log_loss}");
    }
}

#[test]
fn equal_rows_of_a_small_table_of_categories_are_not_copies() {
    let request = request(Algorithm::RandomForest, &["sex", "pclass", "embarked"], "survived", 1, none());
    let trained = run(TITANIC, &request);
    assert!(!trained.warnings.iter().any(|warning| warning.contains("repeat")), "{:?}", trained.warnings);
    assert!(trained.metrics["accuracy"].as_f64().unwrap() > 0.74);
}
