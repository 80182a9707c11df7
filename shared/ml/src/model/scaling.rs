//! The affine map from a number to its raw value.

use serde::{Deserialize, Serialize};

/// Maps a number to `(value - centre) / scale` in `f64`, and only then to `f32`. Numbers that differ by little compared
/// with their size, such as ids near 1e8 or milliseconds since 1970, keep different raw values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The number with the raw value 0.
    pub centre: f64,
    /// A positive power of two, so that the division is exact.
    pub scale: f64,
}

impl Scaling {
    /// The raw value of a number is the number.
    pub const IDENTITY: Self = Self { centre: 0.0, scale: 1.0 };
    /// The least raw value. The lowest `f32` is not a raw value: trees use it as the threshold below all numbers.
    pub const LEAST: f64 = f32::MIN.next_up() as f64;
    /// The greatest raw value.
    pub const GREATEST: f64 = f32::MAX as f64;

    /// The scaling for the numbers of a column, which are finite and sorted. [`Self::IDENTITY`] without numbers.
    pub fn fit(sorted: &[f64]) -> Self {
        let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else { return Self::IDENTITY };
        let at = |share: usize| sorted[(sorted.len() - 1) * share / 4];
        let wide = distinct(sorted, |value| value);
        // The median keeps most numbers apart. A column with several distant clusters can have a better centre.
        let mut best = (0, 0.0);
        for centre in [at(2), at(1), at(3), *max, *min] {
            let scaling = Self { centre, scale: power_of_two(at(1), at(3), *min, *max) };
            let narrow = distinct(sorted, |value| scaling.apply(value));
            if narrow > best.0 {
                best = (narrow, centre);
            }
            if narrow == wide {
                break;
            }
        }
        Self { centre: best.1, scale: power_of_two(at(1), at(3), *min, *max) }
    }

    /// The raw value of a finite number, clamped to the range of `f32`, so that the order is kept.
    #[inline]
    pub fn apply(self, value: f64) -> f32 {
        let scaled = (value - self.centre) / self.scale;
        #[allow(clippy::cast_possible_truncation, reason = "the value was clamped to the range of f32")]
        let raw = scaled.clamp(Self::LEAST, Self::GREATEST) as f32;
        raw
    }

    /// Whether both numbers are valid.
    pub fn is_valid(self) -> bool {
        self.centre.is_finite() && self.scale.is_normal() && self.scale > 0.0
    }
}

impl Default for Scaling {
    fn default() -> Self {
        Self::IDENTITY
    }
}

/// The largest power of two up to the interquartile range, or up to the range if the quartiles are equal. 1 for a
/// constant column.
fn power_of_two(lower: f64, upper: f64, min: f64, max: f64) -> f64 {
    // Halves are subtracted, because the difference could overflow.
    let half = |low: f64, high: f64| high * 0.5 - low * 0.5;
    let spread = if lower < upper { half(lower, upper) } else { half(min, max) };
    if spread <= 0.0 {
        return 1.0;
    }
    let bits = spread.max(f64::MIN_POSITIVE).to_bits();
    // Without its mantissa a normal number is a power of two.
    f64::from_bits(bits & 0x7ff0_0000_0000_0000)
}

/// Number of distinct values in a sorted column.
fn distinct<T: PartialEq>(sorted: &[f64], of: impl Fn(f64) -> T) -> usize {
    1 + sorted.windows(2).filter(|pair| of(pair[0]) != of(pair[1])).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw_values(numbers: &[f64]) -> Vec<f32> {
        let scaling = Scaling::fit(numbers);
        assert!(scaling.is_valid(), "{scaling:?}");
        numbers.iter().map(|number| scaling.apply(*number)).collect()
    }

    #[test]
    fn numbers_that_f32_would_merge_keep_their_order() {
        let ids: Vec<f64> = (0..100).map(|id| 100_000_001.0 + f64::from(id)).collect();
        let times: Vec<f64> = (0..100).map(|ms| 1.7e12 + f64::from(ms)).collect();
        // Most numbers are 0; the others are distant from the median.
        let clusters: Vec<f64> = (0..100).map(|row| if row < 60 { 0.0 } else { 1.7e12 + f64::from(row) }).collect();
        for numbers in [ids, times, clusters] {
            let raw = raw_values(&numbers);
            let pairs = || numbers.windows(2).zip(raw.windows(2));
            assert!(pairs().all(|(number, raw)| (number[0] < number[1]) == (raw[0] < raw[1])), "{raw:?}");
        }
    }

    #[test]
    fn extreme_and_constant_columns_have_finite_raw_values() {
        for numbers in [vec![-1e308, 0.0, 1e308], vec![5e-324, 1e-320, 3e-310], vec![7.0; 3], vec![0.0, 0.0, 1e300]] {
            assert!(raw_values(&numbers).iter().all(|raw| raw.is_finite()), "{numbers:?}");
        }
        assert_eq!(Scaling::fit(&[]), Scaling::IDENTITY);
    }
}
