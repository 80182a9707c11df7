//! The best split of a node by a column.

use std::ops::Range;

use super::histogram::{ColumnHistogram, Sums};
use super::monotone::{Bounds, Direction};
use super::scores::{Node, scores};
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
    /// The sum of the scores of both sides.
    pub(super) score: f64,
    /// The decrease of twice the loss: the score minus that of the node.
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
    /// The best split of a node by a column, if it is better than `other`, a split of the same node. Missing values are
    /// tried on both sides. `bounds` is `None` if no column has a constraint.
    pub(super) fn best(
        &self,
        SplitColumn { column, bins, direction }: SplitColumn,
        histogram: &ColumnHistogram,
        node: Sums,
        bounds: Option<Bounds>,
        other: Option<&Split>,
    ) -> Option<Split> {
        let parent = bounds.unwrap_or(Bounds::NONE).score(self, node);
        let least = other.map_or(parent + MIN_RELATIVE_GAIN * parent.abs(), |other| other.score);
        let missing = histogram.up_to(usize::from(MISSING));
        let scan = |first: usize, before: Sums, least: f64| {
            let node = Node { sums: node, before, l2: self.l2 };
            let range = self.allowed(histogram, first..bins - 1, node);
            match bounds {
                None => best_score(histogram, range, node, least),
                Some(bounds) => self.best_bounded_score(histogram, range, node, least, bounds, direction),
            }
        };
        // Without missing values bin 0 is empty.
        let left = if missing.rows() > 0 { scan(0, Sums::default(), least) } else { None };
        let right = scan(1, missing, left.map_or(least, |found| found.score));
        let (found, missing) = match (left, right) {
            (_, Some(right)) => (right, (missing.rows() > 0).then_some(Side::Right)),
            (left, None) => (left?, Some(Side::Left)),
        };
        Some(Split {
            score: found.score,
            gain: found.score - parent,
            column,
            bin: middle(histogram, found.bin, bins),
            missing,
            left: found.left,
        })
    }

    /// The bins after which a split has enough rows and a sufficient hessian on both sides. Both increase with the bin.
    fn allowed(&self, histogram: &ColumnHistogram, bins: Range<usize>, node: Node) -> Range<usize> {
        let suffices = |sums: Sums| sums.rows() >= self.min_rows && sums.hessian() >= self.min_hessian;
        let left = |bin: usize| histogram.up_to(bin).minus(node.before);
        let first = first_where(bins.clone(), |bin| suffices(left(bin)));
        let end = first_where(first..bins.end, |bin| !suffices(node.sums.minus(left(bin))));
        first..end
    }

    fn best_bounded_score(
        &self,
        histogram: &ColumnHistogram,
        bins: Range<usize>,
        node: Node,
        least: f64,
        bounds: Bounds,
        direction: Option<Direction>,
    ) -> Option<Found> {
        let mut best: Option<Found> = None;
        for bin in bins {
            let left = histogram.up_to(bin).minus(node.before);
            let right = node.sums.minus(left);
            let steps = [left, right].map(|sums| bounds.step(self, sums));
            let score = bounds.score(self, left) + bounds.score(self, right);
            if direction.is_none_or(|direction| direction.allows(steps))
                && score > best.map_or(least, |best| best.score)
            {
                best = Some(Found { score, bin, left });
            }
        }
        best
    }
}

/// The first bin with the largest score, if it is above `least`.
fn best_score(histogram: &ColumnHistogram, bins: Range<usize>, node: Node, least: f64) -> Option<Found> {
    let (gradients, hessians_and_rows) = histogram.lists(bins.clone());
    let mut found = [0.0; 256];
    let found = &mut found[..gradients.len()];
    let score = scores(gradients, hessians_and_rows, node, found);
    if score <= least {
        return None;
    }
    let bin = bins.start + found.iter().position(|other| *other == score)?;
    Some(Found { score, bin, left: histogram.up_to(bin).minus(node.before) })
}

/// The first of some bins that fulfils a condition that all later ones fulfil, too; the end without one.
#[inline(always)]
fn first_where(bins: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let (mut first, mut count) = (bins.start, bins.len());
    while count > 0 {
        let half = count / 2;
        if holds(first + half) {
            count = half;
        } else {
            first += half + 1;
            count -= half + 1;
        }
    }
    first
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
    let rows = histogram.up_to(last).rows();
    let next = (last + 1..bins).find(|bin| histogram.up_to(*bin).rows() > rows).unwrap_or(last + 1);
    (last + (next - last - 1) / 2) as u8
}
