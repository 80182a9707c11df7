//! The scale of a numeric target.

/// The mean and the standard deviation of a target, so that tolerances and penalties do not depend on its unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TargetScale {
    /// Targets are divided by the largest absolute value first, because sums and squares could overflow.
    unit: f64,
    mean: f64,
    /// 1 for a constant target.
    deviation: f64,
}

impl TargetScale {
    /// `targets` are finite, and there is at least one.
    pub(crate) fn of(targets: &[f64]) -> Self {
        let largest = targets.iter().fold(0.0_f64, |largest, target| largest.max(target.abs()));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        let count = targets.len() as f64;
        let mean = targets.iter().map(|target| target / unit).sum::<f64>() / count;
        let variance = targets.iter().map(|target| (target / unit - mean).powi(2)).sum::<f64>() / count;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        Self { unit, mean, deviation }
    }

    /// A target as a number of standard deviations from the mean.
    pub(crate) fn apply(self, target: f64) -> f64 {
        (target / self.unit - self.mean) / self.deviation
    }

    /// The mean of the targets.
    pub(crate) fn mean(self) -> f64 {
        self.mean * self.unit
    }

    /// The standard deviation of the targets.
    pub(crate) fn deviation(self) -> f64 {
        self.deviation * self.unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_any_magnitude_are_scaled() {
        for targets in [[1.0, 2.0, 6.0], [1e308, -1e308, 1.7e308], [1e-310, 2e-310, 0.0], [1e9, 1e9 + 1.0, 1e9 + 2.0]] {
            let scale = TargetScale::of(&targets);
            let scaled = targets.map(|target| scale.apply(target));
            assert!(scaled.iter().sum::<f64>().abs() < 1e-6, "{scaled:?}");
            assert!((scaled.iter().map(|value| value * value).sum::<f64>() / 3.0 - 1.0).abs() < 1e-6, "{scaled:?}");
            for (target, scaled) in targets.iter().zip(scaled) {
                let back = scaled * scale.deviation() + scale.mean();
                assert!((back / 2.0 - target / 2.0).abs() <= 1e-9 * target.abs(), "{back} for {target}");
            }
        }
        assert_eq!(TargetScale::of(&[0.0, 0.0]).apply(0.0), 0.0);
    }
}
