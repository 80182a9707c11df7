//! Reports to the observer, and cancellation.

use super::*;

#[test]
fn progress_passes_all_phases_and_never_decreases() {
    let recorder = Recorder::default();
    let request = request(Algorithm::RandomForest, &["sex", "age"], "survived", 1, json!({"n_trees": 20}));
    attempt(TITANIC, &request, &recorder).unwrap();
    let reported = recorder.reported.into_inner().unwrap();
    assert!(reported.is_sorted_by(|a, b| a.1 <= b.1), "{reported:?}");
    let mut phases: Vec<&str> = reported.iter().map(|(phase, _)| phase.as_str()).collect();
    phases.dedup();
    assert_eq!(phases, ["reading", "preparing", "training", "measuring", "saving"]);
    assert_eq!(reported.last().unwrap().1, 1.0);
    assert!(reported.iter().filter(|(phase, _)| phase == "training").count() > 20, "a report per tree");
}

#[test]
fn a_run_stops_when_it_is_cancelled() {
    for algorithm in Algorithm::ALL {
        let (csv, target) =
            if algorithm.supports_classification() { (TITANIC, "survived") } else { (DIABETES, "target") };
        for reports in [0, 1, 3] {
            let recorder = Recorder { stop_after: Some(reports), ..Recorder::default() };
            let request = request(algorithm, &others(csv, target)[..2], target, 1, none());
            assert_eq!(attempt(csv, &request, &recorder), Err(TrainError::Cancelled));
        }
    }
}

#[test]
fn an_optimizer_that_runs_out_of_iterations_causes_a_warning() {
    let cases = [
        (Algorithm::LogisticRegression, json!({"max_iterations": 1}), "the optimizer did not reach its tolerance"),
        (Algorithm::Svm, json!({"max_iterations": 10}), "the support vector machine did not reach its tolerance"),
    ];
    for (algorithm, params, expected) in cases {
        let features = others(BREAST_CANCER, "target");
        let warned = |params: Value| {
            let recorder = Recorder::default();
            let trained =
                attempt(BREAST_CANCER, &request(algorithm, &features, "target", 1, params), &recorder).unwrap();
            assert_eq!(trained.metrics["warnings"], json!(recorder.warned.into_inner().unwrap()));
            trained.warnings.iter().any(|warning| warning.starts_with(expected))
        };
        assert!(warned(params) && !warned(none()), "{}", algorithm.as_str());
    }
}

#[test]
fn warnings_reach_observer_metrics_and_caller() {
    let recorder = Recorder::default();
    let mut csv = "id,leak,noise,same,rare\n".to_owned();
    for row in 0..400 {
        let rare = row % 50 == 0;
        let target = if row == 13 { String::new() } else { u8::from(rare).to_string() };
        csv += &format!("{row},{},{},x,{target}\n", if rare { 7 } else { row % 5 }, row * 7 % 11);
    }
    let request = request(Algorithm::RandomForest, &["id", "leak", "noise", "same"], "rare", 1, none());
    let trained = attempt(&csv, &request, &recorder).unwrap();
    assert_eq!(trained.warnings, recorder.warned.into_inner().unwrap());
    assert_eq!(trained.metrics["warnings"], json!(trained.warnings));
    let expected = [
        "1 rows have no value for 'rare'",
        "class '1' has only 1.",
        "'id' looks like an id",
        "'leak' alone predicts the target almost perfectly",
        "'same' has one value in all training rows",
    ];
    assert_eq!(trained.warnings.len(), expected.len(), "{:?}", trained.warnings);
    for (warning, expected) in trained.warnings.iter().zip(expected) {
        assert!(warning.starts_with(expected), "{warning}");
    }
}

#[test]
fn numbers_with_the_name_of_an_id_cause_a_warning() {
    // Different integers in a large range: only the name says that they are ids.
    let number = |row: u64| row.wrapping_mul(2_654_435_761) % 900_000_011;
    for (name, expected) in [("customer_id", 1), ("income", 0)] {
        let csv = (0..120_u64)
            .fold(format!("{name},x,y\n"), |csv, row| format!("{csv}{},{},{}\n", number(row), row * 5 % 7, row % 2));
        let trained = run(&csv, &request(Algorithm::DecisionTree, &[name, "x"], "y", 1, none()));
        let ids = trained.warnings.iter().filter(|warning| warning.contains("looks like an id")).count();
        assert_eq!(ids, expected, "{name}: {:?}", trained.warnings);
    }
}

#[test]
fn a_rare_class_causes_a_warning_with_the_parameters_that_help() {
    let csv = (0..400).fold("x,y\n".to_owned(), |csv, row| {
        format!("{csv}{},{}\n", row * 7 % 31, if row % 40 == 0 { "rare" } else { "common" })
    });
    for (algorithm, help) in [
        (Algorithm::RandomForest, "; class_weight and tune_threshold can help"),
        (Algorithm::DecisionTree, "; tune_threshold can help"),
    ] {
        let warnings = run(&csv, &request(algorithm, &["x"], "y", 1, none())).warnings;
        let found = warnings.iter().any(|warning| warning.starts_with("class 'rare'") && warning.ends_with(help));
        assert!(found, "{warnings:?}");
    }
}

#[test]
fn a_leak_of_a_numeric_target_causes_a_warning() {
    let csv = (0..200).fold("x,z,y\n".to_owned(), |csv, row| {
        format!("{csv}{},{},{}\n", row * 37 % 200, row * 53 % 17, f64::from(row * 37 % 200) * 1.5 + f64::from(row % 3))
    });
    let trained = run(&csv, &request(Algorithm::RandomForest, &["x", "z"], "y", 1, none()));
    assert!(trained.warnings.iter().all(|warning| warning.starts_with("'x'")), "{:?}", trained.warnings);
    assert!(!trained.warnings.is_empty());
}

#[test]
fn a_good_table_causes_no_warnings() {
    let request = request(Algorithm::DecisionTree, &["sex", "age", "pclass", "embarked"], "survived", 1, none());
    assert_eq!(run(TITANIC, &request).warnings, Vec::<String>::new());
}

#[test]
fn the_observer_receives_messages_and_intermediate_scores() {
    let recorder = Recorder::default();
    let request = request(Algorithm::RandomForest, &["sex", "age"], "survived", 1, json!({"n_trees": 50}));
    let trained = attempt(TITANIC, &request, &recorder).unwrap();
    let noted = recorder.noted.into_inner().unwrap();
    assert_eq!(
        noted,
        ["read 1309 rows of 2 feature columns and 'survived'", "training on 1047 rows, measuring on 262"]
    );
    let measured = recorder.measured.into_inner().unwrap();
    assert!(measured.iter().all(|(name, value, _)| name == "oob_accuracy" && (0.0..=1.0).contains(value)));
    let steps: Vec<_> = measured.iter().map(|(.., step)| *step).collect();
    assert_eq!(steps, (3..=48).step_by(3).collect::<Vec<_>>(), "the number of intermediate scores is limited");
    let last = measured.last().unwrap().1;
    let finished = trained.metrics["oob_accuracy"].as_f64().unwrap();
    assert!(
        (last - finished).abs() < 0.05,
        "the last intermediate score is close to the final score: {last}, {finished}"
    );
}
