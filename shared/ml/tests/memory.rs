//! Training stays within the memory that the estimates predict.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2};
use serde_json::{Value, json};
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::params::Params;
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::training_memory::{BASE, TrainingShape, boosting, estimate, linear, svm};
use trainyard_domain::{Algorithm, Training};
use trainyard_ml::boosting::BoostingClassifierParams;
use trainyard_ml::linear::LogisticParams;
use trainyard_ml::svm::SvmClassifierParams;
use trainyard_ml::train::{Observer, TrainRequest, train};

/// The system's allocator, which also counts the allocated bytes and their peak.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROWS: usize = 10_000;
const COLUMNS: usize = 200;

/// The peak above the memory at the start, in bytes.
fn peak<T>(run: impl FnOnce() -> T) -> u64 {
    let before = ALLOCATED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = run();
    let peak = PEAK.load(Ordering::Relaxed) - before;
    drop(result);
    peak as u64
}

/// One test, because the tests of a program run at the same time.
#[test]
fn training_stays_within_the_predicted_memory() {
    one_hot_columns_stay_below_the_upper_bounds_of_the_engines();
    runs_stay_between_both_bounds();
}

fn one_hot_columns_stay_below_the_upper_bounds_of_the_engines() {
    let rows = Array2::from_shape_fn((ROWS, COLUMNS), |(row, column)| f64::from(u8::from(row * 7_919 % 211 == column)));
    let classes: Array1<bool> = (0..ROWS).map(|row| (row * 7_919 % 211 * 31 % 7 < 3) ^ (row % 13 == 0)).collect();
    let dataset = DatasetBase::new(rows, classes);
    // linfa's interface copies the records.
    let copy = (ROWS * COLUMNS * 8) as u64;
    let threads = rayon::current_num_threads() as u64;
    for cache in [20_u64 << 20, 100 << 20] {
        // The cache is full long before the last step.
        let params = SvmClassifierParams::default().cache_bytes(cache as usize).max_steps(Some(1_000)).check().unwrap();
        let found = peak(|| params.fit(&dataset).unwrap());
        let predicted = copy + svm::most_bytes(ROWS as u64, COLUMNS as u64, cache, threads);
        println!("svm: {} of {} MB", found >> 20, predicted >> 20);
        assert!(found <= predicted, "{found} bytes are more than the predicted {predicted}");
        assert!(found * 5 > predicted, "{found} bytes are far less than the predicted {predicted}");
    }
    let params = BoostingClassifierParams::default().n_rounds(10).max_leaves(8).check().unwrap();
    let found = peak(|| params.fit(&dataset).unwrap());
    // The raw columns and their bins, and the trees.
    let table = (ROWS * COLUMNS * (4 + 1) + 10 * 8 * 200) as u64;
    let leaves = parsed(Algorithm::GradientBoosting, json!({"max_leaves": 8}));
    let predicted = table + boosting::most_bytes(&shape(ROWS as u64, COLUMNS as u64, 0), &leaves);
    println!("gradient boosting: {} of {} MB", found >> 20, predicted >> 20);
    assert!(found <= predicted, "{found} bytes are more than the predicted {predicted}");
    assert!(found * 5 > predicted, "{found} bytes are far less than the predicted {predicted}");
    let params = LogisticParams::default().check().unwrap();
    let found = peak(|| params.fit(&dataset).unwrap());
    let predicted = copy + linear::most_bytes(ROWS as u64, COLUMNS as u64, 1);
    println!("logistic regression: {} of {} MB", found >> 20, predicted >> 20);
    assert!(found <= predicted, "{found} bytes are more than the predicted {predicted}");
}

fn parsed(algorithm: Algorithm, params: Value) -> Params {
    Params::parse(algorithm, params.as_object().unwrap()).unwrap()
}

/// A shape with columns of numbers and a binary target.
fn shape(rows: u64, columns: u64, category_columns: u64) -> TrainingShape {
    TrainingShape {
        rows,
        row_bytes: 8 * columns,
        raw_columns: columns,
        category_columns,
        design_columns: columns,
        outputs: 1,
    }
}

struct NoopObserver;
impl Observer for NoopObserver {
    fn progress(&self, _: &str, _: f64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Complete runs on a table of numbers, from the CSV to the model file.
fn runs_stay_between_both_bounds() {
    const NUMBERS: usize = 40;
    let header: Vec<String> = (0..NUMBERS).map(|column| format!("x{column}")).collect();
    let cell = |row: usize, column: usize| (row * (7_919 + 2 * column) % 10_007) as f64 / 8.0;
    let rows = (0..ROWS).map(|row| {
        let cells: Vec<String> = (0..NUMBERS).map(|column| cell(row, column).to_string()).collect();
        format!("{},{}\n", ["no", "yes"][usize::from(cell(row, 0) + cell(row, 1) > 1_250.0)], cells.join(","))
    });
    let csv = format!("y,{}\n{}", header.join(","), rows.collect::<String>());
    let schema = trainyard_csv::profile(csv.as_bytes(), &ReadOptions::default(), &Limits::default()).unwrap().schema();
    for (algorithm, params) in [
        (Algorithm::RandomForest, json!({"n_trees": 10})),
        (Algorithm::GradientBoosting, json!({"n_rounds": 20})),
        (Algorithm::DecisionTree, json!({})),
        (Algorithm::Svm, json!({"cache_mb": 10, "max_iterations": 1_000})),
        (Algorithm::LogisticRegression, json!({})),
    ] {
        let params = parsed(algorithm, params);
        let spec = Training {
            algorithm,
            features: header.clone(),
            target: "y".into(),
            params: params.as_map().clone(),
            learning: LearningOptions::default(),
            warnings: vec![],
            auto_promote: None,
            seed: 1,
        };
        let request = TrainRequest {
            spec,
            schema: schema.clone(),
            dataset_sha256: "00".repeat(32),
            memory_limit: None,
            artifact_limit: None,
        };
        let found = peak(|| train(csv.as_bytes(), &request, &NoopObserver).unwrap());
        let threads = rayon::current_num_threads() as u64;
        let predicted = estimate(&shape(ROWS as u64, NUMBERS as u64, 0), algorithm, &params, threads);
        println!(
            "{algorithm:?}: {} KB, from {} to {}",
            found >> 10,
            (predicted.least - BASE) >> 10,
            predicted.most >> 10
        );
        assert!(found >= predicted.least - BASE, "{algorithm:?}: {found} bytes are less than {predicted:?}");
        assert!(found <= predicted.most, "{algorithm:?}: {found} bytes are more than {predicted:?}");
    }
}
