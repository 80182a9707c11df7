//! Measures of numeric predictions.

/// Share of the variance that is explained; `None` for fewer than two rows or a constant truth.
pub fn r2(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let spread: f64 = truth.iter().map(|truth| (truth - mean).powi(2)).sum();
    (truth.len() > 1 && spread > 0.0).then(|| 1.0 - squares(truth, predicted) / spread)
}

/// Root of the mean squared error.
pub fn rmse(truth: &[f64], predicted: &[f64]) -> f64 {
    (squares(truth, predicted) / truth.len() as f64).sqrt()
}

/// Mean absolute error.
pub fn mae(truth: &[f64], predicted: &[f64]) -> f64 {
    truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).abs()).sum::<f64>() / truth.len() as f64
}

/// Pearson's correlation; `None` where either side is constant.
pub fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx.sqrt() * yy.sqrt()))
}

fn squares(truth: &[f64], predicted: &[f64]) -> f64 {
    truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn 1.9.1 on truth [3, -0.5, 2, 7], predicted [2.5, 0, 2, 8]: r2_score 0.9486081370449679,
    // root_mean_squared_error 0.6123724356957945, mean_absolute_error 0.5; numpy.corrcoef 0.9848696184482703
    #[test]
    fn measures_match_scikit_learn() {
        let (truth, predicted) = ([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]);
        assert!((r2(&truth, &predicted).unwrap() - 0.948_608_137_044_967_9).abs() < 1e-12);
        assert!((rmse(&truth, &predicted) - 0.612_372_435_695_794_5).abs() < 1e-12);
        assert!((mae(&truth, &predicted) - 0.5).abs() < 1e-12);
        assert!((correlation(&truth, &predicted).unwrap() - CORRELATION).abs() < 1e-12);
    }
    const CORRELATION: f64 = 0.984_869_618_448_270_3;

    #[test]
    fn a_constant_has_no_variance_to_explain() {
        assert_eq!(r2(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
