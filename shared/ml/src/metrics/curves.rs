//! Curves of a classifier's scores with at most [`MAX_POINTS`] points, and its calibration.

use serde_json::{Value, json};

/// Maximum number of points of a curve.
pub const MAX_POINTS: usize = 101;
/// Number of bins of the calibration.
const BINS: usize = 10;

/// The counts of rows with at least one score, from the highest score to the lowest: scikit-learn's
/// `confusion_matrix_at_thresholds`.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    scores: Vec<f64>,
    /// Positive rows with at least the score.
    true_positives: Vec<usize>,
    /// Other rows with at least the score.
    false_positives: Vec<usize>,
}

/// A point of the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The share of the negative rows with at least the threshold as score.
    pub fpr: f64,
    /// The share of the positive rows with at least the threshold as score.
    pub tpr: f64,
    /// The lowest score that counts as positive; for the first point 1 more than the highest score.
    pub threshold: f64,
}

/// A point of the precision-recall curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallPoint {
    /// The share of the positive rows with at least the threshold as score.
    pub recall: f64,
    /// The share of positive rows among the rows with at least the threshold as score.
    pub precision: f64,
    /// The lowest score that counts as positive.
    pub threshold: f64,
}

/// Rows with similar probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The mean of their probabilities.
    pub mean_probability: f64,
    /// The share of positive rows.
    pub positive_share: f64,
    /// Their number.
    pub count: usize,
}

impl Thresholds {
    /// Counts the rows. All scores are finite.
    pub fn new(scores: &[f64], positive: impl Fn(usize) -> bool) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let mut counts = Self { scores: Vec::new(), true_positives: Vec::new(), false_positives: Vec::new() };
        let (mut true_positives, mut rows) = (0, 0);
        for equal in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
            true_positives += equal.iter().filter(|row| positive(**row)).count();
            rows += equal.len();
            counts.scores.push(scores[equal[0]]);
            counts.true_positives.push(true_positives);
            counts.false_positives.push(rows - true_positives);
        }
        counts
    }

    /// Each score, from the highest to the lowest, with the numbers of positive and of other rows that have at least the score.
    pub(super) fn steps(&self) -> impl Iterator<Item = (f64, usize, usize)> {
        let counts = self.true_positives.iter().zip(&self.false_positives);
        self.scores.iter().zip(counts).map(|(score, (positives, others))| (*score, *positives, *others))
    }

    /// The numbers of all positive and of all other rows.
    pub(super) fn totals(&self) -> (usize, usize) {
        let last = |counts: &[usize]| counts.last().copied().unwrap_or(0);
        (last(&self.true_positives), last(&self.false_positives))
    }

    /// The ROC curve from (0, 0) to (1, 1), without points on the straight line between their neighbours; `None` without
    /// positive or without negative rows.
    pub fn roc(&self) -> Option<Vec<RocPoint>> {
        let (positives, negatives) = (*self.true_positives.last()?, *self.false_positives.last()?);
        if positives == 0 || negatives == 0 {
            return None;
        }
        let last = self.scores.len() - 1;
        let is_straight = |counts: &[usize], at: usize| counts[at] - counts[at - 1] == counts[at + 1] - counts[at];
        let is_corner = |at: &usize| {
            *at == 0
                || *at == last
                || !is_straight(&self.true_positives, *at)
                || !is_straight(&self.false_positives, *at)
        };
        let start = RocPoint { fpr: 0.0, tpr: 0.0, threshold: self.scores[0] + 1.0 };
        let points = (0..=last).filter(is_corner).map(|at| RocPoint {
            fpr: self.false_positives[at] as f64 / negatives as f64,
            tpr: self.true_positives[at] as f64 / positives as f64,
            threshold: self.scores[at],
        });
        Some(thin(std::iter::once(start).chain(points).collect()))
    }

    /// The precision-recall curve by rising threshold, without points between two others with the same recall; `None`
    /// without positive rows. Unlike scikit-learn's it does not end with an artificial point without a threshold.
    pub fn precision_recall(&self) -> Option<Vec<PrecisionRecallPoint>> {
        let positives = *self.true_positives.last().filter(|positives| **positives > 0)?;
        let last = self.scores.len() - 1;
        let counts = &self.true_positives;
        let is_corner =
            |at: &usize| *at == 0 || *at == last || counts[at - 1] != counts[*at] || counts[*at] != counts[at + 1];
        let points = (0..=last).rev().filter(is_corner).map(|at| PrecisionRecallPoint {
            recall: counts[at] as f64 / positives as f64,
            precision: counts[at] as f64 / (counts[at] + self.false_positives[at]) as f64,
            threshold: self.scores[at],
        });
        Some(thin(points.collect()))
    }
}

/// Ten bins of equal width from 0 to 1, each with its upper edge; empty ones are left out.
pub fn calibration(probabilities: &[f64], positive: impl Fn(usize) -> bool) -> Vec<CalibrationBin> {
    let mut sums = [(0_usize, 0_usize, 0.0); BINS];
    for (row, probability) in probabilities.iter().enumerate() {
        let below = (1..BINS).filter(|edge| *edge as f64 * (1.0 / BINS as f64) < *probability).count();
        let (count, positives, sum) = &mut sums[below];
        *count += 1;
        *positives += usize::from(positive(row));
        *sum += probability;
    }
    let bin = |(count, positives, sum): (usize, usize, f64)| CalibrationBin {
        mean_probability: sum / count as f64,
        positive_share: positives as f64 / count as f64,
        count,
    };
    sums.into_iter().filter(|(count, ..)| *count > 0).map(bin).collect()
}

/// Evenly spaced points, with the first and the last one.
fn thin<T: Copy>(points: Vec<T>) -> Vec<T> {
    if points.len() <= MAX_POINTS {
        return points;
    }
    (0..MAX_POINTS).map(|at| points[at * (points.len() - 1) / (MAX_POINTS - 1)]).collect()
}

/// `{fpr, tpr, threshold}`, or without thresholds `{fpr, tpr}`.
pub(super) fn roc_json(points: &[RocPoint], with_thresholds: bool) -> Value {
    let mut curve = json!({
        "fpr": points.iter().map(|point| point.fpr).collect::<Vec<_>>(),
        "tpr": points.iter().map(|point| point.tpr).collect::<Vec<_>>(),
    });
    if with_thresholds {
        curve["threshold"] = points.iter().map(|point| point.threshold).collect();
    }
    curve
}

/// `{recall, precision, threshold}`.
pub(super) fn precision_recall_json(points: &[PrecisionRecallPoint]) -> Value {
    json!({
        "recall": points.iter().map(|point| point.recall).collect::<Vec<_>>(),
        "precision": points.iter().map(|point| point.precision).collect::<Vec<_>>(),
        "threshold": points.iter().map(|point| point.threshold).collect::<Vec<_>>(),
    })
}

/// `[{mean_probability, positive_share, count}]`.
pub(super) fn calibration_json(bins: &[CalibrationBin]) -> Value {
    let bin = |bin: &CalibrationBin| json!({"mean_probability": bin.mean_probability, "positive_share": bin.positive_share, "count": bin.count});
    bins.iter().map(bin).collect()
}

#[cfg(test)]
mod tests;
