//! A histogram of numbers whose range is not known in advance.

/// Number of bins while numbers are added.
const BINS: usize = 512;
/// Number of intervals of the result.
const INTERVALS: usize = 10;
/// The first bins are this many powers of two narrower than the first number.
const RESOLUTION: i32 = 40;
/// The width of a bin is at least this power of two, so that its inverse is finite.
const MIN_EXPONENT: i32 = -1_000;
/// Bin numbers stay far below the range of `i64`.
const MAX_INDEX: f64 = (1_u64 << 58) as f64;

/// Counts numbers in bins of equal width. The width is a power of two and doubles until all numbers fit, so that a bin
/// always contains whole former bins.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    bins: Vec<u64>,
    /// The number of the first bin: bin `i` covers `i * 2^exponent` up to the next.
    base: i64,
    exponent: i32,
    /// `2^-exponent`
    scale: f64,
}

impl Histogram {
    /// Adds a finite number `count` times.
    #[inline]
    pub(super) fn add(&mut self, value: f64, count: u64) {
        let index = self.index(value);
        let offset = index.wrapping_sub(self.base);
        match usize::try_from(offset).ok().and_then(|offset| self.bins.get_mut(offset)) {
            Some(bin) if (value * self.scale).abs() < MAX_INDEX => *bin += count,
            _ => self.widen(value, count),
        }
    }

    #[cold]
    fn widen(&mut self, value: f64, count: u64) {
        if self.bins.is_empty() {
            self.bins = vec![0; BINS];
            self.set_exponent((exponent(value) - RESOLUTION).max(MIN_EXPONENT));
            self.base = self.index(value) - BINS as i64 / 2;
        }
        let needed = exponent(value) - 57;
        if needed > self.exponent {
            self.double(needed - self.exponent, None);
        }
        let index = self.index(value);
        if self.offset(index).is_none() {
            let first = self.bins.iter().position(|bin| *bin > 0).map_or(index, |at| self.base + at as i64);
            let last = self.bins.iter().rposition(|bin| *bin > 0).map_or(index, |at| self.base + at as i64);
            let (low, high) = (first.min(index), last.max(index));
            let doublings = (0..64).find(|by| (high >> by) - (low >> by) < BINS as i64).unwrap_or(63);
            self.double(doublings, Some((low >> doublings, high >> doublings)));
        }
        let index = self.index(value);
        if let Some(offset) = self.offset(index) {
            self.bins[offset] += count;
        }
    }

    /// Doubles the width of the bins `by` times; the occupied range is then in the middle.
    fn double(&mut self, by: i32, range: Option<(i64, i64)>) {
        let shift = |index: i64| index >> by.min(63);
        let occupied: Vec<(i64, u64)> = self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, bin)| **bin > 0)
            .map(|(at, bin)| (shift(self.base + at as i64), *bin))
            .collect();
        let range = range.or_else(|| Some((occupied.first()?.0, occupied.last()?.0)));
        self.set_exponent(self.exponent + by);
        self.bins.fill(0);
        let Some((low, high)) = range else { return };
        self.base = low - (BINS as i64 - 1 - (high - low)) / 2;
        for (index, count) in occupied {
            if let Some(offset) = self.offset(index) {
                self.bins[offset] += count;
            }
        }
    }

    fn set_exponent(&mut self, exponent: i32) {
        self.exponent = exponent;
        self.scale = 2.0_f64.powi(-exponent);
    }

    /// The bin of a number, rounded down.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a number out of range is widened before"
    )]
    fn index(&self, value: f64) -> i64 {
        let scaled = value * self.scale;
        let truncated = scaled as i64;
        truncated.wrapping_sub(i64::from(truncated as f64 > scaled))
    }

    fn offset(&self, index: i64) -> Option<usize> {
        usize::try_from(index - self.base).ok().filter(|offset| *offset < self.bins.len())
    }

    /// The counts in ten intervals from the minimum to the maximum. Bins that two intervals share are divided.
    pub(super) fn intervals(&self, others: &Self, min: f64, max: f64) -> Vec<u64> {
        let total: u64 = self.bins.iter().chain(&others.bins).sum();
        if max <= min {
            return single(total);
        }
        let edge = |at: usize| min + (max - min) * at as f64 / INTERVALS as f64;
        let mut below = [0.0; INTERVALS + 1];
        for (at, below) in below.iter_mut().enumerate() {
            *below = if at == INTERVALS {
                total as f64
            } else {
                self.below(edge(at), min, max) + others.below(edge(at), min, max)
            };
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded counts of rows")]
        let rounded: Vec<u64> = below.iter().map(|count| count.round() as u64).collect();
        rounded.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }

    /// The estimated count of numbers below `edge`.
    fn below(&self, edge: f64, min: f64, max: f64) -> f64 {
        let occupied = self.bins.iter().enumerate().filter(|(_, bin)| **bin > 0);
        let width = 1.0 / self.scale;
        let share = |at: usize| {
            let low = (self.base + at as i64) as f64 * width;
            let (low, high) = (low.max(min), (low + width).min(max));
            if edge >= high && edge > low {
                1.0
            } else if edge <= low {
                0.0
            } else {
                (edge - low) / (high - low)
            }
        };
        occupied.map(|(at, bin)| *bin as f64 * share(at)).sum()
    }
}

/// The exact counts of numbers in ten intervals.
pub(super) fn exact(values: impl Iterator<Item = (f64, u64)>, min: f64, max: f64) -> Vec<u64> {
    let mut intervals = vec![0; INTERVALS];
    for (value, count) in values {
        let share = (value / 2.0 - min / 2.0) / (max / 2.0 - min / 2.0) * INTERVALS as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10; NaN becomes 0")]
        let at = (share.floor() as usize).min(INTERVALS - 1);
        intervals[at] += count;
    }
    intervals
}

fn single(total: u64) -> Vec<u64> {
    let mut intervals = vec![0; INTERVALS];
    intervals[0] = total;
    intervals
}

/// The exponent of the power of two at or below the magnitude; small for zero.
fn exponent(value: f64) -> i32 {
    let bits = (value.to_bits() >> 52) & 0x7ff;
    i32::try_from(bits).unwrap_or(0) - 1_023
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten(values: &[f64]) -> Vec<u64> {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.add(*value, 1));
        let (min, max) =
            values.iter().fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(*value), max.max(*value)));
        histogram.intervals(&Histogram::default(), min, max)
    }

    #[test]
    fn the_range_adapts_to_the_numbers() {
        let uniform: Vec<f64> = (0..10_000).map(|i| f64::from(i) / 10.0 - 300.0).collect();
        for count in ten(&uniform) {
            assert!((950..=1_050).contains(&count), "{count}");
        }
        let mut reversed = uniform;
        reversed.reverse();
        assert_eq!(ten(&reversed).iter().sum::<u64>(), 10_000);
    }

    #[test]
    fn extreme_numbers_keep_every_count() {
        for values in [
            &[0.0, 1e300, -1e300, 1e-300, 5.0][..],
            &[1e-320, 1e308],
            &[7.0, 7.0, 7.0],
            &[0.0, 0.0, 1.0],
            &[1e15, 1e15 + 1.0, 1e15 + 2.0],
            &[-1.0, -2.0, -3.0],
            &[f64::MAX, f64::MIN],
        ] {
            assert_eq!(ten(values).iter().sum::<u64>(), values.len() as u64, "{values:?}");
        }
        assert_eq!(ten(&[7.0, 7.0])[0], 2);
    }

    #[test]
    fn exact_counts_include_the_maximum_in_the_last_interval() {
        assert_eq!(exact([(0.0, 1), (9.99, 2), (10.0, 3)].into_iter(), 0.0, 10.0), [1, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(exact([(f64::MIN, 1), (f64::MAX, 1)].into_iter(), f64::MIN, f64::MAX)[9], 1);
        assert_eq!(exact([(4.0, 2)].into_iter(), 4.0, 4.0)[0], 2);
    }
}
