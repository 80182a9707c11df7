//! Counting rows for the drift and the metrics allocates nothing. A prediction of one row allocates only its answer.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::json;
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::{Algorithm, Training};
use trainyard_ml::predict::{Columns, Predictor, Row};
use trainyard_ml::train::{Observer, TrainRequest, train};

use crate::loaded_model::LoadedModel;
use crate::model_record::ModelRecord;
use crate::version_series::VersionSeries;
use crate::version_statistics::Phases;
use crate::views::answer::{RowOutputs, bytes};
use crate::views::request::RowRequest;

/// The system's allocator, which also counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Quiet;

impl Observer for Quiet {
    fn progress(&self, _: &str, _: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// A model of two numbers with three classes.
fn artifact() -> Vec<u8> {
    let csv = (0..300).fold("x,z,y\n".to_owned(), |csv, row| {
        format!("{csv}{row}.5,{},{}\n", row * 7 % 31, ["a", "b", "c"][row / 100])
    });
    let spec = Training {
        algorithm: Algorithm::RandomForest,
        features: vec!["x".into(), "z".into()],
        target: "y".into(),
        params: json!({"n_trees": 5}).as_object().unwrap().clone(),
        learning: LearningOptions::default(),
        warnings: vec![],
        auto_promote: None,
        seed: 1,
    };
    let schema = trainyard_csv::profile(csv.as_bytes(), &ReadOptions::default(), &Limits::default()).unwrap().schema();
    let request =
        TrainRequest { spec, schema, dataset_sha256: String::new(), memory_limit: None, artifact_limit: None };
    train(csv.as_bytes(), &request, &Quiet).unwrap().artifact
}

fn allocations(run: impl Fn()) -> u64 {
    // The first call of a thread fills its buffers.
    run();
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

fn loaded_model() -> LoadedModel {
    let record = ModelRecord {
        model: "m".into(),
        version: 1,
        aliases: vec![],
        sha256: String::new(),
        artifact_key: String::new(),
        traceparent: None,
    };
    LoadedModel::new(record, Predictor::load(&artifact()).unwrap(), &VersionSeries::new(1))
}

#[test]
fn recording_an_answer_allocates_nothing() {
    let loaded = loaded_model();
    let began = Instant::now();
    let recorded = allocations(|| {
        let mut phases = Phases::new(began);
        phases.input_done();
        phases.infer_done();
        phases.output_done();
        loaded.attempt().answered(1, &phases);
    });
    assert_eq!(recorded, 0);
    assert_eq!(loaded.statistics.rows(), 2, "each of the two calls was recorded");
}

#[test]
fn a_row_is_read_predicted_and_answered_with_one_allocation() {
    let loaded = loaded_model();
    let body = br#"{"model": "m", "features": {"z": "3", "x": 150.25}}"#;
    let answered = allocations(|| {
        let request = RowRequest::parse(body).unwrap();
        let row = loaded.counting().read_object(request.features.get()).unwrap();
        let view = |outputs: &[f64], warnings: &[String]| bytes(&RowOutputs { loaded: &loaded, outputs, warnings });
        let answer = row.predict(view).unwrap().unwrap();
        assert!(answer.starts_with(br#"{"y":""#), "{answer:?}");
    });
    assert_eq!(answered, 1, "the answer");
}

#[test]
fn a_counted_prediction_allocates_no_more_than_another() {
    let loaded = loaded_model();
    let row: Row = json!({"x": 150, "z": 3}).as_object().unwrap().clone();
    let rows = vec![row.clone(); 200];
    let matrix = Columns::Matrix((0..400).map(f64::from).collect());
    let (predictor, counting) = (&loaded.predictor, loaded.counting());
    let plain = [
        allocations(|| drop(predictor.predict_one(&row).unwrap())),
        allocations(|| drop(predictor.predict_many(&rows).unwrap())),
        allocations(|| drop(predictor.predict_columns(&matrix, 200).unwrap())),
    ];
    let counted = [
        allocations(|| drop(counting.predict_one(&row).unwrap())),
        allocations(|| drop(counting.predict_many(&rows).unwrap())),
        allocations(|| drop(counting.predict_columns(&matrix, 200).unwrap())),
    ];
    assert_eq!(plain, counted);
    assert!(plain[0] > 0, "the allocator counts");
    let recent = loaded.drift.recent(Instant::now(), Duration::from_secs(60));
    assert_eq!(recent.columns[2].iter().sum::<u64>(), 2 * (1 + 200 + 200), "the rows were counted");
}
