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
    /// Adds a row to its bin.
    fn add(&self, cells: &mut [Self::Cell], bin: u8, sample: &Self::Sample);
    /// Whether a bin holds nothing.
    fn is_empty(&self, cells: &[Self::Cell], bin: u8) -> bool;
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

/// Adds the rows of a node to an empty histogram over one column, and marks the bins that are in use.
pub(crate) fn fill<T: Target>(target: &T, cells: &mut [T::Cell], column: &[u8], samples: &[T::Sample]) -> Occupied {
    let mut occupied: Occupied = [0; 4];
    if samples.len() < DENSE_FROM {
        for sample in samples {
            let bin = column[T::row(sample)];
            target.add(cells, bin, sample);
            occupied[usize::from(bin >> 6)] |= 1 << (bin & 63);
        }
    } else {
        for sample in samples {
            target.add(cells, column[T::row(sample)], sample);
        }
        for bin in 0..=u8::MAX {
            occupied[usize::from(bin >> 6)] |= u64::from(!target.is_empty(cells, bin)) << (bin & 63);
        }
    }
    occupied
}

/// The marked bins, lowest first.
pub(crate) fn bins(occupied: Occupied) -> impl Iterator<Item = u8> {
    occupied.into_iter().enumerate().flat_map(|(word, mut marks)| {
        std::iter::from_fn(move || {
            (marks != 0).then(|| {
                let bin = word * 64 + marks.trailing_zeros() as usize;
                marks &= marks - 1;
                bin as u8
            })
        })
    })
}

/// Whether more than one bin is marked: a column with one value in a node can't be cut.
pub(crate) fn can_cut(occupied: Occupied) -> bool {
    occupied.iter().map(|marks| marks.count_ones()).sum::<u32>() > 1
}
