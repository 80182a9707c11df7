//! The best split of a node by a column.

use super::histogram::{ColumnHistogram, Sums};
use crate::bins::{MISSING, Side};

/// What a split needs, in the units of the sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitRules {
    /// The L2 penalty, added to each hessian.
    pub(super) l2: f64,
    /// Minimum number of rows on each side.
    pub(super) min_rows: u32,
    /// Minimum hessian of each side.
    pub(super) min_hessian: f64,
}

/// A split of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// The decrease of twice the loss.
    pub(super) gain: f64,
    /// Index of the binned column.
    pub(super) column: usize,
    /// The highest bin of a number on the left; [`MISSING`] if only missing values go left.
    pub(super) bin: u8,
    /// The side of missing values; `None` if the node has none.
    pub(super) missing: Option<Side>,
    /// The sums of the left side.
    pub(super) left: Sums,
}

/// A gain below this share of the score of the node is an error of rounding.
const MIN_RELATIVE_GAIN: f64 = 1e-10;

impl SplitRules {
    /// The score of a node: the gain of a split is the sum of the scores of both sides minus the score of the node.
    fn score(&self, sums: Sums) -> f64 {
        let gradient = sums.gradient();
        gradient * gradient / (sums.hessian() + self.l2)
    }

    /// The best split by a column with `bins` bins. Missing values are tried on both sides.
    pub(super) fn best(&self, column: usize, histogram: &ColumnHistogram, bins: usize, node: Sums) -> Option<Split> {
        let missing = histogram[usize::from(MISSING)];
        // Without missing values bin 0 is empty.
        let right = self.scan(histogram, 1..bins, node);
        let left = if missing.rows() > 0 { self.scan(histogram, 0..bins, node) } else { None };
        let (found, missing) = match (left, right) {
            (Some(left), Some(right)) if left.score >= right.score => (left, Some(Side::Left)),
            (Some(left), None) => (left, Some(Side::Left)),
            (_, right) => (right?, (missing.rows() > 0).then_some(Side::Right)),
        };
        let parent = self.score(node);
        let gain = found.score - parent;
        (gain > MIN_RELATIVE_GAIN * parent).then(|| Split {
            gain,
            column,
            bin: middle(histogram, found.bin, bins),
            missing,
            left: found.left,
        })
    }

    /// Adds bins to the left side one by one. The other bins are on the right side.
    fn scan(&self, histogram: &ColumnHistogram, bins: std::ops::Range<usize>, node: Sums) -> Option<Found> {
        let mut left = Sums::default();
        let mut best: Option<Found> = None;
        let mut best_score = f64::NEG_INFINITY;
        let (gradient, hessian, rows) = (node.gradient(), node.hessian(), node.rows());
        let last = bins.end - 1;
        for bin in bins.start..last {
            left.add(histogram[bin]);
            if left.rows() < self.min_rows {
                continue;
            }
            if rows - left.rows() < self.min_rows {
                break;
            }
            let (left_hessian, left_gradient) = (left.hessian(), left.gradient());
            let (right_hessian, right_gradient) = (hessian - left_hessian, gradient - left_gradient);
            if left_hessian < self.min_hessian || right_hessian < self.min_hessian {
                continue;
            }
            let (left_all, right_all) = (left_hessian + self.l2, right_hessian + self.l2);
            // The sum of both scores with a common denominator saves a division.
            let score = (left_gradient * left_gradient * right_all + right_gradient * right_gradient * left_all)
                / (left_all * right_all);
            if score > best_score {
                best_score = score;
                best = Some(Found { score, bin, left });
            }
        }
        best
    }
}

/// A split during the scan.
#[derive(Debug, Clone, Copy)]
struct Found {
    score: f64,
    bin: usize,
    left: Sums,
}

/// Halfway between two occupied bins, the best guess for values that training did not see. A split of missing values from
/// all others keeps bin 0.
fn middle(histogram: &ColumnHistogram, last: usize, bins: usize) -> u8 {
    if last == usize::from(MISSING) {
        return MISSING;
    }
    let next = (last + 1..bins).find(|bin| histogram[*bin].rows() > 0).unwrap_or(last + 1);
    (last + (next - last - 1) / 2) as u8
}
