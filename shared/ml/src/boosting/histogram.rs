//! Histograms of gradients.
//!
//! Gradients and hessians are rounded to integers once per tree, so sums do not depend on the order of additions: the
//! result is the same with every number of threads, and the histogram of a node minus that of one child is exactly that of
//! the other child. Shi et al. 2022 ("Quantized Training of Gradient Boosting Decision Trees") found that a few bits are
//! enough; here a gradient has 30 bits, and a hessian 32 bits minus the binary logarithm of the rows, rounded at random.

use rayon::prelude::*;

use super::bins::BlockRow;

/// Sums over rows, or the values of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub(super) struct Sums {
    gradient: i64,
    /// The hessian in the upper 32 bits, the number of rows in the lower 32 bits.
    hessian_and_rows: u64,
}

impl Sums {
    fn of_row(gradient: i64, hessian: u32) -> Self {
        Self { gradient, hessian_and_rows: (u64::from(hessian) << 32) | 1 }
    }

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

/// Number of units of the largest gradient. The sum over 2^32 rows fits into 63 bits.
const LARGEST_GRADIENT: f64 = (1_u64 << 30) as f64;

/// Rounds the gradient and the hessian of each row. `salt` makes the rounding of the trees independent.
pub(super) fn round(derivatives: &[(f32, f32)], salt: u64, rounded: &mut [Sums]) -> Units {
    let largest = |a: (f32, f32), b: (f32, f32)| (a.0.max(b.0), a.1.max(b.1));
    let (gradient, hessian) =
        derivatives.par_iter().map(|(gradient, hessian)| (gradient.abs(), *hessian)).reduce(|| (0.0, 0.0), largest);
    // The sum of all hessians fits into 32 bits, even if each is rounded up. An integer, so that a constant hessian is
    // exact.
    let largest_hessian = (f64::from(u32::MAX) / derivatives.len().max(1) as f64 - 1.0).floor();
    let unit = |largest: f32, units: f64| if largest > 0.0 { f64::from(largest) / units } else { 1.0 };
    let units = Units {
        gradient: unit(gradient, LARGEST_GRADIENT),
        hessian: unit(hessian, largest_hessian.clamp(1.0, 65_536.0)),
    };
    let (per_gradient, per_hessian) = (1.0 / units.gradient, 1.0 / units.hessian);
    rounded.par_iter_mut().zip(derivatives).enumerate().with_min_len(4_096).for_each(
        |(row, (sums, (gradient, hessian)))| {
            // The small summand makes up for the error of the reciprocal.
            let hessian = f64::from(*hessian) * per_hessian + 1e-9;
            // The fraction is rounded up with a probability of its size, so that the mean over rows is exact.
            let whole = hessian as u32;
            let up = hessian - f64::from(whole) > fraction(row as u64 ^ salt);
            *sums = Sums::of_row((f64::from(*gradient) * per_gradient) as i64, whole + u32::from(up));
        },
    );
    units
}

/// A pseudo-random number from 0 to 1 (the multiplier of SplitMix64).
#[inline]
fn fraction(number: u64) -> f64 {
    f64::from((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32) / 4_294_967_296.0
}

/// The histogram of a column.
pub(super) type ColumnHistogram = [Sums; 256];

/// Adds rows to the histograms of the columns of a block.
pub(super) fn fill(histograms: &mut [ColumnHistogram], bins: &[BlockRow], rows: &[u32], sums: &[Sums]) {
    macro_rules! by_number_of_columns {
        ($($columns:literal)*) => {
            match histograms.len() {
                $($columns => {
                    if let Some(histograms) = histograms.first_chunk_mut::<$columns>() {
                        fill_columns(histograms, bins, rows, sums);
                    }
                })*
                _ => unreachable!("a block has 1 to 8 columns"),
            }
        };
    }
    by_number_of_columns!(1 2 3 4 5 6 7 8);
}

#[inline(always)]
fn fill_columns<const COLUMNS: usize>(
    histograms: &mut [ColumnHistogram; COLUMNS],
    bins: &[BlockRow],
    rows: &[u32],
    sums: &[Sums],
) {
    for row in rows {
        let row = *row as usize;
        debug_assert!(row < bins.len() && row < sums.len());
        // SAFETY: `grow` passes rows of the table, and both slices have an entry per row of the table. Bounds checks
        // would cost a tenth of the training time.
        let (bins, sums) = unsafe { (bins.get_unchecked(row), *sums.get_unchecked(row)) };
        for column in 0..COLUMNS {
            histograms[column][usize::from(bins[column])].add(sums);
        }
    }
}

/// Subtracts the histogram of one child from that of its parent: the rest is that of the other child.
pub(super) fn subtract(parent: &mut [Sums], child: &[Sums]) {
    for (parent, child) in parent.iter_mut().zip(child) {
        *parent = parent.minus(*child);
    }
}
