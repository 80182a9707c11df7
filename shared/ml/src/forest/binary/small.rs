//! Splits of nodes with few rows, which are most nodes: the bin of each row is a threshold, and the counts of all
//! thresholds are summed with vector instructions. Clearing and reading a histogram would take longer.

use super::super::target::bin_of;
use super::{BinaryTarget, Found, Node, REFUSED, Sample, better};
use crate::bins::{MISSING, Side};
use crate::simd::dispatched;

/// Maximum number of rows; with more of them a histogram is as fast.
const MAX_ROWS: usize = 48;
/// The length of the arrays: whole vectors.
const LENGTH: usize = MAX_ROWS.next_multiple_of(32);
/// Number of thresholds whose merits are computed at once.
const LANES: usize = 8;

/// The rows of a node, and the counts of the thresholds. Not used for nodes with more rows or with more than 255 draws.
#[derive(Debug)]
pub(super) struct SmallNode {
    rows: usize,
    /// Of each row.
    draws: [u8; LENGTH],
    positive: [u8; LENGTH],
    /// The bin of each row in a column. The bins after the last row are thresholds with nothing on the right side, which
    /// are refused.
    bins: [u8; LENGTH],
}

/// The counts of the rows up to each threshold. They fit, because the node has at most 255 draws.
struct Counts {
    draws: [u8; LENGTH],
    positive: [u8; LENGTH],
}

impl Default for SmallNode {
    fn default() -> Self {
        Self { rows: 0, draws: [0; LENGTH], positive: [0; LENGTH], bins: [u8::MAX; LENGTH] }
    }
}

impl SmallNode {
    /// Sets the rows of the node.
    pub(super) fn start(&mut self, samples: &[Sample], draws: u32) {
        self.rows = 0;
        if samples.len() > MAX_ROWS || draws > u32::from(u8::MAX) {
            return;
        }
        self.rows = samples.len();
        self.bins = [u8::MAX; LENGTH];
        for ((draws, positive), sample) in self.draws.iter_mut().zip(&mut self.positive).zip(samples) {
            (*draws, *positive) = (sample.draws() as u8, sample.positive() as u8);
        }
    }

    /// Whether the node has few rows.
    pub(super) fn is_used(&self) -> bool {
        self.rows > 0
    }

    /// The best split, and whether the column varies in the node.
    pub(super) fn best_split(
        &mut self,
        column: &[u8],
        samples: &[Sample],
        node: &Node,
    ) -> (Option<(Found, Option<Side>)>, bool) {
        for (bin, sample) in self.bins.iter_mut().zip(samples) {
            *bin = bin_of::<BinaryTarget<'_>>(column, sample);
        }
        let found = best_of_rows(self, node);
        let varies = found.is_some() || self.bins[..self.rows].iter().any(|bin| *bin != self.bins[0]);
        (found, varies)
    }
}

dispatched! {
    /// The best split of the rows.
    best_of_rows => best_split(rows: &SmallNode, node: &Node) -> Option<(Found, Option<Side>)>
}

#[inline(always)]
fn best_split<const AVX2: bool>(rows: &SmallNode, node: &Node) -> Option<(Found, Option<Side>)> {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: on x86-64 `dispatched` sets the parameter only for CPUs with AVX2.
    let counts = if AVX2 { unsafe { counts_avx2(rows) } } else { counts(rows) };
    #[cfg(not(target_arch = "x86_64"))]
    let counts = counts(rows);
    let left = best_threshold(rows, &counts, [0, 0], node);
    let bins = &rows.bins[..rows.rows];
    let Some(first_missing) = bins.iter().position(|bin| *bin == MISSING) else { return better(left, None, false) };
    // No bin is below that of missing values, so its threshold has the counts of the missing values.
    let missing = [counts.draws[first_missing], counts.positive[first_missing]];
    let right = best_threshold(rows, &counts, missing, &node.with_missing_right(i32::from(missing[0])));
    better(left, right, true)
}

fn counts(rows: &SmallNode) -> Counts {
    let mut counts = Counts { draws: [0; LENGTH], positive: [0; LENGTH] };
    for threshold in 0..rows.rows {
        for row in 0..rows.rows {
            let mask = if rows.bins[row] <= rows.bins[threshold] { u8::MAX } else { 0 };
            counts.draws[threshold] += rows.draws[row] & mask;
            counts.positive[threshold] += rows.positive[row] & mask;
        }
    }
    counts
}

/// [`counts`] with a threshold per byte of a vector. The compiler would use the bytes for the rows, which takes a sum over a
/// vector for each threshold.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn counts_avx2(rows: &SmallNode) -> Counts {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi8, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8,
        _mm256_set1_epi8, _mm256_setzero_si256, _mm256_storeu_si256,
    };
    const BYTES: usize = size_of::<__m256i>();
    let mut counts = Counts { draws: [0; LENGTH], positive: [0; LENGTH] };
    for start in (0..rows.rows).step_by(BYTES) {
        // SAFETY: the array has a multiple of 32 bytes, and `start` is such a multiple.
        let thresholds = unsafe { _mm256_loadu_si256(rows.bins.as_ptr().add(start).cast()) };
        let (mut draws, mut positive) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        let each_row = rows.bins.iter().zip(&rows.draws).zip(&rows.positive).take(rows.rows);
        for ((bin, of_row), positive_of_row) in each_row {
            let bin = _mm256_set1_epi8(*bin as i8);
            let is_left = _mm256_cmpeq_epi8(_mm256_max_epu8(thresholds, bin), thresholds);
            draws = _mm256_add_epi8(draws, _mm256_and_si256(is_left, _mm256_set1_epi8(*of_row as i8)));
            positive = _mm256_add_epi8(positive, _mm256_and_si256(is_left, _mm256_set1_epi8(*positive_of_row as i8)));
        }
        // SAFETY: as above.
        unsafe {
            _mm256_storeu_si256(counts.draws.as_mut_ptr().add(start).cast(), draws);
            _mm256_storeu_si256(counts.positive.as_mut_ptr().add(start).cast(), positive);
        }
    }
    counts
}

/// The lowest of the best thresholds. `missing` are the counts of the missing values if they are on the right side.
#[inline(always)]
fn best_threshold(rows: &SmallNode, counts: &Counts, missing: [u8; 2], node: &Node) -> Option<Found> {
    let mut merits = [REFUSED; LENGTH];
    let mut best = [REFUSED; LANES];
    let groups = rows.rows.div_ceil(LANES);
    let of_groups = counts.draws.as_chunks::<LANES>().0.iter().zip(counts.positive.as_chunks::<LANES>().0);
    for (merits, (draws, positive)) in merits.as_chunks_mut::<LANES>().0.iter_mut().zip(of_groups).take(groups) {
        for lane in 0..LANES {
            let draws = i32::from(draws[lane]) - i32::from(missing[0]);
            let positive = i32::from(positive[lane]) - i32::from(missing[1]);
            merits[lane] = node.merit(draws, positive, node.difference(draws, positive));
            best[lane] = if merits[lane] > best[lane] { merits[lane] } else { best[lane] };
        }
    }
    let merit = best.into_iter().fold(REFUSED, |best, merit| if merit > best { merit } else { best });
    if merit == REFUSED {
        return None;
    }
    let mut lasts = [i32::from(u8::MAX); LANES];
    let of_groups = merits.as_chunks::<LANES>().0.iter().zip(rows.bins.as_chunks::<LANES>().0);
    for (merits, bins) in of_groups.take(groups) {
        for lane in 0..LANES {
            let bin = if merits[lane] == merit { i32::from(bins[lane]) } else { i32::from(u8::MAX) };
            lasts[lane] = if bin < lasts[lane] { bin } else { lasts[lane] };
        }
    }
    let last = lasts.into_iter().fold(u8::MAX, |last, bin| last.min(bin as u8));
    let mut nexts = [i32::from(u8::MAX); LANES];
    for bins in rows.bins.as_chunks::<LANES>().0.iter().take(groups) {
        for lane in 0..LANES {
            let bin = i32::from(bins[lane]);
            let bin = if bin > i32::from(last) { bin } else { i32::from(u8::MAX) };
            nexts[lane] = if bin < nexts[lane] { bin } else { nexts[lane] };
        }
    }
    let next = nexts.into_iter().fold(u8::MAX, |next, bin| next.min(bin as u8));
    let of_last = rows.bins.iter().position(|bin| *bin == last)?;
    let draws = i32::from(counts.draws[of_last]) - i32::from(missing[0]);
    let positive = i32::from(counts.positive[of_last]) - i32::from(missing[1]);
    Some(Found { merit: node.exact_merit(draws, positive), last, next })
}
