//! The search of the algorithm `auto`: its scores, its limits and its reports.

use std::time::Duration;

use super::*;
use crate::artifact;
use crate::model::Estimator;
use crate::predict::Predictor;
use crate::rng::{Rng, Stream};
use crate::train::train_timed;

/// The columns of a passenger without names and numbers.
const PASSENGER: [&str; 7] = ["sex", "age", "pclass", "sibsp", "parch", "fare", "embarked"];

fn score(trained: &Trained) -> f64 {
    trained.metrics["search"]["score"].as_f64().unwrap()
}

fn trials(trained: &Trained) -> &Vec<Value> {
    trained.metrics["trials"].as_array().unwrap()
}

/// 300 rows with two numbers and a category.
fn small() -> String {
    let mut rng = Rng::new(3, Stream::Split);
    (0..300).fold("x,z,u,y\n".to_owned(), |csv, _| {
        let (x, z, u) = (rng.below(100), rng.below(100), rng.below(4));
        let class = if x + 30 * u > z + rng.below(60) { "a" } else { "b" };
        format!("{csv}{x},{z},u{u},{class}\n")
    })
}

#[test]
fn more_trials_never_worsen_the_validation_score() {
    let csv = small();
    let runs: Vec<Trained> = (1..=9).map(|max| run(&csv, &auto(&["x", "z", "u"], "y", 1, max))).collect();
    for pair in runs.windows(2) {
        assert!(score(&pair[1]) <= score(&pair[0]), "{} after {}", score(&pair[1]), score(&pair[0]));
        assert_eq!(trials(&pair[0])[0]["score"], trials(&pair[1])[0]["score"], "a trial does not depend on later ones");
    }
    assert!(score(&runs[8]) < score(&runs[0]));
}

#[test]
fn the_score_is_at_least_that_of_the_best_default() {
    for (csv, features, target, metric) in [
        (small(), vec!["x", "z", "u"], "y", "log_loss"),
        (TITANIC.to_owned(), vec!["sex", "age", "fare"], "pclass", "log_loss"),
        (DIABETES.to_owned(), others(DIABETES, "target"), "target", "rmse"),
    ] {
        for ensemble in ["on", "off"] {
            let params = json!({"budget_s": 86_400, "max_trials": 7, "ensemble": ensemble});
            let trained = run(&csv, &request(Algorithm::Auto, &features, target, 1, params));
            let trials = trials(&trained);
            let defaults = trials.iter().filter(|trial| trial["params"] == json!({}));
            let scores: Vec<f64> = defaults.map(|trial| trial["score"].as_f64().unwrap()).collect();
            assert_eq!(scores.len(), 5, "{trials:?}");
            assert!(scores.iter().all(|default| score(&trained) <= *default), "{target}: {trials:?}");
            let search = &trained.metrics["search"];
            assert_eq!(search["metric"], metric);
            let best = trials.iter().map(|trial| trial["score"].as_f64().unwrap()).min_by(f64::total_cmp).unwrap();
            assert_eq!(search["best_single"]["score"], best);
            let weights: Vec<f64> = trials.iter().map(|trial| trial["weight"].as_f64().unwrap()).collect();
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{weights:?}");
            if ensemble == "off" {
                assert_eq!(score(&trained), best);
                assert!(weights.contains(&1.0), "{weights:?}");
            }
        }
    }
}

/// If a row, or a copy of it, had been trained on before it is predicted, the scores would be far better than chance.
#[test]
fn a_target_without_signal_is_not_predicted() {
    let mut rng = Rng::new(9, Stream::Split);
    let row = |rng: &mut Rng| {
        let class = ["a", "b"][rng.below(2) as usize];
        format!("{},u{},{},{class}\n", rng.below(1 << 20), rng.below(80), rng.below(1 << 20))
    };
    let distinct: Vec<String> = (0..600).map(|_| row(&mut rng)).collect();
    let copied: Vec<String> = distinct[..150].iter().flat_map(|row| vec![row.clone(); 4]).collect();
    for (name, rows) in [("distinct rows", distinct), ("copies", copied)] {
        let csv = format!("x,u,z,y\n{}", rows.concat());
        let trained = run(&csv, &auto(&["x", "u", "z"], "y", 1, 7));
        println!("{name}: validation log loss {:.4}, held out {}", score(&trained), trained.metrics["log_loss"]);
        // The choice of the best of several ensembles gains a little.
        assert!(score(&trained) > 0.693 - 0.02, "{name}: {}", score(&trained));
    }
}

#[test]
fn the_ensemble_is_as_good_as_the_best_default_on_new_rows() {
    let loss = |request: &TrainRequest| run(TITANIC, request).metrics["log_loss"].as_f64().unwrap();
    let mean = |of: &dyn Fn(u64) -> f64| (1..=5).map(of).sum::<f64>() / 5.0;
    let of_auto = mean(&|seed| loss(&auto(&PASSENGER, "survived", seed, 8)));
    let singles = [
        Algorithm::LogisticRegression,
        Algorithm::RandomForest,
        Algorithm::ExtraTrees,
        Algorithm::GradientBoosting,
        Algorithm::Svm,
    ];
    let of_singles =
        singles.map(|algorithm| mean(&|seed| loss(&request(algorithm, &PASSENGER, "survived", seed, none()))));
    println!("titanic, mean log loss of five seeds: auto {of_auto:.4}, {singles:?} {of_singles:.4?}");
    let best = of_singles.into_iter().fold(f64::INFINITY, f64::min);
    assert!(of_auto < best + 0.005, "{of_auto} instead of {best}");
}

#[test]
fn a_second_is_enough_for_a_small_table() {
    let trained = run(TITANIC, &request(Algorithm::Auto, &PASSENGER, "survived", 1, json!({"budget_s": 1})));
    let search = &trained.metrics["search"];
    println!("{search}");
    assert!(trained.metrics["accuracy"].as_f64().unwrap() > 0.75);
    assert!(search["used_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_budget_without_time_for_a_trial_still_gives_a_model() {
    let job = request(Algorithm::Auto, &PASSENGER, "survived", 1, json!({"budget_s": 5}));
    let job = TrainRequest { schema: schema(TITANIC), ..job };
    // Reading the table has taken the whole budget.
    let recorder = Recorder::default();
    let trained = train_timed(TITANIC.as_bytes(), &job, &recorder, &|| Duration::from_secs(6)).unwrap();
    assert_eq!(trained.warnings.len(), 2, "{:?}", trained.warnings);
    assert!(
        trained.warnings[0].starts_with("no trial has a result within the budget of 5 s"),
        "{:?}",
        trained.warnings
    );
    assert!(trained.warnings[1].starts_with("logistic_regression was trained with its defaults"));
    assert_eq!((&trained.metrics["search"]["trials"], &trained.metrics["search"]["score"]), (&json!(0), &json!(null)));
    let plain = run(TITANIC, &request(Algorithm::LogisticRegression, &PASSENGER, "survived", 1, none()));
    let estimator = |trained: &Trained| artifact::decode(&trained.artifact).unwrap().estimator;
    assert_eq!(estimator(&trained), estimator(&plain));
    // Two training rows, of different classes, can't be divided into folds.
    let tiny = run("x,y\n1,a\n2,b\n3,a\n4,b\n", &auto(&["x"], "y", 1, 3));
    assert!(
        tiny.warnings.iter().any(|warning| warning.contains("too few rows to compare models")),
        "{:?}",
        tiny.warnings
    );
}

#[test]
fn unsuitable_tables_are_refused_as_by_the_other_algorithms() {
    for table in
        ["x,y\n1,0\n2,0\n", "x,y\n1,0\n2,1\n", "y\n1\n0\n", "x,y\n,0\n,1\n,0\n,1\n", "", "x,y\n1,a\n2,b\n3,c\n"]
    {
        let of = |algorithm| refusal(table, &request(algorithm, &["x"], "y", 1, none()));
        assert_eq!(of(Algorithm::Auto), of(Algorithm::RandomForest), "{table:?}");
    }
}

#[test]
fn small_and_unusual_tables_can_be_searched() {
    for table in [
        "x,z,y\n1,5,a\n1,,a\n1,,b\n1,,b\n1,,a\n1,7,b\n1,3,a\n1,2,b\n",
        "x,z,y\n1e300,1e-300,a\n-1e300,0,b\n5e299,1e-310,a\n-1e308,3,b\n1e308,4,a\n0,1,b\n",
        "x,z,y\na,1,1\nb,2,2\nc,3,3\na,4,4\nb,5,1\nc,6,2\na,7,3\nb,8,4\n",
        "x,z,y\n0,yes,no\n1,no,yes\n0,yes,no\n1,no,yes\n0,,no\n,no,yes\n",
    ] {
        let trained = attempt(table, &auto(&["x", "z"], "y", 1, 6), &Recorder::default());
        assert!(trained.is_ok(), "{table:?}: {:?}", trained.err());
    }
}

#[test]
fn slow_models_are_left_out() {
    let with = |limit: f64| {
        let params = json!({"budget_s": 86_400, "max_trials": 5, "max_predict_us": limit});
        run(TITANIC, &request(Algorithm::Auto, &PASSENGER, "survived", 1, params))
    };
    let trained = with(0.5);
    let members: Vec<&Value> = trials(&trained).iter().filter(|trial| trial["weight"].as_f64() > Some(0.0)).collect();
    assert!(members.iter().all(|member| member["algorithm"] == "logistic_regression"), "{members:?}");
    assert!(matches!(artifact::decode(&trained.artifact).unwrap().estimator, Estimator::Linear(_)));
    let none = with(0.1);
    let warned = |start: &str| none.warnings.iter().any(|warning| warning.starts_with(start));
    assert!(warned("no model is within max_predict_us"), "{:?}", none.warnings);
    assert_eq!(trials(&none).iter().filter(|trial| trial["weight"] == 1.0).count(), 1);
}

#[test]
fn trials_that_need_too_much_memory_are_skipped() {
    let job = |limit_mb: u64| TrainRequest { memory_limit: Some(limit_mb << 20), ..auto(&PASSENGER, "survived", 1, 3) };
    // The estimates grow with the threads.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let trained = pool.install(|| run(TITANIC, &job(90)));
    let skipped: Vec<&Value> = trials(&trained).iter().filter(|trial| !trial["skipped"].is_null()).collect();
    println!("{skipped:?}");
    assert!(!skipped.is_empty(), "{:?}", trials(&trained));
    assert!(skipped.iter().all(|trial| trial["skipped"].as_str().unwrap().starts_with("it can need up to ")));
    let refused = refusal(TITANIC, &job(20));
    assert!(refused.starts_with("out_of_memory: "), "{refused}");
}

#[test]
fn each_trial_is_reported_while_the_search_runs() {
    let recorder = Recorder::default();
    let trained = attempt(TITANIC, &auto(&PASSENGER, "survived", 1, 6), &recorder).unwrap();
    let measured = recorder.measured.into_inner().unwrap();
    let reported: Vec<_> = measured.iter().filter(|(name, ..)| name == "trial_log_loss").collect();
    let listed = trials(&trained);
    assert_eq!((reported.len(), listed.len()), (6, 6));
    for ((_, value, step), trial) in reported.iter().zip(listed) {
        assert_eq!((json!(value), json!(step)), (trial["score"].clone(), trial["trial"].clone()));
        assert_eq!((&trial["rows"], &trial["folds"]), (&json!(1_047), &json!(5)));
    }
    let noted = recorder.noted.into_inner().unwrap();
    let lines: Vec<_> = noted.iter().filter(|note| note.starts_with("trial ")).collect();
    assert!(lines[0].starts_with("trial 1: logistic_regression, 1047 rows, 5 folds, log_loss 0."), "{}", lines[0]);
    assert!(lines[0].ends_with(", defaults") && lines.len() == 6, "{lines:?}");
    assert!(noted.iter().any(|note| note.starts_with("chosen: ")), "{noted:?}");
    let phases = recorder.reported.into_inner().unwrap();
    assert!(phases.is_sorted_by(|a, b| a.1 <= b.1), "{phases:?}");
    let mut phases: Vec<&str> = phases.iter().map(|(phase, _)| phase.as_str()).collect();
    phases.dedup();
    assert_eq!(phases, ["reading", "preparing", "searching", "training", "measuring", "saving"]);
}

#[test]
fn the_seconds_of_a_search_are_not_in_the_model_file() {
    let trained = run(TITANIC, &auto(&PASSENGER, "survived", 1, 4));
    let manifest = Predictor::load(&trained.artifact).unwrap().manifest().metrics.clone();
    assert!(manifest.get("trials").is_none() && manifest.get("search").is_none());
    let mut metrics = trained.metrics.as_object().unwrap().clone();
    assert!(metrics.remove("trials").is_some() && metrics.remove("search").is_some());
    assert_eq!(manifest, Value::Object(metrics));
}
