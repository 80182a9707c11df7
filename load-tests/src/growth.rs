//! Growth of a series, from a line fitted to all samples. The difference of two samples would depend on noise.

/// The growth of a least-squares line through `(time, value)` from the first to the last time; 0 for fewer than two
/// samples.
pub(crate) fn growth(samples: &[(f64, f64)]) -> f64 {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return 0.0 };
    let n = samples.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| samples.iter().map(pick).sum::<f64>() / n;
    let (mean_time, mean_value) = (mean(|s| s.0), mean(|s| s.1));
    let variance: f64 = samples.iter().map(|(time, _)| (time - mean_time).powi(2)).sum();
    if variance == 0.0 {
        return 0.0;
    }
    let covariance: f64 = samples.iter().map(|(time, value)| (time - mean_time) * (value - mean_value)).sum();
    covariance / variance * (last.0 - first.0)
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn growth_is_detected_despite_noise() {
        let noise = |i: u32| if i.is_multiple_of(2) { 3.0 } else { -3.0 };
        let series = |slope: f64| -> Vec<_> {
            (0..=100).map(|i| (f64::from(i), 50.0 + slope * f64::from(i) + noise(i))).collect()
        };
        assert!((growth(&series(0.1)) - 10.0).abs() < 0.5);
        assert!(growth(&series(0.0)).abs() < 0.5);
        assert!(growth(&[]).abs() + growth(&[(1.0, 7.0)]).abs() < f64::EPSILON);
    }
}
