//! Training stays within the memory that the estimates predict.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2};
use trainyard_ml::boosting::{self, BoostingClassifierParams};
use trainyard_ml::linear::{self, LogisticParams};
use trainyard_ml::svm::{self, SvmClassifierParams};

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
fn one_hot_columns_stay_within_the_predicted_memory() {
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
        let predicted = copy + svm::estimate_bytes(ROWS as u64, COLUMNS as u64, cache, threads);
        println!("svm: {} of {} MB", found >> 20, predicted >> 20);
        assert!(found <= predicted, "{found} bytes are more than the predicted {predicted}");
        assert!(found * 5 > predicted, "{found} bytes are far less than the predicted {predicted}");
    }
    let params = BoostingClassifierParams::default().n_rounds(10).max_leaves(8).check().unwrap();
    let found = peak(|| params.fit(&dataset).unwrap());
    // The raw columns and their bins, and the trees.
    let table = (ROWS * COLUMNS * (4 + 1) + 10 * 8 * 200) as u64;
    let predicted = table + boosting::estimate_bytes(ROWS as u64, COLUMNS as u64, 1, 8);
    println!("gradient boosting: {} of {} MB", found >> 20, predicted >> 20);
    assert!(found <= predicted, "{found} bytes are more than the predicted {predicted}");
    assert!(found * 5 > predicted, "{found} bytes are far less than the predicted {predicted}");
    let params = LogisticParams::default().check().unwrap();
    let found = peak(|| params.fit(&dataset).unwrap());
    let predicted = copy + linear::estimate_bytes(ROWS as u64, COLUMNS as u64, 1);
    println!("logistic regression: {} of {} MB", found >> 20, predicted >> 20);
    assert!(found <= predicted, "{found} bytes are more than the predicted {predicted}");
}
