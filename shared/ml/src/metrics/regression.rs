//! Regression metrics.

/// The coefficient of determination; `None` for fewer than two rows or constant actual values.
pub fn r2(actual: &[f64], predicted: &[f64]) -> Option<f64> {
    let mean = actual.iter().sum::<f64>() / actual.len() as f64;
    let total: f64 = actual.iter().map(|actual| (actual - mean).powi(2)).sum();
    (actual.len() > 1 && total > 0.0).then(|| 1.0 - squares(actual, predicted) / total)
}

/// Root of the mean squared error.
pub fn rmse(actual: &[f64], predicted: &[f64]) -> f64 {
    (squares(actual, predicted) / actual.len() as f64).sqrt()
}

/// Mean absolute error.
pub fn mae(actual: &[f64], predicted: &[f64]) -> f64 {
    actual.iter().zip(predicted).map(|(actual, predicted)| (actual - predicted).abs()).sum::<f64>()
        / actual.len() as f64
}

/// Pearson's correlation; `None` if one side is constant.
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

fn squares(actual: &[f64], predicted: &[f64]) -> f64 {
    actual.iter().zip(predicted).map(|(actual, predicted)| (actual - predicted).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn 1.9.1 on actual [3, -0.5, 2, 7], predicted [2.5, 0, 2, 8]: r2_score 0.9486081370449679,
    // root_mean_squared_error 0.6123724356957945, mean_absolute_error 0.5; numpy.corrcoef 0.9848696184482703
    #[test]
    fn measures_match_scikit_learn() {
        let (actual, predicted) = ([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]);
        assert!((r2(&actual, &predicted).unwrap() - 0.948_608_137_044_967_9).abs() < 1e-12);
        assert!((rmse(&actual, &predicted) - 0.612_372_435_695_794_5).abs() < 1e-12);
        assert!((mae(&actual, &predicted) - 0.5).abs() < 1e-12);
        assert!((correlation(&actual, &predicted).unwrap() - CORRELATION).abs() < 1e-12);
    }
    const CORRELATION: f64 = 0.984_869_618_448_270_3;

    #[test]
    fn constant_values_have_no_r2_and_no_correlation() {
        assert_eq!(r2(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(correlation(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
