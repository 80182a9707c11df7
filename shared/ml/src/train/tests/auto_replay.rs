//! A search has the same result whenever it has the same trials.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::train::train_timed;

const FEATURES: [&str; 6] = ["sex", "age", "sibsp", "parch", "fare", "embarked"];

/// The seconds of a run are `per_trial` times the number of finished trials.
fn timed(csv: &str, request: &TrainRequest, per_trial: f64) -> (Trained, Recorder) {
    let recorder = Recorder::default();
    let trials = || recorder.measured.lock().unwrap().iter().filter(|(name, ..)| name.starts_with("trial_")).count();
    let elapsed = || Duration::from_secs_f64(per_trial * trials() as f64);
    let request = TrainRequest { schema: schema(csv), ..request.clone() };
    let trained = train_timed(csv.as_bytes(), &request, &recorder, &elapsed).unwrap();
    (trained, recorder)
}

fn with_budget(features: &[&str], target: &str, budget_s: f64) -> TrainRequest {
    request(Algorithm::Auto, features, target, 7, json!({"budget_s": budget_s}))
}

#[test]
fn the_file_does_not_depend_on_the_number_of_threads() {
    for (target, trials) in [("survived", 8), ("pclass", 5)] {
        let artifact = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(TITANIC, &auto(&FEATURES, target, 7, trials)).artifact)
        };
        let one = artifact(1);
        assert!(one == artifact(2) && one == artifact(3), "{target}");
    }
}

#[test]
fn a_search_that_the_clock_has_ended_can_be_repeated() {
    let (cut, _) = timed(TITANIC, &with_budget(&FEATURES, "survived", 12.0), 2.0);
    let search = &cut.metrics["search"];
    assert_eq!((&search["trials"], &search["budget_s"]), (&json!(6), &json!(12.0)), "{search}");
    let trials = cut.metrics["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 7);
    assert_eq!(trials[6]["skipped"], "the budget has ended");
    let repeated = run(TITANIC, &auto(&FEATURES, "survived", 7, 6));
    assert!(cut.artifact == repeated.artifact);
    // The parameters in the file are those of the repetition.
    let params = crate::artifact::decode(&cut.artifact).unwrap().manifest.params;
    assert_eq!((&params["max_trials"], &params["skip_trials"], params.get("budget_s")), (&json!(6), &json!([]), None));
}

/// Each reading of the clock takes a millisecond, so the budget ends within a trial.
#[test]
fn a_trial_that_is_stopped_leaves_no_trace() {
    let readings = AtomicU64::new(0);
    let elapsed = || Duration::from_millis(readings.fetch_add(1, Ordering::Relaxed));
    let request = TrainRequest { schema: schema(TITANIC), ..with_budget(&FEATURES, "survived", 6.0) };
    let cut = train_timed(TITANIC.as_bytes(), &request, &Recorder::default(), &elapsed).unwrap();
    let finished = cut.metrics["search"]["trials"].as_u64().unwrap();
    let trials = cut.metrics["trials"].as_array().unwrap();
    println!("{finished} trials, then: {}", trials.last().unwrap());
    assert!(finished >= 2 && trials.last().unwrap()["skipped"].is_string());
    assert!(cut.artifact == run(TITANIC, &repetition(&cut)).artifact);
}

/// The job that the metrics of a search describe.
fn repetition(cut: &Trained) -> TrainRequest {
    let search = &cut.metrics["search"];
    let (max_trials, skip_trials) = (&search["trials"], &search["skip_trials"]);
    let params = json!({"budget_s": 86_400, "max_trials": max_trials, "skip_trials": skip_trials});
    request(Algorithm::Auto, &FEATURES, "survived", 7, params)
}

/// Each check for a cancellation takes a millisecond. Engines check after each tree or round, so the seconds are in
/// proportion to the work, in trials as well as in the final training.
#[derive(Default)]
struct WorkClock {
    checks: AtomicU64,
}

impl Observer for WorkClock {
    fn progress(&self, _phase: &str, _fraction: f64) {}

    fn cancelled(&self) -> bool {
        self.checks.fetch_add(1, Ordering::Relaxed);
        false
    }
}

#[test]
fn a_budget_is_used_and_not_exceeded() {
    let mut skipped_between = false;
    for budget_s in [6.0, 15.0, 30.0] {
        let clock = WorkClock::default();
        let elapsed = || Duration::from_millis(clock.checks.load(Ordering::Relaxed));
        let request = TrainRequest { schema: schema(TITANIC), ..with_budget(&FEATURES, "survived", budget_s) };
        let cut = train_timed(TITANIC.as_bytes(), &request, &clock, &elapsed).unwrap();
        let search = &cut.metrics["search"];
        println!("{search}");
        let share = search["used_s"].as_f64().unwrap() / budget_s;
        assert!((0.9..1.1).contains(&share), "{share} of {budget_s} s");
        skipped_between |= search["skip_trials"] != json!([]);
        let repeated = run(TITANIC, &repetition(&cut));
        assert!(cut.artifact == repeated.artifact, "{budget_s} s");
        assert_eq!(search["skip_trials"], repeated.metrics["search"]["skip_trials"]);
    }
    assert!(skipped_between, "no trial was tried after one that did not fit");
}

#[test]
fn trials_can_be_left_out() {
    let params = json!({"budget_s": 86_400, "max_trials": 4, "skip_trials": [2, 5]});
    let trained = run(TITANIC, &request(Algorithm::Auto, &FEATURES, "survived", 7, params));
    let trials = trained.metrics["trials"].as_array().unwrap();
    let skipped: Vec<&Value> = trials.iter().filter(|trial| trial["score"].is_null()).collect();
    let numbers: Vec<&Value> = skipped.iter().map(|trial| &trial["trial"]).collect();
    assert_eq!((trials.len(), numbers), (6, vec![&json!(2), &json!(5)]));
    assert!(skipped.iter().all(|trial| trial["skipped"] == "it is in skip_trials" && trial["weight"] == 0.0));
}

#[test]
fn a_regression_can_be_repeated() {
    let features = others(DIABETES, "target");
    let (cut, _) = timed(DIABETES, &with_budget(&features, "target", 10.0), 2.0);
    assert_eq!(cut.metrics["search"]["trials"], 5);
    assert!(cut.artifact == run(DIABETES, &auto(&features, "target", 7, 5)).artifact);
}

#[test]
fn another_seed_is_another_search() {
    let artifact = |seed| run(TITANIC, &auto(&FEATURES, "survived", seed, 5)).artifact;
    assert!(artifact(1) != artifact(2));
}

/// A table with samples: candidates that are not promoted, and those that are, are repeated as well.
#[test]
fn successive_halving_can_be_repeated() {
    let csv = (0..8_000_u64).fold("x,z,u,y\n".to_owned(), |csv, row| {
        let (x, z) = (row * 7_919 % 1_009, row * 104_729 % 997);
        let noise = row * 31 % 17;
        format!("{csv}{x},{z},u{},{}\n", row % 7, u8::from(x * (row % 7) + 40 * noise > 3 * z))
    });
    let features = ["x", "z", "u"];
    let (cut, recorder) = timed(&csv, &with_budget(&features, "y", 20.0), 2.0);
    let trials = cut.metrics["trials"].as_array().unwrap();
    let rows: Vec<u64> = trials.iter().map(|trial| trial["rows"].as_u64().unwrap()).collect();
    println!("rows of the trials: {rows:?}");
    // Four defaults and the support vector machine, three candidates on a third of the rows, and the best of them.
    assert_eq!(rows[..5], [6_400; 5]);
    assert!(rows[5..8].iter().all(|rows| (2_133..2_136).contains(rows)), "{rows:?}");
    assert_eq!(rows[8], 6_400);
    let of_sample: Vec<&Value> = trials[5..8].iter().collect();
    let best = of_sample.iter().min_by(|a, b| a["score"].as_f64().unwrap().total_cmp(&b["score"].as_f64().unwrap()));
    assert_eq!(
        (&best.unwrap()["params"], &best.unwrap()["algorithm"]),
        (&trials[8]["params"], &trials[8]["algorithm"])
    );
    assert!(of_sample.iter().all(|trial| trial["weight"] == 0.0), "only models of all rows are members");
    assert!(cut.artifact == run(&csv, &auto(&features, "y", 7, 10)).artifact);
    let reported = recorder.reported.into_inner().unwrap();
    assert!(reported.is_sorted_by(|a, b| a.1 <= b.1), "{reported:?}");
}
