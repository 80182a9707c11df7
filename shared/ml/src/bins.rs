//! Binning: each column has at most 256 bins. Forests and gradient boosting compute their histograms over bins.
//!
//! Bin 0 contains missing values. The other 255 bins contain numbers. A column with up to 255 distinct numbers has one bin
//! per number; otherwise the bin edges are quantiles.

/// The bin of missing values.
pub(crate) const MISSING: u8 = 0;
/// Maximum number of bins for numbers.
const VALUE_BINS: usize = 255;

/// A side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// The raw threshold that corresponds to `bin <= b`. For bin 0 it is the lowest finite number, which is below every raw
/// value.
pub(crate) fn threshold(edges: &[f32], bin: u8) -> f32 {
    match bin {
        MISSING => f32::MIN,
        bin => edges[usize::from(bin) - 1],
    }
}

/// The bin `b` with this [`threshold`]; `None` if no bin has it.
pub(crate) fn bin_of_threshold(edges: &[f32], threshold: f32) -> Option<u8> {
    if threshold == f32::MIN {
        return Some(MISSING);
    }
    let below = edges.partition_point(|edge| *edge < threshold);
    // There are at most 254 edges.
    (edges.get(below) == Some(&threshold)).then_some(below as u8 + 1)
}

/// Bins one column and returns the upper edge of each bin except the last: `value <= edges[b - 1]` if its bin is at most
/// `b`.
pub(crate) fn bin_column(values: &[f32], bins: &mut [u8]) -> Vec<f32> {
    let edges = edges(&sorted(values));
    // With padding the binary search has eight branch-free steps.
    let mut padded = [f32::INFINITY; 256];
    padded[..edges.len()].copy_from_slice(&edges);
    for (bin, value) in bins.iter_mut().zip(values) {
        if !value.is_nan() {
            let mut below = 0;
            for step in [128, 64, 32, 16, 8, 4, 2, 1] {
                below += if padded[below + step - 1] < *value { step } else { 0 };
            }
            *bin = below as u8 + 1;
        }
    }
    edges
}

/// From so many values on a radix sort is faster than a comparison sort.
const RADIX_FROM: usize = 1_024;
/// Bits of a digit of the radix sort; three digits have all bits of a number.
const DIGIT_BITS: u32 = 11;

/// The values without NaN in ascending order, minus zero before zero.
fn sorted(values: &[f32]) -> Vec<f32> {
    let numbers = values.iter().copied().filter(|value| !value.is_nan());
    if values.len() < RADIX_FROM {
        let mut sorted: Vec<f32> = numbers.collect();
        sorted.sort_unstable_by(f32::total_cmp);
        return sorted;
    }
    // Least significant digit first (Knuth, The Art of Computer Programming, volume 3, section 5.2.5). The keys have the
    // order of the numbers: negative numbers have all bits inverted, the others only the sign.
    const SIGN: u32 = 1 << 31;
    let mut keys: Vec<u32> =
        numbers.map(|number| number.to_bits()).map(|bits| if bits & SIGN == 0 { bits ^ SIGN } else { !bits }).collect();
    let mut spare = vec![0; keys.len()];
    for digit in 0..3 {
        let of = |key: u32| ((key >> (digit * DIGIT_BITS)) & ((1 << DIGIT_BITS) - 1)) as usize;
        let mut next = [0_u32; 1 << DIGIT_BITS];
        keys.iter().for_each(|key| next[of(*key)] += 1);
        let mut start = 0;
        for count in &mut next {
            start += std::mem::replace(count, start);
        }
        for key in &keys {
            let at = &mut next[of(*key)];
            spare[*at as usize] = *key;
            *at += 1;
        }
        std::mem::swap(&mut keys, &mut spare);
    }
    keys.into_iter().map(|key| f32::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })).collect()
}

fn edges(sorted: &[f32]) -> Vec<f32> {
    let mut distinct = Vec::new();
    for value in sorted {
        if distinct.last() != Some(value) {
            distinct.push(*value);
            if distinct.len() > VALUE_BINS {
                return quantiles(sorted);
            }
        }
    }
    distinct.windows(2).map(|pair| midpoint(pair[0], pair[1])).collect()
}

fn quantiles(sorted: &[f32]) -> Vec<f32> {
    let mut edges: Vec<f32> = Vec::with_capacity(VALUE_BINS - 1);
    for q in 1..VALUE_BINS {
        let at = q * sorted.len() / VALUE_BINS;
        let (low, high) = (sorted[at - 1], sorted[at]);
        let edge = if low < high { midpoint(low, high) } else { low };
        // The largest value is not an edge, because no value would be right of it.
        if edges.last().is_none_or(|last| edge > *last) && edge < sorted[sorted.len() - 1] {
            edges.push(edge);
        }
    }
    edges
}

/// A number `m` with `low <= m < high`, halfway if possible.
pub(crate) fn midpoint(low: f32, high: f32) -> f32 {
    let middle = low * 0.5 + high * 0.5;
    if middle >= low && middle < high { middle } else { low }
}

/// Whether a bin goes left. Bin 0, the missing values, is below all other bins after subtracting 0, and above them after
/// subtracting 1 with wrap-around.
#[inline]
pub(crate) fn goes_left(last: u8, missing: Side) -> impl Fn(u8) -> bool + Copy {
    let shift = u8::from(missing == Side::Right);
    move |bin| bin.wrapping_sub(shift) <= last.wrapping_sub(shift)
}

/// Moves the items that go left to the front and returns their number. Both sides keep their order. `spare` is at least
/// as long as `items`.
#[inline]
pub(crate) fn partition<S: Copy>(items: &mut [S], spare: &mut [S], goes_left: impl Fn(&S) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    let spare = &mut spare[..items.len()];
    for i in 0..items.len() {
        let item = items[i];
        let is_left = goes_left(&item);
        // SAFETY: each iteration increments one count, so both are at most `i`, and both slices have `items.len()`
        // entries.
        unsafe {
            // Both writes happen and one count increases, which avoids a branch.
            *items.get_unchecked_mut(left) = item;
            *spare.get_unchecked_mut(right) = item;
        }
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    items[left..].copy_from_slice(&spare[..right]);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binned(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
        let mut bins = vec![MISSING; values.len()];
        let edges = bin_column(values, &mut bins);
        (bins, edges)
    }

    #[test]
    fn few_distinct_values_have_one_bin_each() {
        let (bins, edges) = binned(&[3.0, f32::NAN, 1.0, 1.0, 2.0]);
        assert_eq!(bins, [3, 0, 1, 1, 2]);
        assert_eq!((threshold(&edges, 1), threshold(&edges, 2)), (1.5, 2.5));
        assert_eq!(threshold(&edges, 0), f32::MIN);
    }

    #[test]
    fn bins_and_thresholds_agree() {
        let mut rng = crate::rng::Rng::new(1, crate::rng::Stream::Split);
        let mut values: Vec<f32> = (0..5_000).map(|_| (rng.below(1 << 20) as f32 - 5e5).powi(3)).collect();
        values.extend([0.0, -0.0, f32::INFINITY, f32::MIN.next_up(), f32::NAN, f32::MAX]);
        let (bins, edges) = binned(&values);
        let used = *bins.iter().max().unwrap();
        assert!(used > 200, "quantiles should fill most bins, not {used}");
        for bin in 0..used {
            let threshold = threshold(&edges, bin);
            assert!(threshold.is_finite());
            assert_eq!(bin_of_threshold(&edges, threshold), Some(bin));
            assert_eq!(bin_of_threshold(&edges, threshold.next_up()), None);
            for (value, of) in values.iter().zip(&bins) {
                let left = value.is_nan() || *value <= threshold;
                assert_eq!(left, *of <= bin, "{value} in bin {of} against bin {bin} at {threshold}");
            }
        }
    }

    #[test]
    fn many_values_are_sorted_as_few_are() {
        let mut rng = crate::rng::Rng::new(2, crate::rng::Stream::Split);
        let mut values: Vec<f32> = (0..RADIX_FROM * 4).map(|_| f32::from_bits(rng.bits() as u32)).collect();
        values.extend([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN, 1e-45, -1e-45]);
        let mut expected: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        expected.sort_unstable_by(f32::total_cmp);
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(sorted(&values)), bits(expected));
    }

    #[test]
    fn adjacent_floats_have_different_bins() {
        let (low, high) = (1.0_f32, 1.0_f32.next_up());
        let (bins, edges) = binned(&[low, high]);
        assert_eq!(bins, [1, 2]);
        assert_eq!(threshold(&edges, 1), low);
    }
}
