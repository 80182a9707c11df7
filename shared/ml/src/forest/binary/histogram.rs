//! Splits of nodes with many rows: a histogram over all bins, summed from the left, and the merits of all thresholds with
//! vector instructions.

use super::super::target::bin_of;
use super::{BinaryTarget, Found, Node, Sample, better};
use crate::bins::{MISSING, Side};
use crate::simd::dispatched;

/// Number of bins.
const BINS: usize = 256;

/// The counts of each bin, and empty between two calls. Nodes with fewer than 65,536 draws need half of the width.
#[derive(Debug)]
pub(super) struct Histogram {
    narrow: Box<[u32; BINS]>,
    wide: Box<[u64; BINS]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { narrow: Box::new([0; BINS]), wide: Box::new([0; BINS]) }
    }
}

/// Draws and positive draws in one word.
trait Counts: Copy + Default + PartialEq + std::ops::AddAssign + std::ops::Sub<Output = Self> {
    fn of(sample: &Sample) -> Self;
    /// Draws, and positive draws.
    fn split(self) -> (i32, i32);
    /// The merit of a split with these draws on the left side.
    fn merit(self, node: &Node) -> f32;
}

impl Counts for u32 {
    #[inline(always)]
    fn of(sample: &Sample) -> Self {
        sample.counts
    }

    #[inline(always)]
    fn split(self) -> (i32, i32) {
        ((self >> 16) as i32, (self & 0xffff) as i32)
    }

    #[inline(always)]
    fn merit(self, node: &Node) -> f32 {
        let (draws, positive) = self.split();
        node.merit(draws, positive, node.difference(draws, positive))
    }
}

impl Counts for u64 {
    #[inline(always)]
    fn of(sample: &Sample) -> Self {
        sample.packed()
    }

    #[inline(always)]
    fn split(self) -> (i32, i32) {
        ((self >> 32) as i32, self as i32)
    }

    #[inline(always)]
    fn merit(self, node: &Node) -> f32 {
        let (draws, positive) = self.split();
        let of_positive = f64::from(positive) * f64::from(node.negative);
        let of_negative = f64::from(draws - positive) * f64::from(node.positive);
        node.merit(draws, positive, (of_positive - of_negative) as f32)
    }
}

impl Histogram {
    /// The best split, and whether the column varies in the node.
    pub(super) fn best_split(
        &mut self,
        column: &[u8],
        samples: &[Sample],
        draws: u32,
        node: &Node,
    ) -> (Option<(Found, Option<Side>)>, bool) {
        if draws <= u32::from(u16::MAX) {
            best_split(&mut self.narrow, column, samples, node, best_of_narrow)
        } else {
            best_split(&mut self.wide, column, samples, node, best_of_wide)
        }
    }
}

fn best_split<C: Counts>(
    cells: &mut [C; BINS],
    column: &[u8],
    samples: &[Sample],
    node: &Node,
    best: impl Fn(&[C; BINS], C, &Node) -> Option<Found>,
) -> (Option<(Found, Option<Side>)>, bool) {
    for sample in samples {
        // Indexing an array of 256 with a u8 needs no bounds check.
        cells[usize::from(bin_of::<BinaryTarget<'_>>(column, sample))] += C::of(sample);
    }
    let missing = cells[usize::from(MISSING)];
    let mut sum = C::default();
    for cell in cells.iter_mut() {
        sum += *cell;
        *cell = sum;
    }
    let has_missing = missing != C::default();
    let left = best(cells, C::default(), node);
    let right = if has_missing { best(cells, missing, &node.with_missing_right(missing.split().0)) } else { None };
    let found = better(left, right, has_missing);
    let varies = found.is_some() || cells.iter().any(|cell| *cell != C::default() && *cell != sum);
    *cells = [C::default(); BINS];
    (found, varies)
}

dispatched! {
    /// The best threshold of the sums of up to 65,535 draws.
    best_of_narrow => best_threshold_narrow(sums: &[u32; BINS], missing: u32, node: &Node) -> Option<Found>
}

dispatched! {
    /// The best threshold of the sums of more draws.
    best_of_wide => best_threshold_wide(sums: &[u64; BINS], missing: u64, node: &Node) -> Option<Found>
}

#[inline(always)]
fn best_threshold_narrow<const FMA: bool>(sums: &[u32; BINS], missing: u32, node: &Node) -> Option<Found> {
    best_threshold(sums, missing, node)
}

#[inline(always)]
fn best_threshold_wide<const FMA: bool>(sums: &[u64; BINS], missing: u64, node: &Node) -> Option<Found> {
    best_threshold(sums, missing, node)
}

/// The lowest of the best thresholds. `sums` has for each bin the counts up to this bin; `missing` are the counts of the
/// missing values if they are on the right side, else zero. A bin without rows has the sums, so the merit, of the bin before
/// and never replaces it.
#[inline(always)]
fn best_threshold<C: Counts>(sums: &[C; BINS], missing: C, node: &Node) -> Option<Found> {
    // Numbers of at least zero have the order of their bits as integers, and negative numbers are below them. Loops over
    // integers become vector instructions.
    let mut merits = [0_i32; BINS];
    for (merit, sum) in merits.iter_mut().zip(sums) {
        *merit = (*sum - missing).merit(node).to_bits().cast_signed();
    }
    let best = merits.iter().fold(i32::MIN, |best, merit| best.max(*merit));
    if best < 0 {
        return None;
    }
    let mut last = BINS as i32;
    for (bin, merit) in (0..).zip(&merits) {
        last = last.min(if *merit == best { bin } else { i32::MAX });
    }
    let last = last as usize;
    // Rows are right of each threshold, so there is a next bin.
    let next = (last + 1..BINS).find(|bin| sums[*bin] != sums[last])?;
    let (draws, positive) = (sums[last] - missing).split();
    Some(Found { merit: node.exact_merit(draws, positive), last: last as u8, next: next as u8 })
}
