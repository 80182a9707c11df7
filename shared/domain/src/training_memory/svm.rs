//! The memory of the solver of support vector machines.

use super::product;

/// Folds of the calibration, which are solved at once.
pub const FOLDS: u64 = 5;
/// Variables of the smallest working set, whose kernel rows are always cached.
pub const MIN_WORKING_SET: u64 = 32;

/// Bytes that the solver allocates for a design matrix at most, besides the matrix: the rows in `f32` for the whole problem,
/// and for each concurrent problem a selection and its active part; the variables; and a kernel cache of `cache` bytes.
pub fn most_bytes(rows: u64, columns: u64, cache: u64, threads: u64) -> u64 {
    let copies = 1 + 2 * threads.clamp(1, 1 + FOLDS);
    let values = product(&[rows, columns, 4, copies]);
    let variables = product(&[rows, 200, threads.max(1)]);
    // The kernel matrix can be smaller than the cache.
    let cache = cache.min(product(&[rows, rows, 4]));
    let working_sets = product(&[rows, MIN_WORKING_SET * 4, threads.max(1)]);
    values.saturating_add(variables).saturating_add(cache.max(working_sets))
}
