//! Percentiles, medians and number formatting.

/// The percentile `share` (0 to 1) of sorted values; 0 without values.
pub(crate) fn percentile(sorted: &[u32], share: f64) -> u32 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0)
}

/// A percentile in milliseconds, from microseconds.
pub(crate) fn percentile_ms(sorted_us: &[u32], share: f64) -> f64 {
    f64::from(percentile(sorted_us, share)) / 1000.0
}

/// The median; 0 without values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => 0.0,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The lowest and the highest value.
pub(crate) fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

/// Formats a number with thousands separators, and decimals only for small numbers.
pub(crate) fn show(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_observed_values() {
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!((percentile(&values, 0.5), percentile(&values, 0.99), percentile(&values, 1.0)), (50, 99, 100));
        assert_eq!((percentile(&[7], 0.5), percentile(&[], 0.5)), (7, 0));
    }

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), range(&[3.0, 1.0])), (2.0, 2.5, (1.0, 3.0)));
    }

    #[test]
    fn numbers_have_separators_and_few_decimals() {
        assert_eq!(
            (show(1_234_567.8), show(1.234), show(-1000.0)),
            ("1,234,568".into(), "1.23".into(), "-1,000".into())
        );
    }
}
