//! Runs that continue from a checkpoint give the same model file as unbroken runs.

use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::checkpoint::{CheckpointSource, CheckpointStore, WriteState};
use crate::train::train_timed;

const FEATURES: [&str; 6] = ["sex", "age", "sibsp", "parch", "fare", "embarked"];

/// Keeps checkpoints in memory. Saves at every opportunity, and cancels the run after `stop_after` checkpoints.
#[derive(Default)]
struct Saver {
    earlier: Option<Vec<u8>>,
    stop_after: usize,
    saved: Mutex<Vec<(String, Vec<u8>)>>,
    resumed: Mutex<Vec<String>>,
    ignored: Mutex<Vec<String>>,
    trials: AtomicU64,
    has_searched: AtomicBool,
    /// Number of checks for a cancellation since a search began. Engines check after each tree or round.
    work: AtomicU64,
}

impl Saver {
    fn count(&self) -> usize {
        self.saved.lock().unwrap().len()
    }

    fn last(&self) -> Option<Vec<u8>> {
        self.saved.lock().unwrap().last().map(|(_, bytes)| bytes.clone())
    }
}

impl CheckpointStore for Saver {
    fn load(&self) -> Option<Box<dyn CheckpointSource>> {
        self.earlier.clone().map(|bytes| Box::new(Cursor::new(bytes)) as _)
    }

    fn is_due(&self) -> bool {
        self.count() < self.stop_after
    }

    fn save(&self, done: &str, write: WriteState<'_>) {
        let mut bytes = Vec::new();
        write(&mut bytes).unwrap();
        self.saved.lock().unwrap().push((done.to_owned(), bytes));
    }

    fn resumed(&self, done: &str) {
        self.resumed.lock().unwrap().push(done.to_owned());
    }

    fn ignored(&self, reason: &str) {
        self.ignored.lock().unwrap().push(reason.to_owned());
    }
}

impl Observer for Saver {
    fn progress(&self, phase: &str, _fraction: f64) {
        self.has_searched.fetch_or(phase == "searching", Ordering::Relaxed);
    }

    fn metric(&self, name: &str, _value: f64, _step: u64) {
        self.trials.fetch_add(u64::from(name.starts_with("trial_")), Ordering::Relaxed);
    }

    fn checkpoints(&self) -> Option<&dyn CheckpointStore> {
        Some(self)
    }

    fn cancelled(&self) -> bool {
        self.work.fetch_add(u64::from(self.has_searched.load(Ordering::Relaxed)), Ordering::Relaxed);
        self.stop_after > 0 && self.count() >= self.stop_after
    }
}

fn attempt_with(csv: &str, request: &TrainRequest, saver: &Saver) -> Result<Trained, TrainError> {
    train(csv.as_bytes(), &TrainRequest { schema: schema(csv), ..request.clone() }, saver)
}

/// Continues after a checkpoint, without an interruption.
fn resume(csv: &str, request: &TrainRequest, checkpoint: Vec<u8>) -> (Trained, Saver) {
    let saver = Saver { earlier: Some(checkpoint), ..Saver::default() };
    (attempt_with(csv, request, &saver).unwrap(), saver)
}

/// The last checkpoint of a run that is interrupted after `stop_after` ones. `None` if the run finishes before.
fn interrupted(csv: &str, request: &TrainRequest, stop_after: usize) -> Option<Vec<u8>> {
    let saver = Saver { stop_after, ..Saver::default() };
    match attempt_with(csv, request, &saver) {
        Err(TrainError::Cancelled) => saver.last(),
        other => {
            other.unwrap();
            None
        }
    }
}

/// Interrupts a run after every `step`-th checkpoint, and compares what the next run gives.
fn continues_to_the_same_bytes(csv: &str, request: &TrainRequest, step: usize) {
    let whole = run(csv, request);
    let mut interruptions = 0;
    while let Some(checkpoint) = interrupted(csv, request, 1 + interruptions * step) {
        let (resumed, saver) = resume(csv, request, checkpoint);
        let done = saver.resumed.into_inner().unwrap();
        assert_eq!((done.len(), saver.ignored.into_inner().unwrap().len()), (1, 0), "{done:?}");
        assert!(resumed.artifact == whole.artifact, "after {done:?}");
        assert_eq!(resumed.warnings, whole.warnings, "after {done:?}");
        interruptions += 1;
    }
    assert!(interruptions >= 3, "only {interruptions} interruptions");
}

/// Every run does a little and is interrupted.
fn continues_in_small_steps(csv: &str, request: &TrainRequest) {
    let whole = run(csv, request);
    let mut saver = Saver { stop_after: 1, ..Saver::default() };
    for runs in 1.. {
        match attempt_with(csv, request, &saver) {
            Err(TrainError::Cancelled) => {
                saver = Saver { earlier: saver.last().or(saver.earlier), stop_after: 1, ..Saver::default() };
            }
            other => {
                assert!(runs > 3 && other.unwrap().artifact == whole.artifact, "{runs} runs");
                return;
            }
        }
        assert!(runs < 500, "the runs make no progress");
    }
}

pub(super) fn on_threads(threads: usize, work: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
}

fn forests() -> Vec<(&'static str, TrainRequest)> {
    let titanic = |algorithm, target, params| {
        let features: Vec<&str> = FEATURES.into_iter().filter(|feature| *feature != target).collect();
        (TITANIC, request(algorithm, &features, target, 7, params))
    };
    vec![
        titanic(Algorithm::RandomForest, "survived", json!({"n_trees": 9})),
        titanic(Algorithm::RandomForest, "pclass", json!({"n_trees": 9, "class_weight": "balanced"})),
        titanic(Algorithm::ExtraTrees, "survived", json!({"n_trees": 9, "bootstrap": "on"})),
        titanic(Algorithm::ExtraTrees, "fare", json!({"n_trees": 9})),
        (DIABETES, request(Algorithm::RandomForest, &others(DIABETES, "target"), "target", 7, json!({"n_trees": 9}))),
    ]
}

#[test]
fn a_forest_that_is_interrupted_after_any_tree_has_the_same_bytes() {
    for (csv, request) in forests() {
        on_threads(1, || continues_to_the_same_bytes(csv, &request, 1));
        on_threads(1, || continues_in_small_steps(csv, &request));
    }
}

#[test]
fn the_trees_that_several_threads_have_finished_are_continued() {
    for (csv, request) in forests().into_iter().take(2) {
        let whole = run(csv, &request).artifact;
        for threads in [2, 3] {
            let mut checkpoint = None;
            on_threads(threads, || checkpoint = interrupted(csv, &request, 3));
            let checkpoint = checkpoint.unwrap();
            for threads in [1, 2, 3] {
                let same = || assert!(resume(csv, &request, checkpoint.clone()).0.artifact == whole);
                on_threads(threads, same);
            }
        }
    }
}

/// A row is not out of bag of a tree that was trained on a copy of the row.
#[test]
fn copies_of_rows_are_not_out_of_bag_after_a_checkpoint_either() {
    let csv = DIABETES.lines().chain(DIABETES.lines().skip(1)).fold(String::new(), |csv, line| csv + line + "\n");
    let params = json!({"n_trees": 6});
    let request = request(Algorithm::RandomForest, &others(DIABETES, "target"), "target", 7, params);
    continues_to_the_same_bytes(&csv, &request, 1);
}

#[test]
fn gradient_boosting_that_is_interrupted_in_either_stage_has_the_same_bytes() {
    let params = json!({"n_rounds": 25, "learning_rate": 0.3, "max_leaves": 8, "early_stopping_rounds": 5});
    for (target, threads) in [("survived", 1), ("survived", 2), ("pclass", 3)] {
        let features: Vec<&str> = FEATURES.into_iter().filter(|feature| *feature != target).collect();
        let request = request(Algorithm::GradientBoosting, &features, target, 7, params.clone());
        on_threads(threads, || continues_to_the_same_bytes(TITANIC, &request, 4));
        on_threads(threads, || continues_in_small_steps(TITANIC, &request));
    }
    let features = others(DIABETES, "target");
    for params in [
        json!({"n_rounds": 20, "loss": "quantile", "quantile": 0.8}),
        json!({"n_rounds": 25, "loss": "poisson", "early_stopping_rounds": 0}),
    ] {
        let request = request(Algorithm::GradientBoosting, &features, "target", 7, params);
        continues_to_the_same_bytes(DIABETES, &request, 6);
    }
}

#[test]
fn a_search_that_is_interrupted_after_any_trial_has_the_same_bytes() {
    let request = auto(&FEATURES, "survived", 7, 5);
    let saver = Saver { stop_after: usize::MAX, ..Saver::default() };
    attempt_with(TITANIC, &request, &saver).unwrap();
    let done: Vec<String> = saver.saved.into_inner().unwrap().into_iter().map(|(done, _)| done).collect();
    assert_eq!(done[..2], ["1 trial", "2 trials"]);
    assert!(done.last().unwrap().starts_with("the search and "), "{done:?}");
    continues_to_the_same_bytes(TITANIC, &request, 1);
    for threads in [1, 3] {
        on_threads(threads, || continues_to_the_same_bytes(TITANIC, &request, 2));
    }
    // Both are fitted on predictions of the search.
    let mut request = request;
    request.spec.params.insert("calibration".into(), "isotonic".into());
    request.spec.params.insert("tune_threshold".into(), "cost".into());
    continues_to_the_same_bytes(TITANIC, &request, 2);
}

#[test]
fn a_search_of_a_regression_continues_in_small_steps() {
    continues_in_small_steps(DIABETES, &auto(&others(DIABETES, "target"), "target", 7, 6));
}

/// The seconds of a run are two times the number of its finished trials.
#[test]
fn the_time_before_an_interruption_counts_towards_the_budget() {
    let request = request(Algorithm::Auto, &FEATURES, "survived", 7, json!({"budget_s": 12.0}));
    let request = TrainRequest { schema: schema(TITANIC), ..request };
    let timed = |saver: &Saver| {
        let elapsed = || Duration::from_secs(2 * saver.trials.load(Ordering::Relaxed));
        train_timed(TITANIC.as_bytes(), &request, saver, &elapsed)
    };
    let whole = timed(&Saver::default()).unwrap();
    assert_eq!(whole.metrics["search"]["trials"], 6);
    let saver = Saver { stop_after: 4, ..Saver::default() };
    assert_eq!(timed(&saver), Err(TrainError::Cancelled));
    let saver = Saver { earlier: saver.last(), ..Saver::default() };
    let resumed = timed(&saver).unwrap();
    assert_eq!(saver.resumed.lock().unwrap()[..], ["4 trials and 0 trained models, after 8.0 s of the budget"]);
    assert_eq!(saver.trials.load(Ordering::Relaxed), 2, "of six trials");
    assert!(resumed.artifact == whole.artifact);
    assert_eq!(resumed.metrics["search"]["used_s"], 12.0);
    assert_eq!(resumed.metrics["trials"], whole.metrics["trials"]);
}

/// The seconds of a run are in proportion to its work. Reading the table takes none, so interruptions cost no time, and a
/// search that continues decides as an unbroken one which trials it skips and stops.
#[test]
fn a_search_that_skips_trials_and_trains_members_ahead_continues_in_small_steps() {
    let (mut stopped, mut continued_with_models) = (false, false);
    for budget_s in [4.5, 15.0] {
        let request = request(Algorithm::Auto, &FEATURES, "survived", 7, json!({"budget_s": budget_s}));
        let request = TrainRequest { schema: schema(TITANIC), ..request };
        let timed = |saver: &Saver| {
            let elapsed = || Duration::from_millis(saver.work.load(Ordering::Relaxed));
            train_timed(TITANIC.as_bytes(), &request, saver, &elapsed)
        };
        on_threads(1, || {
            let whole = timed(&Saver::default()).unwrap();
            let (mut resumed, mut saver) = (Vec::new(), Saver { stop_after: 1, ..Saver::default() });
            let last = loop {
                match timed(&saver) {
                    Err(TrainError::Cancelled) => {}
                    other => break other.unwrap(),
                }
                resumed.append(&mut saver.resumed.lock().unwrap());
                saver = Saver { earlier: saver.last().or(saver.earlier), stop_after: 1, ..Saver::default() };
                assert!(resumed.len() < 500, "the runs make no progress");
            };
            let search = &whole.metrics["search"];
            println!("{search}, {resumed:?}");
            assert_eq!(last.metrics["search"]["skip_trials"], search["skip_trials"]);
            // The score of each trial, and whether it was started.
            let trials = |trained: &Trained| -> Vec<(Option<f64>, bool)> {
                let trials = trained.metrics["trials"].as_array().unwrap().iter();
                trials.map(|trial| (trial["score"].as_f64(), trial["seconds"].as_f64() > Some(0.0))).collect()
            };
            assert_eq!(trials(&last), trials(&whole));
            assert!(last.artifact == whole.artifact && last.warnings == whole.warnings);
            assert!(search["skip_trials"] != json!([]), "no trial was tried after one that did not fit");
            // Later trials are estimated from the seconds of a stopped one.
            stopped |= trials(&whole).contains(&(None, true));
            let before_the_end = |done: &&String| !done.starts_with(&format!("{} trials", search["trials"]));
            continued_with_models |=
                resumed.iter().filter(before_the_end).any(|done| !done.contains("and 0 trained models"));
        });
    }
    assert!(stopped && continued_with_models, "{stopped}, {continued_with_models}");
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_another_run_is_ignored() {
    let request = |algorithm, seed, params| request(algorithm, &FEATURES, "survived", seed, params);
    let trees = json!({"n_trees": 6});
    let forest = request(Algorithm::RandomForest, 7, trees.clone());
    let checkpoint = interrupted(TITANIC, &forest, 3).unwrap();
    let ignored = |checkpoint: Vec<u8>, request: &TrainRequest| {
        let (trained, saver) = resume(TITANIC, request, checkpoint);
        assert!(trained.artifact == run(TITANIC, request).artifact);
        assert_eq!(saver.resumed.into_inner().unwrap(), Vec::<String>::new());
        saver.ignored.into_inner().unwrap().join("; ")
    };
    for at in [0, 20, 60, checkpoint.len() / 2, checkpoint.len() - 1] {
        let mut flipped = checkpoint.clone();
        flipped[at] ^= 1;
        assert_eq!(ignored(flipped, &forest), "it is damaged");
        assert_eq!(ignored(checkpoint[..at].to_vec(), &forest), "it is damaged");
    }
    let other_data = TrainRequest { dataset_sha256: "11".repeat(32), ..forest.clone() };
    for other in [
        request(Algorithm::RandomForest, 8, trees.clone()),
        request(Algorithm::RandomForest, 7, json!({"n_trees": 5})),
        request(Algorithm::ExtraTrees, 7, trees),
        other_data,
    ] {
        let reason = ignored(checkpoint.clone(), &other);
        assert!(reason.starts_with("it belongs to another dataset, to other parameters"), "{reason}");
    }
    // A checkpoint of the same run whose writing failed.
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    struct OnFullDisk(Mutex<usize>);
    impl CheckpointStore for OnFullDisk {
        fn load(&self) -> Option<Box<dyn CheckpointSource>> {
            None
        }
        fn is_due(&self) -> bool {
            true
        }
        fn save(&self, _: &str, write: WriteState<'_>) {
            assert_eq!(write(&mut Full).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
            *self.0.lock().unwrap() += 1;
        }
        fn resumed(&self, _: &str) {}
        fn ignored(&self, _: &str) {}
    }
    impl Observer for OnFullDisk {
        fn progress(&self, _: &str, _: f64) {}
        fn checkpoints(&self) -> Option<&dyn CheckpointStore> {
            Some(self)
        }
        fn cancelled(&self) -> bool {
            false
        }
    }
    let full = OnFullDisk(Mutex::new(0));
    let request = TrainRequest { schema: schema(TITANIC), ..forest.clone() };
    let trained = train(TITANIC.as_bytes(), &request, &full).unwrap();
    assert!(trained.artifact == run(TITANIC, &forest).artifact && *full.0.lock().unwrap() > 0);
}

#[test]
fn algorithms_that_train_in_one_step_save_nothing() {
    for algorithm in [Algorithm::DecisionTree, Algorithm::Svm, Algorithm::LogisticRegression] {
        let saver = Saver { stop_after: usize::MAX, earlier: Some(vec![1]), ..Saver::default() };
        attempt_with(TITANIC, &request(algorithm, &["sex", "age"], "pclass", 7, none()), &saver).unwrap();
        assert_eq!((saver.count(), saver.ignored.into_inner().unwrap().len()), (0, 0), "{}", algorithm.as_str());
    }
}
