//! Histograms of gradients.
//!
//! Gradients and hessians are rounded to integers once per tree, so sums do not depend on the order of additions: the
//! result is the same with every number of threads, and the histogram of a node minus that of one child is exactly that of
//! the other child. Shi et al. 2022 ("Quantized Training of Gradient Boosting Decision Trees") found that a few bits are
//! enough; here a gradient has 30 bits, and a hessian 32 bits minus the binary logarithm of the rows, rounded at random.

use std::ops::Range;

use rayon::prelude::*;

use super::bins::{BlockRow, LANES};
use crate::simd::dispatched;

/// Sums over rows, or the values of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub(super) struct Sums {
    gradient: i64,
    /// The hessian in the upper 32 bits, the number of rows in the lower 32 bits.
    hessian_and_rows: u64,
}

impl Sums {
    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.gradient = self.gradient.wrapping_add(other.gradient);
        self.hessian_and_rows = self.hessian_and_rows.wrapping_add(other.hessian_and_rows);
    }

    /// The sums of the remaining rows.
    #[inline]
    pub(super) fn minus(self, part: Self) -> Self {
        Self {
            gradient: self.gradient.wrapping_sub(part.gradient),
            hessian_and_rows: self.hessian_and_rows.wrapping_sub(part.hessian_and_rows),
        }
    }

    /// The gradient as a number of [`Units::gradient`].
    #[inline]
    pub(super) fn gradient(self) -> f64 {
        self.gradient as f64
    }

    /// The hessian as a number of [`Units::hessian`].
    #[inline]
    pub(super) fn hessian(self) -> f64 {
        f64::from((self.hessian_and_rows >> 32) as u32)
    }

    /// The number of rows.
    #[inline]
    pub(super) fn rows(self) -> u32 {
        self.hessian_and_rows as u32
    }
}

/// The units of the integers of [`Sums`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub(super) gradient: f64,
    pub(super) hessian: f64,
}

/// The most units of the largest gradient.
const LARGEST_GRADIENT: f64 = (1_u64 << 30) as f64;
/// Bound of the sum of all gradients; see [`super::scores`].
const LARGEST_SUM: f64 = (1_u64 << 51) as f64;

/// The rounded derivatives of a row.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(8))]
pub(super) struct Rounded {
    gradient: i32,
    hessian: u32,
}

impl Rounded {
    /// The sums of this row alone.
    #[inline]
    pub(super) fn sums(self) -> Sums {
        Sums { gradient: i64::from(self.gradient), hessian_and_rows: (u64::from(self.hessian) << 32) | 1 }
    }
}

/// Rounds the gradient and the hessian of each row. `salt` makes the rounding of the trees independent.
pub(super) fn round(derivatives: &[(f32, f32)], salt: u64, rounded: &mut [Rounded]) -> Units {
    let largest = |a: (f32, f32), b: (f32, f32)| (a.0.max(b.0), a.1.max(b.1));
    let (gradient, hessian) =
        derivatives.par_iter().map(|(gradient, hessian)| (gradient.abs(), *hessian)).reduce(|| (0.0, 0.0), largest);
    // The sum of all hessians fits into 32 bits, even if each is rounded up. An integer, so that a constant hessian is
    // exact.
    let largest_hessian = (f64::from(u32::MAX) / derivatives.len().max(1) as f64 - 1.0).floor();
    let largest_gradient = (LARGEST_SUM / derivatives.len().max(1) as f64 - 1.0).min(LARGEST_GRADIENT);
    let unit = |largest: f32, units: f64| if largest > 0.0 { f64::from(largest) / units } else { 1.0 };
    let units = Units {
        gradient: unit(gradient, largest_gradient),
        hessian: unit(hessian, largest_hessian.clamp(1.0, 65_536.0)),
    };
    let (per_gradient, per_hessian) = (1.0 / units.gradient, 1.0 / units.hessian);
    rounded.par_iter_mut().zip(derivatives).enumerate().with_min_len(4_096).for_each(
        |(row, (rounded, (gradient, hessian)))| {
            // The small summand makes up for the error of the reciprocal.
            let hessian = f64::from(*hessian) * per_hessian + 1e-9;
            // The fraction is rounded up with a probability of its size, so that the mean over rows is exact.
            let whole = hessian as u32;
            let up = hessian - f64::from(whole) > fraction(row as u64 ^ salt);
            let gradient = (f64::from(*gradient) * per_gradient) as i32;
            *rounded = Rounded { gradient, hessian: whole + u32::from(up) };
        },
    );
    units
}

/// A pseudo-random number from 0 to 1 (the multiplier of SplitMix64).
#[inline]
fn fraction(number: u64) -> f64 {
    f64::from((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32) / 4_294_967_296.0
}

/// Working memory for the histogram of a column: the sums of each bin. All zero between calls.
pub(super) type BinSums = [Sums; 256];

/// The cumulative histogram of a column: for each bin the sums of all bins up to it, as two lists, so that a search for the
/// best split works on several bins at once.
#[derive(Debug, Clone)]
pub(super) struct ColumnHistogram {
    gradients: [i64; 256],
    hessians_and_rows: [u64; 256],
}

impl ColumnHistogram {
    /// A histogram without rows.
    pub(super) const EMPTY: Self = Self { gradients: [0; 256], hessians_and_rows: [0; 256] };

    /// The sums of all bins up to this one.
    #[inline]
    pub(super) fn up_to(&self, bin: usize) -> Sums {
        Sums { gradient: self.gradients[bin], hessian_and_rows: self.hessians_and_rows[bin] }
    }

    /// Takes the sums of the first `bins` bins out of the working memory.
    fn accumulate(&mut self, bins: usize, sums: &mut BinSums) {
        let mut total = Sums::default();
        let cells = self.gradients.iter_mut().zip(&mut self.hessians_and_rows);
        for (sums, (gradient, hessian_and_rows)) in sums[..bins].iter_mut().zip(cells) {
            total.add(std::mem::take(sums));
            (*gradient, *hessian_and_rows) = (total.gradient, total.hessian_and_rows);
        }
    }

    /// Subtracts the histogram of one child from that of its parent: the rest is that of the other child.
    pub(super) fn subtract(&mut self, child: &Self, bins: usize) {
        subtract(self, child, bins);
    }

    /// The gradients, and the packed hessians and numbers of rows, of some bins: see [`super::scores`].
    pub(super) fn lists(&self, bins: Range<usize>) -> (&[i64], &[u64]) {
        (&self.gradients[bins.clone()], &self.hessians_and_rows[bins])
    }
}

/// The lanes of a block that a tree uses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lanes {
    count: usize,
    lanes: [u8; LANES],
}

impl Lanes {
    /// The lanes whose entry is `true`, in ascending order.
    pub(super) fn of(is_active: &[bool]) -> Self {
        let mut found = Self::default();
        for (lane, _) in is_active.iter().enumerate().filter(|(_, active)| **active) {
            found.lanes[found.count] = lane as u8;
            found.count += 1;
        }
        found
    }

    /// The lanes.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.lanes.into_iter().take(self.count).map(usize::from)
    }

    /// The number of lanes.
    pub(super) fn len(&self) -> usize {
        self.count
    }
}

/// Computes the histograms of some lanes of a block, in the order of the lanes. `bins` has the number of bins of each.
pub(super) fn fill(
    histograms: &mut [ColumnHistogram],
    working: &mut [BinSums],
    lanes: &Lanes,
    number_of_bins: impl Fn(usize) -> usize,
    block: &[BlockRow],
    rows: &[u32],
    rounded: &[Rounded],
) {
    macro_rules! by_number_of_lanes {
        ($($count:literal)*) => {
            match lanes.count {
                $($count => {
                    if let (Some(working), Some(lanes)) =
                        (working.first_chunk_mut::<$count>(), lanes.lanes.first_chunk::<$count>())
                    {
                        add_rows(working, lanes.map(usize::from), block, rows, rounded);
                    }
                })*
                _ => {}
            }
        };
    }
    by_number_of_lanes!(1 2 3 4 5 6 7 8);
    for (lane, (histogram, working)) in lanes.iter().zip(histograms.iter_mut().zip(working)) {
        histogram.accumulate(number_of_bins(lane), working);
    }
}

#[inline(always)]
fn add_rows<const COUNT: usize>(
    working: &mut [BinSums; COUNT],
    lanes: [usize; COUNT],
    block: &[BlockRow],
    rows: &[u32],
    rounded: &[Rounded],
) {
    for row in rows {
        let row = *row as usize;
        debug_assert!(row < block.len() && row < rounded.len());
        // SAFETY: `grow` passes rows of the table, and both slices have an entry per row of the table. Bounds checks
        // would cost a tenth of the training time.
        let (bins, sums) = unsafe { (block.get_unchecked(row), rounded.get_unchecked(row).sums()) };
        for at in 0..COUNT {
            let lane = if COUNT == LANES { at } else { lanes[at] % LANES };
            working[at][usize::from(bins[lane])].add(sums);
        }
    }
}

dispatched! {
    /// Subtracts the first `bins` bins of a histogram from those of another one.
    subtract => generic_subtract(parent: &mut ColumnHistogram, child: &ColumnHistogram, bins: usize)
}

#[inline(always)]
fn generic_subtract<const FMA: bool>(parent: &mut ColumnHistogram, child: &ColumnHistogram, bins: usize) {
    let gradients = parent.gradients[..bins].iter_mut().zip(&child.gradients[..bins]);
    gradients.for_each(|(parent, child)| *parent = parent.wrapping_sub(*child));
    let others = parent.hessians_and_rows[..bins].iter_mut().zip(&child.hessians_and_rows[..bins]);
    others.for_each(|(parent, child)| *parent = parent.wrapping_sub(*child));
}
