//! The interface between tree growing and the kinds of target, and the histogram code that most kinds share.

use crate::bins::{MISSING, Side};

/// The occupied bins, one bit per bin.
pub(crate) type OccupiedBins = [u64; 4];

/// With at least this many rows the occupied bins are found in a scan over all bins, which is then faster than a bit
/// per row.
const DENSE_FROM: usize = 512;

/// A kind of target, with its split criterion.
pub(crate) trait Target: Sync {
    /// A row of the bootstrap sample: row number, draws and target, packed for the cache.
    type Sample: Copy + Default + Send;
    /// The sums of a node.
    type Total: Clone;
    /// The working memory of one tree.
    type Scratch;

    /// Creates the working memory.
    fn scratch(&self) -> Self::Scratch;
    /// Number of values per leaf.
    fn outputs(&self) -> usize;
    /// Packs a row that was drawn `count` times.
    fn sample(&self, row: u32, count: u32) -> Self::Sample;
    /// The row number.
    fn row(sample: &Self::Sample) -> usize;
    /// The sums of a node.
    fn total(&self, samples: &[Self::Sample]) -> Self::Total;
    /// The sums of no rows.
    fn none(&self) -> Self::Total;
    /// Adds a row to the sums.
    fn add(&self, total: &mut Self::Total, sample: &Self::Sample);
    /// The sums of `whole` minus those of `part`.
    fn rest(&self, whole: &Self::Total, part: &Self::Total) -> Self::Total;
    /// Number of draws in the node.
    fn draws(total: &Self::Total) -> u32;
    /// Whether all rows have the same target.
    fn is_pure(&self, total: &Self::Total) -> bool;
    /// Appends the prediction of a leaf with these sums to `out`.
    fn leaf(&self, total: &Self::Total, out: &mut Vec<f32>);
    /// The score of a node. The gain of a split is the sum of the scores of both sides minus the score of the node.
    fn score(&self, total: &Self::Total) -> f64;
    /// The weight of the node, for importances.
    fn weight(&self, total: &Self::Total) -> f64;
    /// Prepares the working memory for the rows of a node, before its columns are searched.
    fn start_node(&self, _scratch: &mut Self::Scratch, _samples: &[Self::Sample], _total: &Self::Total) {}
    /// The best split of a column with at least `min_leaf` draws on both sides, the lowest of equal ones, if any; and
    /// whether the column varies in the node. Missing values are tried on both sides.
    fn best_split(
        &self,
        scratch: &mut Self::Scratch,
        column: &[u8],
        samples: &[Self::Sample],
        total: &Self::Total,
        min_leaf: u32,
    ) -> (Option<BinSplit>, bool);
}

/// A target whose splits are found in a histogram of the column.
pub(crate) trait HistogramTarget: Target<Scratch = Vec<Self::Cell>> {
    /// The sums of a bin.
    type Cell: Copy + Default + Send;

    /// Adds the rows of a node to an empty histogram of one column and returns the occupied bins.
    fn fill(&self, cells: &mut [Self::Cell], column: &[u8], samples: &[Self::Sample]) -> OccupiedBins;
    /// Adds the bins of `bins` to the left side in ascending order, and returns the best split with at least `min_leaf`
    /// draws on both sides, if any. The right side is `total` minus the left side. With `CLEAR` these bins are empty
    /// afterwards.
    fn scan<const CLEAR: bool>(
        &self,
        cells: &mut [Self::Cell],
        bins: OccupiedBins,
        total: &Self::Total,
        min_leaf: u32,
    ) -> Option<BinSplit>;
}

/// [`Target::best_split`] by a histogram. Clears the occupied bins.
pub(crate) fn best_histogram_split<T: HistogramTarget>(
    target: &T,
    cells: &mut [T::Cell],
    column: &[u8],
    samples: &[T::Sample],
    total: &T::Total,
    min_leaf: u32,
) -> (Option<BinSplit>, bool) {
    const MISSING_BIT: u64 = 1 << MISSING;
    let occupied = target.fill(cells, column, samples);
    let varies = occupied.iter().map(|bits| bits.count_ones()).sum::<u32>() > 1;
    if occupied[0] & MISSING_BIT == 0 {
        return (target.scan::<true>(cells, occupied, total, min_leaf), varies);
    }
    let mut numbers = occupied;
    numbers[0] &= !MISSING_BIT;
    // A bin that is not added stays on the right side.
    let right = target.scan::<false>(cells, numbers, total, min_leaf);
    let left = target.scan::<true>(cells, occupied, total, min_leaf);
    let right = right.map(|split| BinSplit { missing: Some(Side::Right), ..split });
    let left = left.map(|split| BinSplit { missing: Some(Side::Left), ..split });
    let best = match (left, right) {
        (Some(left), Some(right)) => Some(if right.score > left.score { right } else { left }),
        (left, right) => left.or(right),
    };
    (best, varies)
}

/// A split of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BinSplit {
    /// The sum of the scores of both sides.
    pub(crate) score: f64,
    /// The highest bin of a number on the left; [`MISSING`] if only missing values go left.
    pub(crate) bin: u8,
    /// The side of missing values; `None` if the node has none.
    pub(crate) missing: Option<Side>,
}

impl BinSplit {
    /// Keeps the better of two splits, or the earlier one if they are equal.
    pub(crate) fn improve(best: &mut Option<Self>, score: f64, last: u8, next: u8) {
        if best.is_none_or(|best| score > best.score) {
            *best = Some(Self { score, bin: Self::between(last, next), missing: None });
        }
    }

    /// The bin of a split between two occupied bins. A split of missing values from all others uses bin 0. Otherwise the
    /// split is halfway, the best guess for values that training did not see.
    pub(crate) fn between(last: u8, next: u8) -> u8 {
        if last == MISSING { last } else { last + (next - last - 1) / 2 }
    }
}

/// The loop of [`HistogramTarget::fill`]. `add` adds a row to a bin; `is_empty` tests a bin.
#[inline]
pub(crate) fn fill<T: Target, C: ?Sized>(
    cells: &mut C,
    column: &[u8],
    samples: &[T::Sample],
    add: impl Fn(&mut C, u8, &T::Sample),
    is_empty: impl Fn(&C, u8) -> bool,
) -> OccupiedBins {
    let mut occupied: OccupiedBins = [0; 4];
    if samples.len() < DENSE_FROM {
        for sample in samples {
            let bin = bin_of::<T>(column, sample);
            add(cells, bin, sample);
            occupied[usize::from(bin >> 6)] |= 1 << (bin & 63);
        }
    } else {
        for sample in samples {
            add(cells, bin_of::<T>(column, sample), sample);
        }
        for bin in 0..=u8::MAX {
            occupied[usize::from(bin >> 6)] |= u64::from(!is_empty(cells, bin)) << (bin & 63);
        }
    }
    occupied
}

/// The bin of a row.
#[inline]
pub(crate) fn bin_of<T: Target>(column: &[u8], sample: &T::Sample) -> u8 {
    let row = T::row(sample);
    debug_assert!(row < column.len());
    // SAFETY: only `bootstrap::draw` creates samples, for the rows of the table, and every column has one bin per row
    // (`Binned::column`). A bounds check would cost 10 % of the training time.
    unsafe { *column.get_unchecked(row) }
}

/// Visits the occupied bins in ascending order.
#[inline]
pub(crate) fn each_bin(occupied: OccupiedBins, mut visit: impl FnMut(u8)) {
    for (word, mut bits) in occupied.into_iter().enumerate() {
        while bits != 0 {
            visit((word * 64) as u8 + bits.trailing_zeros() as u8);
            bits &= bits - 1;
        }
    }
}
