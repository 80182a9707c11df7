//! Explanations of trained models.

use super::*;
use crate::predict::{Outcome, Predictor, Row, Scale};

fn rows(csv: &str) -> Vec<Row> {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let mut quoted = false;
        let cells = line.split(|character| {
            quoted ^= character == '"';
            character == ',' && !quoted
        });
        names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), Value::from(cell))).collect()
    };
    lines.take(40).map(row).collect()
}

/// The explained number, computed from the prediction; `None` for a score, which the probabilities do not determine.
fn predicted(outcome: &Outcome, scale: Scale) -> Option<f64> {
    match (outcome, scale) {
        (Outcome::Binary { prob, .. }, Scale::Probability) => Some(*prob),
        (Outcome::Binary { prob, .. }, Scale::LogOdds) => Some((prob / (1.0 - prob)).ln()),
        (Outcome::Class { probabilities, label }, Scale::Probability) => {
            Some(probabilities.iter().find(|(class, _)| class == label).unwrap().1)
        }
        (Outcome::Class { .. }, Scale::Score) => None,
        (Outcome::Number(number), Scale::Number) => Some(*number),
        other => panic!("{other:?}"),
    }
}

/// Checks explanations of rows, and returns the sums of the absolute contributions by feature.
fn check(csv: &str, algorithm: Algorithm, features: &[&str], target: &str) -> Vec<(String, f64)> {
    let trained = run(csv, &request(algorithm, features, target, 3, none()));
    let predictor = Predictor::load(&trained.artifact).unwrap();
    let signature = predictor.signature();
    let mut sums: Vec<(String, f64)> = signature.features.iter().map(|f| (f.name.clone(), 0.0)).collect();
    for mut row in rows(csv) {
        row.retain(|name, _| signature.position(name).is_some());
        let outcome = predictor.predict_one(&row).unwrap().outcome;
        let explanation = predictor.explain(&row).unwrap();
        let sum = explanation.baseline + explanation.contributions.iter().sum::<f64>();
        let expected = predicted(&outcome, explanation.scale).unwrap_or(explanation.value);
        let tolerance = 1e-6 * expected.abs().max(1.0);
        assert!((explanation.value - expected).abs() < tolerance, "{algorithm:?}: {explanation:?}, {expected}");
        assert!((sum - expected).abs() < tolerance);
        sums.iter_mut().zip(&explanation.contributions).for_each(|((_, sum), part)| *sum += part.abs());
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums
}

#[test]
fn contributions_sum_to_the_prediction_and_rank_the_features() {
    for algorithm in classifiers().filter(|algorithm| *algorithm != Algorithm::Svm) {
        let ranked = check(TITANIC, algorithm, &["age", "sex", "pclass", "embarked"], "survived");
        assert_eq!(ranked[0].0, "sex", "{algorithm:?}: {ranked:?}");
        // Three classes.
        check(TITANIC, algorithm, &["age", "sex", "fare", "survived"], "pclass");
    }
    for algorithm in [Algorithm::RandomForest, Algorithm::ExtraTrees, Algorithm::GradientBoosting, Algorithm::Ridge] {
        let ranked = check(DIABETES, algorithm, &others(DIABETES, "target"), "target");
        assert!(["bmi", "s5"].contains(&ranked[0].0.as_str()), "{algorithm:?}: {ranked:?}");
    }
}

#[test]
fn a_feature_that_the_model_does_not_use_contributes_nothing() {
    let csv = (0..200).fold("x,constant,y\n".to_owned(), |csv, row| format!("{csv}{row},1,{}\n", row / 100));
    for algorithm in [Algorithm::RandomForest, Algorithm::GradientBoosting, Algorithm::LogisticRegression] {
        let trained = run(&csv, &request(algorithm, &["x", "constant"], "y", 1, none()));
        let predictor = Predictor::load(&trained.artifact).unwrap();
        let row = json!({"x": 150, "constant": 1});
        let explanation = predictor.explain(row.as_object().unwrap()).unwrap();
        assert!(explanation.contributions[0] > 0.3, "{explanation:?}");
        assert!(explanation.contributions[1].abs() < 1e-9, "{explanation:?}");
    }
}

#[test]
fn support_vector_machines_have_no_explanation() {
    let trained = run(TITANIC, &request(Algorithm::Svm, &["age", "sex"], "survived", 1, none()));
    let predictor = Predictor::load(&trained.artifact).unwrap();
    let row = json!({"age": 30, "sex": "male"});
    assert!(!predictor.explains() && predictor.explain(row.as_object().unwrap()).is_none());
}
