//! The memory of gradient boosting.

use super::{RAW_CELL, TrainingShape, product};
use crate::params::Params;

/// Bytes of the histogram of a column: 256 bins with two sums each.
pub const HISTOGRAM: u64 = 256 * 16;
/// Memory for histograms that wait for a split.
pub const POOL: u64 = 256 << 20;
/// Orders of the rows from which the statistics of a category are computed.
pub const PERMUTATIONS: u64 = 4;
/// Columns of a block of bins.
pub const LANES: u64 = 8;

/// Bytes that the engine allocates at most, besides the raw columns, their bins and the trees. Per row: the derivatives,
/// rounded and not, the numbers of rows in five lists (the parts of the table, the partition with a copy, and the next draw with
/// room to grow), a score and a prediction per output, the padding of a block of bins, and the ordered statistics of categories
/// with their bins.
pub fn most_bytes(shape: &TrainingShape, params: &Params) -> u64 {
    let ordered = shape.category_columns.saturating_mul(PERMUTATIONS);
    let columns = shape.raw_columns.saturating_add(ordered);
    let per_row = shape.outputs.saturating_mul(2 * 8).saturating_add(2 * 8 + 5 * 4 + LANES);
    let rows = product(&[shape.rows, per_row.saturating_add(ordered.saturating_mul(RAW_CELL))]);
    // Histograms are computed in working memory of the same size.
    let sets = most_histogram_sets(columns, shape.rows, params).saturating_add(1);
    rows.saturating_add(product(&[columns, HISTOGRAM, sets]))
}

/// The most sets of histograms of all columns that exist at once. A leaf that may be split keeps its set, if there is room,
/// and a split computes two sets. No leaf is split whose depth is the maximum, or that has fewer than twice the smallest
/// number of rows.
pub fn most_histogram_sets(columns: u64, rows: u64, params: &Params) -> u64 {
    let in_pool = (POOL / columns.saturating_mul(HISTOGRAM).max(1)).max(2);
    let max_leaves = params.int("max_leaves").unwrap_or(31).unsigned_abs();
    let min_leaf = params.int("min_samples_leaf").unwrap_or(5).unsigned_abs().max(1);
    let depth = params.int("max_depth").map_or(64, i64::unsigned_abs).clamp(1, 64) as u32;
    let by_rows = rows / min_leaf.saturating_mul(2) + 1;
    (in_pool + 2).min(max_leaves.saturating_sub(1)).min(by_rows).min(1 << (depth - 1)).max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Algorithm;

    #[test]
    fn the_histograms_are_those_of_leaves_that_can_be_split() {
        let sets = |columns, rows, params: Value| {
            let params = Params::parse(Algorithm::GradientBoosting, params.as_object().unwrap()).unwrap();
            most_histogram_sets(columns, rows, &params)
        };
        assert_eq!(sets(100, 1_000_000, json!({})), 30, "the last split needs no histograms");
        assert_eq!(sets(100, 1_000_000, json!({"max_leaves": 2})), 1);
        assert_eq!(sets(100, 200, json!({"max_leaves": 1024})), 21, "ten rows for each leaf that can be split");
        assert_eq!(sets(100, 1_000_000, json!({"max_leaves": 1024, "max_depth": 4})), 8);
        assert_eq!(sets(10_000, 1_000_000, json!({"max_leaves": 1024})), 8, "six in the pool");
    }
}
