//! Tuning of the decision threshold: the lowest probability of the positive class at which the positive class is predicted.

use serde_json::{Value, json};

use super::curves::Thresholds;
use crate::model::DEFAULT_THRESHOLD;

/// What a threshold is tuned for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// The largest F1 of the positive class.
    F1,
    /// The smallest sum of the costs of all errors.
    Cost {
        /// The cost of a negative row that is predicted as positive.
        false_positive: f64,
        /// The cost of a positive row that is predicted as negative.
        false_negative: f64,
    },
    /// The largest recall of the thresholds with at least this precision; the largest precision if none has it.
    Recall {
        /// From 0 to 1.
        min_precision: f64,
    },
}

/// The counts of the rows at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Positive rows that are predicted as positive.
    pub true_positives: usize,
    /// Negative rows that are predicted as positive.
    pub false_positives: usize,
    /// All positive rows.
    pub positives: usize,
    /// All negative rows.
    pub negatives: usize,
}

/// A tuned threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuningResult {
    /// From 0 to 1.
    pub threshold: f64,
    /// The counts of the rows that it was tuned on.
    pub counts: Counts,
}

impl Counts {
    /// The counts at a threshold.
    pub fn at(threshold: f64, scores: &[f64], positive: impl Fn(usize) -> bool) -> Self {
        let mut counts = Self { true_positives: 0, false_positives: 0, positives: 0, negatives: 0 };
        for (row, score) in scores.iter().enumerate() {
            let (predicted, positive) = (*score >= threshold, positive(row));
            counts.true_positives += usize::from(predicted && positive);
            counts.false_positives += usize::from(predicted && !positive);
            counts.positives += usize::from(positive);
            counts.negatives += usize::from(!positive);
        }
        counts
    }

    /// The share of correct predictions.
    pub fn accuracy(&self) -> f64 {
        let correct = self.true_positives + self.negatives - self.false_positives;
        ratio(correct, self.positives + self.negatives)
    }

    /// The share of positive rows among those predicted as positive; 0 if there are none.
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of the positive rows that are predicted as positive; 0 if there are none.
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.positives)
    }

    /// The harmonic mean of precision and recall; 0 if it is not defined.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.true_positives, self.true_positives + self.false_positives + self.positives)
    }

    /// The mean cost of a row.
    pub fn cost(&self, false_positive: f64, false_negative: f64) -> f64 {
        let missed = self.positives - self.true_positives;
        let sum = self.false_positives as f64 * false_positive + missed as f64 * false_negative;
        sum / ((self.positives + self.negatives) as f64).max(1.0)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Objective {
    /// Whether the rows meet what the objective demands of a threshold.
    pub fn is_met(self, counts: &Counts) -> bool {
        match self {
            Self::F1 | Self::Cost { .. } => true,
            Self::Recall { min_precision } => counts.true_positives > 0 && counts.precision() >= min_precision,
        }
    }

    /// The name of the objective: the value of the parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::F1 => "f1",
            Self::Cost { .. } => "cost",
            Self::Recall { .. } => "recall",
        }
    }

    /// `{accuracy, precision, recall, f1}`, with the mean `cost` of a row if the objective has costs.
    pub fn report(self, counts: &Counts) -> Value {
        let mut report = json!({
            "accuracy": counts.accuracy(),
            "precision": counts.precision(),
            "recall": counts.recall(),
            "f1": counts.f1(),
        });
        if let Self::Cost { false_positive, false_negative } = self {
            report["cost"] = json!(counts.cost(false_positive, false_negative));
        }
        report
    }

    /// Larger is better; the second number decides between equal first ones.
    fn value(self, counts: &Counts) -> (f64, f64) {
        match self {
            Self::F1 => (counts.f1(), 0.0),
            Self::Cost { false_positive, false_negative } => (-counts.cost(false_positive, false_negative), 0.0),
            Self::Recall { .. } if self.is_met(counts) => (1.0 + counts.recall(), counts.precision()),
            Self::Recall { .. } => (counts.precision(), counts.recall()),
        }
    }
}

/// The best threshold for these rows. Every number between two neighbouring scores gives the same predictions: their middle is
/// used, or 0.5 if 0.5 is between them. Of equally good thresholds the nearest to 0.5 is used.
pub fn tune(scores: &[f64], positive: impl Fn(usize) -> bool, objective: Objective) -> TuningResult {
    let sorted = Thresholds::new(scores, positive);
    let (positives, negatives) = sorted.totals();
    let counts = |true_positives, false_positives| Counts { true_positives, false_positives, positives, negatives };
    let highest = sorted.steps().next().map_or(1.0, |(score, ..)| score);
    // Nothing is positive above the highest score, if there is room below 1.
    let none = (highest < 1.0).then(|| TuningResult { threshold: between(highest, 1.0), counts: counts(0, 0) });
    let lower = sorted.steps().skip(1).map(|(score, ..)| score).chain([0.0]);
    let steps = sorted.steps().zip(lower).map(|((score, true_positives, false_positives), lower)| TuningResult {
        threshold: between(lower.min(score), score),
        counts: counts(true_positives, false_positives),
    });
    let distance = |tuned: &TuningResult| (tuned.threshold - DEFAULT_THRESHOLD).abs();
    let order = |a: &TuningResult, b: &TuningResult| {
        let ((a_first, a_second), (b_first, b_second)) = (objective.value(&a.counts), objective.value(&b.counts));
        let by_value = a_first.total_cmp(&b_first).then(a_second.total_cmp(&b_second));
        by_value.then_with(|| distance(b).total_cmp(&distance(a)))
    };
    let best = none.into_iter().chain(steps).max_by(order);
    best.unwrap_or(TuningResult { threshold: DEFAULT_THRESHOLD, counts: counts(0, 0) })
}

/// A number `t` with `low < t <= high`: 0.5 if possible, else the middle if it is above `low`.
fn between(low: f64, high: f64) -> f64 {
    let middle = low * 0.5 + high * 0.5;
    if low < DEFAULT_THRESHOLD && DEFAULT_THRESHOLD <= high {
        DEFAULT_THRESHOLD
    } else if middle > low && middle <= high {
        middle
    } else {
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::Stream;

    /// Rare positive rows with somewhat higher scores; many scores are equal.
    fn rows(seed: u64) -> (Vec<f64>, Vec<bool>) {
        let mut random = Stream(seed);
        let positive: Vec<bool> = (0..150).map(|_| random.unit() < 0.2).collect();
        let score = |positive: &bool| ((0.2 + 0.3 * f64::from(*positive)) * 2.0 * random.unit() * 40.0).round() / 40.0;
        (positive.iter().map(score).collect(), positive)
    }

    /// The counts at every threshold that makes a difference.
    fn all(scores: &[f64], positive: &[bool]) -> Vec<Counts> {
        let mut thresholds = scores.to_vec();
        thresholds.push(1.0);
        thresholds.iter().map(|threshold| Counts::at(*threshold, scores, |row| positive[row])).collect()
    }

    #[test]
    fn no_threshold_is_better_than_the_tuned_one() {
        for seed in 0..50 {
            let (scores, positive) = rows(seed);
            let of = |objective| {
                let tuned = tune(&scores, |row| positive[row], objective);
                assert_eq!(Counts::at(tuned.threshold, &scores, |row| positive[row]), tuned.counts, "{tuned:?}");
                tuned.counts
            };
            let best = |value: &dyn Fn(&Counts) -> f64| {
                all(&scores, &positive).iter().map(value).fold(f64::NEG_INFINITY, f64::max)
            };
            assert!((of(Objective::F1).f1() - best(&Counts::f1)).abs() < 1e-12);
            for (false_positive, false_negative) in [(1.0, 1.0), (1.0, 10.0), (10.0, 1.0), (0.0, 1.0), (1e6, 1.0)] {
                let found = of(Objective::Cost { false_positive, false_negative });
                let least = best(&|counts| -counts.cost(false_positive, false_negative));
                assert!((found.cost(false_positive, false_negative) + least).abs() < 1e-9);
            }
            for min_precision in [0.3, 0.5, 0.8] {
                let found = of(Objective::Recall { min_precision });
                let recall = best(&|counts| if counts.precision() >= min_precision { counts.recall() } else { 0.0 });
                assert!(recall == 0.0 || found.precision() >= min_precision, "{found:?}");
                assert!(recall == 0.0 || (found.recall() - recall).abs() < 1e-12, "{found:?}, {recall}");
            }
        }
    }

    #[test]
    fn a_threshold_is_between_scores_and_near_the_default() {
        let tune =
            |scores: &[f64], positive: &[bool], objective| tune(scores, |row| positive[row], objective).threshold;
        assert!((tune(&[0.1, 0.2, 0.3], &[false, false, true], Objective::F1) - 0.25).abs() < 1e-12);
        assert_eq!(tune(&[0.1, 0.2, 0.8], &[false, false, true], Objective::F1), 0.5);
        let costly = Objective::Cost { false_positive: 100.0, false_negative: 1.0 };
        assert_eq!(tune(&[0.2, 0.3, 0.4], &[false, true, false], costly), 0.5, "nothing is positive");
        assert_eq!(tune(&[0.9, 0.9], &[true, false], costly), 0.95);
        let free = Objective::Cost { false_positive: 0.0, false_negative: 1.0 };
        assert_eq!(tune(&[0.0, 0.9], &[true, false], free), 0.0, "everything is positive");
        assert_eq!(tune(&[], &[], Objective::F1), 0.5);
    }

    #[test]
    fn without_the_wanted_precision_the_largest_one_is_used() {
        let (scores, positive) = ([0.9, 0.8, 0.7, 0.2], [false, true, true, false]);
        let objective = Objective::Recall { min_precision: 0.95 };
        let tuned = tune(&scores, |row| positive[row], objective);
        assert!(!objective.is_met(&tuned.counts));
        assert!((tuned.counts.precision() - 2.0 / 3.0).abs() < 1e-12, "{tuned:?}");
    }
}
