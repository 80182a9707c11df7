//! What a tree is grown towards: the contract between the grower and the kinds of target, and the histogram they share.

/// Marks of the bins that hold a row, one bit each.
pub(crate) type Occupied = [u64; 4];

/// From this many rows on a histogram is scanned bin by bin: marking each row's bin would cost more than looking at the
/// empty ones.
const DENSE_FROM: usize = 512;

/// A kind of target: how rows add up to a histogram and what a split is worth.
///
/// Filling and scanning are apart so that a histogram may also come from elsewhere, such as a parent's less a sibling's.
pub(crate) trait Target: Sync {
    /// A drawn row: its number, how often it was drawn, and its target, packed to stay in cache.
    type Sample: Copy + Default + Send;
    /// What is summed up in a bin.
    type Cell: Copy + Default + Send;
    /// The sums over a node.
    type Total: Clone;

    /// Cells per bin.
    fn width(&self) -> usize;
    /// Packs a row drawn `count` times (at least once).
    fn sample(&self, row: u32, count: u32) -> Self::Sample;
    /// The row's number.
    fn row(sample: &Self::Sample) -> usize;
    /// Sums over a node.
    fn total(&self, samples: &[Self::Sample]) -> Self::Total;
    /// The sums without those of a part.
    fn rest(&self, whole: &Self::Total, part: &Self::Total) -> Self::Total;
    /// Draws in the node: rows, each as often as it was drawn.
    fn draws(total: &Self::Total) -> u32;
    /// Whether all rows agree on the target.
    fn is_pure(&self, total: &Self::Total) -> bool;
    /// What a leaf with these sums answers; appended to `out`.
    fn leaf(&self, total: &Self::Total, out: &mut Vec<f32>);
    /// The node's score: a split is worth the sum of its sides' scores less this.
    fn score(&self, total: &Self::Total) -> f64;
    /// Weight of the node, for importances.
    fn weight(&self, total: &Self::Total) -> f64;
    /// Adds the rows of a node to an empty histogram over one column, and marks the bins that are in use.
    fn fill(&self, cells: &mut [Self::Cell], column: &[u8], samples: &[Self::Sample]) -> Occupied;
    /// Walks the occupied bins in order, clears them, and returns the best place to cut, if there is any that leaves at
    /// least `min_leaf` draws on both sides.
    fn scan(&self, cells: &mut [Self::Cell], occupied: Occupied, total: &Self::Total, min_leaf: u32) -> Option<Cut>;
}

/// A place to cut a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    /// Sum of both sides' scores.
    pub(crate) score: f64,
    /// Highest bin on the left.
    pub(crate) bin: u8,
}

impl Cut {
    /// Keeps the better of two cuts, the earlier one where they are equal.
    pub(crate) fn improve(best: &mut Option<Self>, score: f64, last: u8, next: u8) {
        if best.is_none_or(|best| score > best.score) {
            // Missing values against all others is a question of its own; elsewhere the cut goes halfway between the
            // occupied bins, where an unseen value is as likely to belong to either side.
            let bin = if last == super::bins::MISSING { last } else { last + (next - last - 1) / 2 };
            *best = Some(Self { score, bin });
        }
    }
}

/// The loop of [`Target::fill`]: `add` puts a row in its bin, `is_empty` says whether a bin holds nothing.
#[inline]
pub(crate) fn fill<T: Target, C: ?Sized>(
    cells: &mut C,
    column: &[u8],
    samples: &[T::Sample],
    add: impl Fn(&mut C, u8, &T::Sample),
    is_empty: impl Fn(&C, u8) -> bool,
) -> Occupied {
    let mut occupied: Occupied = [0; 4];
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

/// The bin of a sample's row.
#[inline]
pub(crate) fn bin_of<T: Target>(column: &[u8], sample: &T::Sample) -> u8 {
    let row = T::row(sample);
    debug_assert!(row < column.len());
    // SAFETY: samples are made by `bootstrap::draw` alone, with a row per entry of counts, of which there are as many
    // as the table has rows; every column has one bin a row (`Binned::column`). Checked, this costs a tenth of the fit.
    unsafe { *column.get_unchecked(row) }
}

/// Visits the marked bins, lowest first.
#[inline]
pub(crate) fn each_bin(occupied: Occupied, mut visit: impl FnMut(u8)) {
    for (word, mut marks) in occupied.into_iter().enumerate() {
        while marks != 0 {
            visit((word * 64) as u8 + marks.trailing_zeros() as u8);
            marks &= marks - 1;
        }
    }
}

/// Whether more than one bin is marked: a column with one value in a node can't be cut.
pub(crate) fn can_cut(occupied: Occupied) -> bool {
    occupied.iter().map(|marks| marks.count_ones()).sum::<u32>() > 1
}
