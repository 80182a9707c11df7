//! Learning curves and permutation importances.

use super::*;

/// `a` decides, `b` matters a little, and `c` is noise.
fn table(rows: usize) -> String {
    let mut random = crate::artifact::samples::Stream(3);
    (0..rows).fold("a,b,c,y\n".to_owned(), |csv, _| {
        let (a, b, c) = (random.unit(), random.unit(), random.unit());
        let y = random.unit() < if a > 0.5 { 0.85 + 0.1 * b } else { 0.05 + 0.1 * b };
        format!("{csv}{a:.4},{b:.4},{c:.4},{}\n", u8::from(y))
    })
}

fn job(algorithm: Algorithm, params: Value) -> TrainRequest {
    request(algorithm, &["a", "b", "c"], "y", 1, params)
}

#[test]
fn permuting_a_feature_that_decides_costs_most() {
    for algorithm in classifiers() {
        let trained = run(&table(1_500), &job(algorithm, json!({"permutation_repeats": 10})));
        let found = &trained.metrics["permutation_importances"];
        assert_eq!(
            (&found["metric"], &found["rows"], &found["repeats"]),
            (&json!("log_loss"), &json!(300), &json!(10))
        );
        let features = found["features"].as_array().unwrap();
        let number = |at: usize, name: &str| features[at][name].as_f64().unwrap();
        assert_eq!(features[0]["feature"], "a", "{}: {found}", algorithm.as_str());
        assert!(number(0, "mean") > 0.3 && number(0, "std") > 0.0, "{}: {found}", algorithm.as_str());
        let noise = features.iter().find(|feature| feature["feature"] == "c").unwrap();
        let share = noise["mean"].as_f64().unwrap().abs() / number(0, "mean");
        assert!(share < 0.2, "{}: {found}", algorithm.as_str());
    }
}

#[test]
fn importances_of_a_regression_are_those_of_the_rmse() {
    let features = others(DIABETES, "target");
    let job = |repeats: u64| request(Algorithm::Ridge, &features, "target", 1, json!({"permutation_repeats": repeats}));
    let found = run(DIABETES, &job(5)).metrics["permutation_importances"].clone();
    assert_eq!((&found["metric"], found["features"].as_array().unwrap().len()), (&json!("rmse"), features.len()));
    assert!(found["features"][0]["mean"].as_f64().unwrap() > 1.0, "{found}");
    assert_eq!(found, run(DIABETES, &job(5)).metrics["permutation_importances"], "the seed decides");
    assert!(run(DIABETES, &job(0)).metrics.get("permutation_importances").is_none());
    assert_eq!(run(DIABETES, &job(1)).metrics["permutation_importances"]["features"][0]["std"], Value::Null);
}

#[test]
fn a_learning_curve_falls_with_the_rows() {
    let trained = run(&table(2_000), &job(Algorithm::GradientBoosting, json!({"learning_curve": "on"})));
    let curve = &trained.metrics["learning_curve"];
    assert_eq!(curve["metric"], "log_loss");
    let rows: Vec<u64> = curve["rows"].as_array().unwrap().iter().map(|rows| rows.as_u64().unwrap()).collect();
    // The samples are stratified, so the rows of each class are rounded.
    assert!(
        rows.iter().zip([160, 400, 800, 1_200, 1_600]).all(|(rows, expected)| rows.abs_diff(expected) <= 2),
        "{rows:?}"
    );
    let losses = |name: &str| -> Vec<f64> {
        curve[name].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect()
    };
    let (training, held_out) = (losses("training"), losses("held_out"));
    assert!(held_out[4] < held_out[0] && held_out[4] < training[0] + 0.2, "{curve}");
    assert!(training.iter().zip(&held_out).all(|(own, other)| own < &(other + 0.05)), "{curve}");
    assert_eq!(curve["held_out"][4], trained.metrics["log_loss"], "the last model is the saved one");
    let plain = run(&table(2_000), &job(Algorithm::GradientBoosting, none()));
    assert_eq!(plain.metrics["log_loss"], trained.metrics["log_loss"]);
    assert!(plain.metrics.get("learning_curve").is_none());
}

#[test]
fn every_algorithm_has_a_learning_curve() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Auto) {
        let (csv, target) =
            if algorithm.supports_classification() { (TITANIC, "pclass") } else { (DIABETES, "target") };
        let recorder = Recorder::default();
        let job = request(algorithm, &others(csv, target)[1..4], target, 1, json!({"learning_curve": "on", "cv": 2}));
        let trained = attempt(csv, &job, &recorder).unwrap();
        let curve = &trained.metrics["learning_curve"];
        assert_eq!(curve["rows"].as_array().unwrap().len(), 5, "{}: {curve}", algorithm.as_str());
        let reported = recorder.reported.into_inner().unwrap();
        assert!(reported.is_sorted_by(|a, b| a.1 <= b.1), "{}", algorithm.as_str());
    }
}

#[test]
fn a_sample_without_a_model_has_no_point() {
    // Samples without one of the four rows that differ have one target.
    let csv = (0..200).fold("x,y\n".to_owned(), |csv, row| format!("{csv}{row},{}\n", u8::from(row % 50 == 0)));
    let mut left_out = 0;
    for seed in 1..=6 {
        let mut job = request(Algorithm::Ridge, &["x"], "y", seed, json!({"learning_curve": "on"}));
        job.spec.learning.task = Some(trainyard_domain::TaskKind::Regression);
        let recorder = Recorder::default();
        let trained = attempt(&csv, &job, &recorder).unwrap();
        let points = trained.metrics["learning_curve"]["rows"].as_array().unwrap().len();
        let noted = recorder.noted.into_inner().unwrap();
        let missing = noted.iter().filter(|note| note.starts_with("the learning curve has no point for")).count();
        assert_eq!(points + missing, 5, "{noted:?}");
        left_out += missing;
    }
    assert!(left_out > 0);
}
