//! Comparison with scikit-learn 1.9.1:
//!
//! ```python
//! from sklearn.calibration import calibration_curve
//! from sklearn.metrics import precision_recall_curve, roc_curve
//! y = [0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1]
//! p = [.1, .4, .35, .8, .65, .6, .5, 0., .65, .3, 1., .2]
//! roc_curve(y, p)  # the first threshold is infinite
//! precision_recall_curve(y, p, drop_intermediate=True)  # without the last point
//! calibration_curve(y, p, n_bins=10)
//! ```

use super::*;

const ACTUAL: [u8; 12] = [0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1];
const SCORES: [f64; 12] = [0.1, 0.4, 0.35, 0.8, 0.65, 0.6, 0.5, 0.0, 0.65, 0.3, 1.0, 0.2];

fn close(found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    let equal = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-12;
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(equal), "{found:?} is not {expected:?}");
}

fn thresholds() -> Thresholds {
    Thresholds::new(&SCORES, |row| ACTUAL[row] == 1)
}

#[test]
fn the_roc_curve_matches_scikit_learn() {
    let curve = thresholds().roc().unwrap();
    close(curve.iter().map(|point| point.fpr), &[0.0, 0.0, 0.0, 0.0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 1.0]);
    let sevenths = [0.0, 1.0, 2.0, 4.0, 4.0, 5.0, 5.0, 6.0, 6.0, 7.0, 7.0].map(|positives| positives / 7.0);
    close(curve.iter().map(|point| point.tpr), &sevenths);
    close(curve.iter().map(|point| point.threshold), &[2.0, 1.0, 0.8, 0.65, 0.6, 0.5, 0.4, 0.35, 0.3, 0.2, 0.0]);
}

#[test]
fn the_precision_recall_curve_matches_scikit_learn() {
    let curve = thresholds().precision_recall().unwrap();
    let sevenths = [7.0, 7.0, 6.0, 6.0, 5.0, 5.0, 4.0, 4.0, 2.0, 1.0].map(|positives| positives / 7.0);
    close(curve.iter().map(|point| point.recall), &sevenths);
    let precision = [7.0 / 12.0, 0.7, 2.0 / 3.0, 0.75, 5.0 / 7.0, 5.0 / 6.0, 0.8, 1.0, 1.0, 1.0];
    close(curve.iter().map(|point| point.precision), &precision);
    close(curve.iter().map(|point| point.threshold), &[0.0, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.65, 0.8, 1.0]);
}

#[test]
fn the_calibration_matches_scikit_learn() {
    let bins = calibration(&SCORES, |row| ACTUAL[row] == 1);
    close(bins.iter().map(|bin| bin.positive_share), &[0.0, 1.0, 0.0, 0.5, 1.0, 0.0, 1.0, 1.0, 1.0]);
    close(bins.iter().map(|bin| bin.mean_probability), &[0.05, 0.2, 0.3, 0.375, 0.5, 0.6, 0.65, 0.8, 1.0]);
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 12);
}

#[test]
fn long_curves_keep_their_ends() {
    let scores: Vec<f64> = (0..5_000).map(|row| f64::from(row) / 5_000.0).collect();
    let thresholds = Thresholds::new(&scores, |row| row * 7 % 13 < row % 9);
    let roc = thresholds.roc().unwrap();
    assert_eq!((roc.len(), roc[0].tpr, roc[100].fpr, roc[100].tpr), (101, 0.0, 1.0, 1.0));
    let curve = thresholds.precision_recall().unwrap();
    assert_eq!((curve.len(), curve[0].recall, curve[100].threshold), (101, 1.0, 0.999_8));
    assert!(roc.iter().all(|point| point.threshold.is_finite()));
}

#[test]
fn curves_need_both_classes() {
    let of = |positive: bool| Thresholds::new(&[0.2, 0.4], |_| positive);
    assert!(of(true).roc().is_none() && of(false).roc().is_none() && of(false).precision_recall().is_none());
    assert!(of(true).precision_recall().is_some());
    assert!(Thresholds::new(&[], |_| true).roc().is_none());
}
