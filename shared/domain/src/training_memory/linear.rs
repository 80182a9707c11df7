//! The memory of the optimizer of linear models.

use super::product;

/// One row of this many is in the sample from which the optimizer starts.
pub const SAMPLE_SHARE: u64 = 10;

/// Bytes that the optimizer allocates at most, besides the design matrix: the state of the rows, a sample of the rows, and
/// the Hessian.
pub fn most_bytes(rows: u64, columns: u64, outputs: u64) -> u64 {
    let states = product(&[rows, outputs, 3 * 8]);
    let sample = product(&[rows, columns, 8]) / SAMPLE_SHARE;
    let hessian = (64 << 20) + columns.min(2_048).pow(2) * 3 * 8;
    states.saturating_add(sample).saturating_add(hessian)
}
