//! Cross-validation: mean and spread of the metrics over folds.

use super::*;

fn validation(csv: &str, request: &TrainRequest) -> Value {
    run(csv, request).metrics["cross_validation"].clone()
}

#[test]
fn each_metric_has_a_value_per_fold() {
    for algorithm in classifiers() {
        let request = request(algorithm, &["sex", "age", "pclass"], "survived", 1, json!({"cv": 4}));
        let found = validation(TITANIC, &request);
        assert_eq!((&found["folds"], &found["rows"]), (&json!(4), &json!(1_047)), "{}", algorithm.as_str());
        let metrics = found["metrics"].as_object().unwrap();
        let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
        assert_eq!(names, ["accuracy", "f1", "log_loss", "precision", "recall", "roc_auc"]);
        for (name, metric) in metrics {
            let values: Vec<f64> =
                metric["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            let mean = values.iter().sum::<f64>() / 4.0;
            assert!(values.len() == 4 && (metric["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{name}: {metric}");
            assert!((0.001..0.2).contains(&metric["std"].as_f64().unwrap()), "{name}: {metric}");
        }
        let area = metrics["roc_auc"]["mean"].as_f64().unwrap();
        assert!((0.79..0.89).contains(&area), "{}: {area}", algorithm.as_str());
    }
    let ridge = request(Algorithm::Ridge, &others(DIABETES, "target"), "target", 1, json!({"cv": 5}));
    let found = validation(DIABETES, &ridge);
    assert!((0.4..0.55).contains(&found["metrics"]["r2"]["mean"].as_f64().unwrap()), "{found}");
    assert!((50.0..58.0).contains(&found["metrics"]["rmse"]["mean"].as_f64().unwrap()), "{found}");
}

/// Numbers without a relation to the classes, which a model of all rows learns by heart.
fn noise(rows: usize, copies: usize) -> String {
    let mut random = crate::artifact::samples::Stream(5);
    let mut csv = "a,b,town,y\n".to_owned();
    for _ in 0..rows {
        let (a, b, town, y) = (random.unit(), random.unit(), random.below(40), random.below(2));
        (0..copies).for_each(|_| csv += &format!("{a:.6},{b:.6},t{town},{y}\n"));
    }
    csv
}

#[test]
fn shuffled_labels_are_not_predicted() {
    for copies in [1, 4] {
        let csv = noise(1_200 / copies, copies);
        for algorithm in classifiers() {
            let request = request(algorithm, &["a", "b", "town"], "y", 1, json!({"cv": 10}));
            let area = validation(&csv, &request)["metrics"]["roc_auc"]["mean"].as_f64().unwrap();
            // The standard deviation of the area of 300 different rows is 0.033.
            assert!((area - 0.5).abs() < 0.1, "{} with {copies} copies of each row: {area}", algorithm.as_str());
        }
    }
}

#[test]
fn a_feature_without_influence_changes_no_fold() {
    let csv = TITANIC
        .lines()
        .enumerate()
        .fold(String::new(), |csv, (row, line)| csv + line + if row == 0 { ",constant\n" } else { ",7\n" });
    let job = |features: &[&str]| request(Algorithm::LogisticRegression, features, "survived", 1, json!({"cv": 3}));
    let (with, without) =
        (validation(&csv, &job(&["sex", "age", "constant"])), validation(&csv, &job(&["sex", "age"])));
    let loss = |found: &Value| found["metrics"]["log_loss"]["mean"].as_f64().unwrap();
    assert!((loss(&with) - loss(&without)).abs() < 1e-6, "{with}, {without}");
}

#[test]
fn the_model_and_the_folds_do_not_depend_on_each_other() {
    let trained = |params: Value| {
        let params = params.as_object().unwrap().clone();
        let request = request(Algorithm::RandomForest, &["sex", "age", "fare"], "survived", 1, Value::Object(params));
        run(TITANIC, &request)
    };
    let (with, without) = (trained(json!({"n_trees": 20, "cv": 3})), trained(json!({"n_trees": 20})));
    assert_eq!(with.metrics["log_loss"], without.metrics["log_loss"], "the same model");
    assert!(without.metrics.get("cross_validation").is_none());
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let of = |threads| pool(threads).install(|| trained(json!({"n_trees": 20, "cv": 3})).artifact);
    assert!(of(1) == of(3), "the same bytes on any number of threads");
}

#[test]
fn the_folds_are_part_of_the_progress() {
    let recorder = Recorder::default();
    let job = request(Algorithm::GradientBoosting, &["sex", "age"], "survived", 1, json!({"n_rounds": 30, "cv": 4}));
    attempt(TITANIC, &job, &recorder).unwrap();
    let reported = recorder.reported.into_inner().unwrap();
    assert!(reported.is_sorted_by(|a, b| a.1 <= b.1));
    let mut phases: Vec<&str> = reported.iter().map(|(phase, _)| phase.as_str()).collect();
    phases.dedup();
    assert_eq!(phases, ["reading", "preparing", "validating", "training", "measuring", "saving"]);
    let measured = recorder.measured.into_inner().unwrap();
    let folds: Vec<u64> = measured.iter().filter(|(name, ..)| name == "cv_log_loss").map(|(.., step)| *step).collect();
    assert_eq!(folds, [1, 2, 3, 4]);

    let validating = reported.iter().position(|(phase, _)| phase == "validating").unwrap();
    let stopping = Recorder { stop_after: Some(validating + 5), ..Recorder::default() };
    assert_eq!(attempt(TITANIC, &job, &stopping), Err(TrainError::Cancelled));
    assert!(stopping.reported.into_inner().unwrap().len() < validating + 10, "the run stops within a fold");
}

#[test]
fn more_folds_than_rows_are_refused() {
    let csv = "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n";
    let refused = refusal(csv, &request(Algorithm::DecisionTree, &["x"], "y", 1, json!({"cv": 20})));
    assert!(refused.starts_with("bad_params: the training part has too few different rows for 20 folds"), "{refused}");
}
