//! Calibrated probabilities and tuned thresholds.

use super::*;
use crate::model::{Estimator, Task};
use crate::predict::{Outcome, Predictor, Row};

const FEATURES: [&str; 4] = ["sex", "age", "pclass", "fare"];

fn job(algorithm: Algorithm, params: Value) -> TrainRequest {
    request(algorithm, &FEATURES, "survived", 1, params)
}

/// A rare class that overlaps with the other one.
fn rare() -> String {
    let mut random = crate::artifact::samples::Stream(11);
    (0..4_000).fold("a,b,y\n".to_owned(), |csv, _| {
        let (a, b) = (random.unit(), random.unit());
        let y = random.unit() < 0.4 * a * a * b;
        format!("{csv}{a:.4},{b:.4},{}\n", u8::from(y))
    })
}

fn rare_job(params: Value) -> TrainRequest {
    request(Algorithm::LogisticRegression, &["a", "b"], "y", 1, params)
}

fn threshold_of(artifact: &[u8]) -> f64 {
    let predictor = Predictor::load(artifact).unwrap();
    let Task::Binary { threshold, .. } = predictor.signature().task else { panic!("two classes") };
    threshold
}

#[test]
fn a_threshold_is_stored_used_and_reported() {
    let trained = run(&rare(), &rare_job(json!({"tune_threshold": "f1"})));
    let (found, metrics) = (&trained.metrics["threshold"], &trained.metrics);
    let threshold = threshold_of(&trained.artifact);
    assert_eq!((&found["value"], &found["tuned_for"]), (&json!(threshold), &json!("f1")));
    assert!((0.05..0.4).contains(&threshold), "the class is rare: {threshold}");
    assert_eq!(found["rows"], 3_200);
    for name in ["accuracy", "f1", "precision", "recall"] {
        let close = (found["held_out"][name].as_f64().unwrap() - metrics[name].as_f64().unwrap()).abs() < 1e-12;
        assert!(close, "{name}: the metrics are those of the answers");
    }
    let f1 = |at: &str| found[at]["f1"].as_f64().unwrap();
    assert!(f1("held_out") > f1("held_out_at_half") + 0.1, "{found}");
    let plain = run(&rare(), &rare_job(none()));
    assert_eq!(plain.metrics["f1"], found["held_out_at_half"]["f1"]);
    assert_eq!(plain.metrics["roc_auc"], metrics["roc_auc"], "the probabilities are the same");
    assert!(plain.metrics.get("threshold").is_none());

    let predictor = Predictor::load(&trained.artifact).unwrap();
    let (mut below, mut above) = (0, 0);
    for step in 0..=20 {
        let row: Row = json!({"a": f64::from(step) / 20.0, "b": 0.5}).as_object().unwrap().clone();
        let Outcome::Binary { prob, positive, label } = predictor.predict_one(&row).unwrap().outcome else { panic!() };
        assert_eq!((positive, label.as_str()), if prob >= threshold { (true, "1") } else { (false, "0") });
        (below, above) = if positive { (below, above + 1) } else { (below + 1, above) };
    }
    assert!(below > 0 && above > 0);
}

#[test]
fn costs_move_the_threshold() {
    let threshold = |false_positive: f64, false_negative: f64| {
        let params = json!({
            "tune_threshold": "cost", "false_positive_cost": false_positive, "false_negative_cost": false_negative
        });
        let trained = run(&rare(), &rare_job(params));
        let found = &trained.metrics["threshold"];
        let cost = |at: &str| found[at]["cost"].as_f64().unwrap();
        assert!(cost("held_out") <= cost("held_out_at_half") + 0.02, "{found}");
        threshold_of(&trained.artifact)
    };
    // With calibrated probabilities the best threshold is 1 / (1 + false_negative_cost / false_positive_cost).
    let (cheap, even) = (threshold(1.0, 10.0), threshold(1.0, 3.0));
    assert!((0.05..0.14).contains(&cheap) && (0.17..0.35).contains(&even), "{cheap}, {even}");
}

#[test]
fn recall_is_tuned_at_a_precision() {
    let recorder = Recorder::default();
    let params = json!({"tune_threshold": "recall", "min_precision": 0.25});
    let trained = attempt(&rare(), &rare_job(params), &recorder).unwrap();
    let found = &trained.metrics["threshold"]["training_part"];
    assert!(found["precision"].as_f64().unwrap() >= 0.25 && found["recall"].as_f64().unwrap() > 0.1, "{found}");
    assert!(!recorder.warned.into_inner().unwrap().iter().any(|warning| warning.contains("no threshold")));
    // A quarter of the rows with x = 1 is positive, and a tenth of the others.
    let csv = (0..400).fold("x,y\n".to_owned(), |csv, row| {
        let (x, pair) = (row % 2, row / 2);
        format!("{csv}{x},{}\n", u8::from(pair % if x == 1 { 4 } else { 10 } == 0))
    });
    let params = json!({"tune_threshold": "recall", "min_precision": 0.9});
    let trained = run(&csv, &request(Algorithm::DecisionTree, &["x"], "y", 1, params));
    let warned = trained.warnings.iter().any(|warning| warning.starts_with("no threshold reaches the precision 0.9"));
    assert!(warned, "{:?}", trained.warnings);
    assert!((0.1..0.3).contains(&threshold_of(&trained.artifact)), "the one with the highest precision");
}

/// A forest whose deep trees are too sure of rows that they know by heart.
fn overconfident(calibration: &str) -> Trained {
    let params = json!({"min_samples_leaf": 1, "n_trees": 5, "calibration": calibration});
    run(&rare(), &request(Algorithm::RandomForest, &["a", "b"], "y", 1, params))
}

#[test]
fn a_calibration_improves_unreliable_probabilities() {
    for method in ["isotonic", "platt"] {
        let trained = overconfident(method);
        let found = &trained.metrics["reliability"];
        assert_eq!((&found["method"], &found["rows"]), (&json!(method), &json!(3_200)));
        let figure = |at: &str, name: &str| found[at][name].as_f64().unwrap();
        for name in ["brier_score", "expected_calibration_error", "log_loss"] {
            assert!(figure("after", name) < figure("before", name), "{method}: {name} in {found}");
        }
        assert!(figure("before", "expected_calibration_error") > 2.0 * figure("after", "expected_calibration_error"));
        assert!((figure("after", "log_loss") - trained.metrics["log_loss"].as_f64().unwrap()).abs() < 1e-12);
        assert_eq!(trained.metrics["calibration"], found["after"]["points"]);
        let plain = overconfident("off");
        assert_eq!(plain.metrics["log_loss"], found["before"]["log_loss"], "the same model before the calibration");
    }
}

#[test]
fn a_calibration_never_changes_the_order_of_the_rows() {
    for method in ["isotonic", "platt"] {
        let predict = |trained: &Trained| {
            let predictor = Predictor::load(&trained.artifact).unwrap();
            let row = |step: i32| json!({"a": f64::from(step % 20) / 20.0, "b": f64::from(step / 20) / 20.0});
            let prob = |step| match predictor.predict_one(row(step).as_object().unwrap()).unwrap().outcome {
                Outcome::Binary { prob, .. } => prob,
                other => panic!("{other:?}"),
            };
            (0..400).map(prob).collect::<Vec<f64>>()
        };
        let (before, after) = (predict(&overconfident("off")), predict(&overconfident(method)));
        let mut order: Vec<usize> = (0..400).collect();
        order.sort_by(|a, b| before[*a].total_cmp(&before[*b]));
        assert!(order.windows(2).all(|pair| after[pair[0]] <= after[pair[1]]), "{method}");
        assert!(after.iter().any(|prob| (prob - before[0]).abs() > 0.01));
    }
}

#[test]
fn every_algorithm_is_calibrated_also_for_three_classes() {
    for algorithm in classifiers().filter(|algorithm| *algorithm != Algorithm::Svm) {
        for method in ["isotonic", "platt"] {
            let job = request(algorithm, &["sex", "age", "fare"], "pclass", 1, json!({"calibration": method}));
            let trained = run(TITANIC, &job);
            let predictor = Predictor::load(&trained.artifact).unwrap();
            let row = json!({"sex": "male", "age": 30, "fare": 14});
            let Outcome::Class { probabilities, .. } = predictor.predict_one(row.as_object().unwrap()).unwrap().outcome
            else {
                panic!("three classes")
            };
            let sum: f64 = probabilities.iter().map(|(_, probability)| probability).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{algorithm:?}: {probabilities:?}");
            let found = &trained.metrics["reliability"];
            let loss = |at: &str| found[at]["log_loss"].as_f64().unwrap();
            assert!(loss("after") < loss("before") + 0.05, "{algorithm:?}, {method}: {found}");
        }
    }
    let refused = refusal(TITANIC, &job(Algorithm::Svm, json!({"calibration": "platt"})));
    assert!(refused.contains("params.calibration is not a parameter of svm"), "{refused}");
}

#[test]
fn all_options_together_depend_on_seed_and_data_only() {
    let params = json!({"cv": 3, "calibration": "isotonic", "tune_threshold": "f1", "n_rounds": 40});
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let of = |threads| pool(threads).install(|| run(TITANIC, &job(Algorithm::GradientBoosting, params.clone())));
    let (one, three) = (of(1), of(3));
    assert!(one.artifact == three.artifact);
    let folds = &one.metrics["cross_validation"]["metrics"]["f1"];
    assert_eq!(folds["values"].as_array().unwrap().len(), 3, "{folds}");
    let model = crate::artifact::decode(&one.artifact).unwrap();
    assert!(matches!(model.estimator, Estimator::Calibrated(_)));
}

/// The ensemble is that of the search without calibration and threshold; both are fitted on its out-of-fold predictions.
#[test]
fn the_ensemble_of_a_search_is_calibrated_and_has_a_threshold() {
    let auto = |more: Value| {
        let mut params = json!({"budget_s": 86_400, "max_trials": 6});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run(TITANIC, &job(Algorithm::Auto, params))
    };
    let options = json!({"calibration": "platt", "tune_threshold": "f1", "permutation_repeats": 2});
    let (plain, trained) = (auto(none()), auto(options));
    let decoded = |trained: &Trained| crate::artifact::decode(&trained.artifact).unwrap().estimator;
    let Estimator::Calibrated(calibrated) = decoded(&trained) else { panic!("no calibration") };
    assert!(matches!(*calibrated.base, Estimator::Ensemble(_)) && *calibrated.base == decoded(&plain));
    let metrics = &trained.metrics;
    assert_eq!(metrics["threshold"]["value"], json!(threshold_of(&trained.artifact)));
    assert_eq!((&metrics["threshold"]["rows"], &metrics["reliability"]["rows"]), (&json!(1_047), &json!(1_047)));
    assert_eq!(metrics["reliability"]["before"]["log_loss"], plain.metrics["log_loss"]);
    assert_eq!(metrics["roc_auc"], plain.metrics["roc_auc"], "the order of the rows stays");
    assert_eq!(metrics["permutation_importances"]["repeats"], 2);
    let search = &metrics["search"];
    let folds: Vec<f64> = search["fold_scores"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    let mean = folds.iter().sum::<f64>() / 5.0;
    assert!(folds.len() == 5 && (mean - search["score"].as_f64().unwrap()).abs() < 1e-3, "{search}");
    let row = json!({"sex": "female", "age": 30, "pclass": 2, "fare": 20});
    let predictor = Predictor::load(&trained.artifact).unwrap();
    if let Some(explained) = predictor.explain(row.as_object().unwrap()) {
        assert_eq!(explained.scale.name(), "uncalibrated_probability");
    }
}

#[test]
fn a_search_refuses_to_calibrate_several_classes() {
    let request = request(Algorithm::Auto, &["sex", "age"], "pclass", 1, json!({"calibration": "isotonic"}));
    let refused = refusal(TITANIC, &request);
    assert!(refused.starts_with("bad_params: calibration of auto needs a target with two classes"), "{refused}");
}

#[test]
fn explanations_say_that_they_precede_the_calibration() {
    for (algorithm, scale) in [
        (Algorithm::RandomForest, "uncalibrated_probability"),
        (Algorithm::GradientBoosting, "uncalibrated_log_odds"),
        (Algorithm::LogisticRegression, "uncalibrated_log_odds"),
    ] {
        let row = json!({"sex": "female", "age": 30, "pclass": 2, "fare": 20});
        let explain = |params: Value| {
            let predictor = Predictor::load(&run(TITANIC, &job(algorithm, params)).artifact).unwrap();
            predictor.explain(row.as_object().unwrap()).unwrap()
        };
        let (plain, calibrated) = (explain(none()), explain(json!({"calibration": "platt"})));
        assert_eq!(calibrated.scale.name(), scale);
        assert_eq!((plain.value, plain.contributions), (calibrated.value, calibrated.contributions));
    }
}

#[test]
fn unsuitable_targets_are_refused() {
    let forest = |params: Value| request(Algorithm::RandomForest, &["age"], "target", 1, params);
    let refused = refusal(DIABETES, &forest(json!({"calibration": "platt"})));
    assert_eq!(refused, "bad_params: calibration needs classes, and this is a regression");
    let refused = refusal(DIABETES, &forest(json!({"tune_threshold": "f1"})));
    assert_eq!(refused, "bad_params: tune_threshold needs a target with two classes");
}
