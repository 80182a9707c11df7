//! How much something grew: by a line fitted to all samples, because two of them alone say more about chance.

/// What a least-squares line through `(time, value)` gains from the first time to the last; 0 of fewer than two.
pub(crate) fn growth(samples: &[(f64, f64)]) -> f64 {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return 0.0 };
    let n = samples.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| samples.iter().map(pick).sum::<f64>() / n;
    let (mean_time, mean_value) = (mean(|s| s.0), mean(|s| s.1));
    let spread: f64 = samples.iter().map(|(time, _)| (time - mean_time).powi(2)).sum();
    if spread == 0.0 {
        return 0.0;
    }
    let together: f64 = samples.iter().map(|(time, value)| (time - mean_time) * (value - mean_value)).sum();
    together / spread * (last.0 - first.0)
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn a_leak_is_seen_through_noise_and_noise_alone_is_none() {
        let noise = |i: u32| if i.is_multiple_of(2) { 3.0 } else { -3.0 };
        let series = |slope: f64| -> Vec<_> {
            (0..=100).map(|i| (f64::from(i), 50.0 + slope * f64::from(i) + noise(i))).collect()
        };
        assert!((growth(&series(0.1)) - 10.0).abs() < 0.5);
        assert!(growth(&series(0.0)).abs() < 0.5);
        assert!(growth(&[]).abs() + growth(&[(1.0, 7.0)]).abs() < f64::EPSILON);
    }
}
