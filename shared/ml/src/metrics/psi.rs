//! The population stability index (PSI): how much a recent distribution differs from that of the training.

/// Rows that are added to each bin, so that an empty bin has a finite logarithm. Half a row is the prior of Jeffreys for
/// shares, and the usual adjustment of weights of evidence.
const PRIOR_ROWS: f64 = 0.5;

/// The sum over all bins of `(recent - training) · ln(recent / training)`, where each bin has its share of the rows.
///
/// Both slices have the rows of the same bins. Bins that are empty in both have no influence. The index is 0 for equal
/// shares, and symmetric: the Jeffreys divergence. Without drift its mean is about
/// `(bins - 1) · (1 / training rows + 1 / recent rows)`, so few rows have a large index by chance (Siddiqi, "Credit Risk
/// Scorecards", 2006, also for the limits 0.1 and 0.25; Yurdakul, "Statistical Properties of Population Stability Index",
/// 2018). 0 if one side has no rows.
#[allow(clippy::cast_precision_loss, reason = "shares need no exact counts")]
pub fn psi(training: &[u64], recent: &[u64]) -> f64 {
    let bins = || training.iter().zip(recent).filter(|(a, b)| **a > 0 || **b > 0);
    let priors = bins().count() as f64 * PRIOR_ROWS;
    let [training_rows, recent_rows] =
        bins().fold([0.0; 2], |[a, b], (training, recent)| [a + *training as f64, b + *recent as f64]);
    if training_rows == 0.0 || recent_rows == 0.0 {
        return 0.0;
    }
    let share = |rows: u64, all: f64| (rows as f64 + PRIOR_ROWS) / (all + priors);
    bins()
        .map(|(training, recent)| {
            let (expected, found) = (share(*training, training_rows), share(*recent, recent_rows));
            (found - expected) * (found / expected).ln()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::Stream;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn two_bins_by_hand() {
        // (25.5 / 101 - 1 / 2) · ln(51 / 101) + (75.5 / 101 - 1 / 2) · ln(151 / 101)
        close(psi(&[50, 50], &[25, 75]), 0.268_676_783_190_742_2);
        close(psi(&[25, 75], &[50, 50]), psi(&[50, 50], &[25, 75]));
        // (0.5 / 11 - 10.5 / 11) · ln(1 / 21), twice
        close(psi(&[10, 0], &[0, 10]), 20.0 / 11.0 * 21_f64.ln());
    }

    #[test]
    fn without_the_prior_the_formula_is_the_textbooks() {
        // Shares of .3, .3, .4 and .1, .3, .6: the prior vanishes with the number of rows.
        let textbook = (0.1_f64 - 0.3) * (0.1_f64 / 0.3).ln() + (0.6_f64 - 0.4) * (0.6_f64 / 0.4).ln();
        let many = psi(&[300_000_000, 300_000_000, 400_000_000], &[100_000_000, 300_000_000, 600_000_000]);
        assert!((many - textbook).abs() < 1e-6, "{many}, not {textbook}");
    }

    #[test]
    fn equal_shares_and_empty_sides_have_no_drift() {
        close(psi(&[50, 30, 20], &[50, 30, 20]), 0.0);
        assert!(psi(&[500, 300, 200], &[50, 30, 20]) < 1e-3);
        close(psi(&[50, 30, 0, 20], &[25, 40, 0, 35]), psi(&[50, 30, 20], &[25, 40, 35]));
        assert_eq!([psi(&[], &[]), psi(&[1, 2], &[0, 0]), psi(&[0, 0], &[3, 4])], [0.0; 3]);
        assert!(psi(&[u64::MAX, 1], &[1, u64::MAX]).is_finite());
    }

    #[test]
    fn the_mean_without_drift_is_the_expected_one() {
        let random = &mut Stream(11);
        let mut sample = |rows: usize| {
            let mut bins = [0; 10];
            (0..rows).for_each(|_| bins[random.below(10)] += 1);
            bins
        };
        let mean = (0..2_000).map(|_| psi(&sample(1_000), &sample(500))).sum::<f64>() / 2_000.0;
        let expected = 9.0 * (1.0 / 1_000.0 + 1.0 / 500.0);
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean}, not about {expected}");
    }
}
