//! The best split of a node by a column.

use super::histogram::{ColumnHistogram, Sums};
use super::monotone::{Bounds, Direction};
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

/// The column of a split.
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitColumn {
    /// Index of the binned column.
    pub(super) column: usize,
    /// Number of bins.
    pub(super) bins: usize,
    /// The monotone constraint.
    pub(super) direction: Option<Direction>,
}

impl SplitRules {
    /// The best split of a node by a column. Missing values are tried on both sides. `bounds` is `None` if no column has a
    /// constraint.
    pub(super) fn best(
        &self,
        SplitColumn { column, bins, direction }: SplitColumn,
        histogram: &ColumnHistogram,
        node: Sums,
        bounds: Option<Bounds>,
    ) -> Option<Split> {
        let missing = histogram[usize::from(MISSING)];
        let scan = |first: usize| match bounds {
            None => self.scan(histogram, first..bins, node, |left, right| Some(self.score(left, right))),
            Some(bounds) => self.scan(histogram, first..bins, node, |left, right| {
                let steps = [left, right].map(|sums| bounds.step(self, sums));
                let is_allowed = direction.is_none_or(|direction| direction.allows(steps));
                is_allowed.then(|| bounds.score(self, left) + bounds.score(self, right))
            }),
        };
        // Without missing values bin 0 is empty.
        let right = scan(1);
        let left = if missing.rows() > 0 { scan(0) } else { None };
        let (found, missing) = match (left, right) {
            (Some(left), Some(right)) if left.score >= right.score => (left, Some(Side::Left)),
            (Some(left), None) => (left, Some(Side::Left)),
            (_, right) => (right?, (missing.rows() > 0).then_some(Side::Right)),
        };
        let parent = bounds.unwrap_or(Bounds::NONE).score(self, node);
        let gain = found.score - parent;
        (gain > MIN_RELATIVE_GAIN * parent.abs()).then(|| Split {
            gain,
            column,
            bin: middle(histogram, found.bin, bins),
            missing,
            left: found.left,
        })
    }

    /// The sum of the scores of both sides. The gain of a split is this sum minus the score of the node.
    #[inline(always)]
    fn score(&self, left: Sums, right: Sums) -> f64 {
        let (left_gradient, right_gradient) = (left.gradient(), right.gradient());
        let (left_hessian, right_hessian) = (left.hessian() + self.l2, right.hessian() + self.l2);
        // A common denominator saves a division.
        (left_gradient * left_gradient * right_hessian + right_gradient * right_gradient * left_hessian)
            / (left_hessian * right_hessian)
    }

    /// Adds bins to the left side one by one. The other bins are on the right side. `score` returns the score of a split
    /// into two sides, `None` if it is not allowed.
    #[inline(always)]
    fn scan(
        &self,
        histogram: &ColumnHistogram,
        bins: std::ops::Range<usize>,
        node: Sums,
        score: impl Fn(Sums, Sums) -> Option<f64>,
    ) -> Option<Found> {
        let mut left = Sums::default();
        let mut best: Option<Found> = None;
        for (bin, sums) in histogram.iter().enumerate().take(bins.end - 1).skip(bins.start) {
            left.add(*sums);
            if left.rows() < self.min_rows {
                continue;
            }
            let right = node.minus(left);
            if right.rows() < self.min_rows {
                break;
            }
            if left.hessian() < self.min_hessian || right.hessian() < self.min_hessian {
                continue;
            }
            if let Some(score) = score(left, right)
                && best.is_none_or(|best| score > best.score)
            {
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
