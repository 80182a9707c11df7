//! Greedy ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble Selection from Libraries
//! of Models", ICML 2004): starting with the best model, each step adds the model that makes the mean of the out-of-fold
//! predictions best. A model that is added several times has a larger weight. The best of all steps is the ensemble.

use rayon::prelude::*;

use super::cost::ModelCost;

/// The selection ends after this many steps without a better score.
const FRUITLESS_STEPS: usize = 8;
/// Probabilities are clipped, as in the metric.
const MIN_PROBABILITY: f64 = 1e-15;
/// The logarithm of this many probabilities is computed at once: their product is at least 1e-240.
const FACTORS: usize = 16;

/// The actual targets of the validated rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Targets<'a> {
    /// A prediction is the probability of the actual class. The score is the log loss.
    Classes,
    /// A prediction is a number. The score is the root of the mean squared error.
    Numbers(&'a [f64]),
}

/// A model that can be selected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    /// One prediction per validated row.
    pub(super) predictions: &'a [f64],
    pub(super) cost: ModelCost,
}

/// Limits of an ensemble.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_members: usize,
    /// `false` selects one model.
    pub(super) combine: bool,
    /// Limit of the sum of the members.
    pub(super) cost: ModelCost,
}

/// The selected models.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// Index of each selected model, ascending, with its weight; the weights add up to 1.
    pub(super) members: Vec<(usize, f64)>,
    /// Of the out-of-fold predictions; smaller is better.
    pub(super) score: f64,
}

impl Targets<'_> {
    /// The score of predictions, which are finite.
    pub(super) fn score(self, predictions: &[f64]) -> f64 {
        self.score_of_mean(predictions, None, 1.0)
    }

    /// The score of `(sum + added) / count`. The order of the additions is that of the rows, whatever the threads do.
    fn score_of_mean(self, sum: &[f64], added: Option<&[f64]>, count: f64) -> f64 {
        let mean = |row: usize| (sum[row] + added.map_or(0.0, |added| added[row])) / count;
        match self {
            Self::Classes => {
                let mut loss = 0.0;
                for start in (0..sum.len()).step_by(FACTORS) {
                    let rows = start..(start + FACTORS).min(sum.len());
                    let product: f64 =
                        rows.map(|row| mean(row).clamp(MIN_PROBABILITY, 1.0 - MIN_PROBABILITY)).product();
                    loss -= product.ln();
                }
                loss / sum.len() as f64
            }
            Self::Numbers(numbers) => {
                let squares: f64 = numbers.iter().enumerate().map(|(row, number)| (mean(row) - number).powi(2)).sum();
                (squares / sum.len() as f64).sqrt()
            }
        }
    }
}

impl Limits {
    /// Whether a model may be a member of an ensemble.
    pub(super) fn allow(&self, cost: ModelCost) -> bool {
        cost.predict_us <= self.cost.predict_us && cost.bytes <= self.cost.bytes
    }

    /// Whether a choice can be added to the chosen ones.
    pub(super) fn allow_more(&self, counts: &[usize], choices: &[Choice<'_>], added: usize) -> bool {
        if counts[added] > 0 {
            return true;
        }
        let chosen = counts.iter().zip(choices).filter(|(count, _)| **count > 0);
        let (mut members, mut total) = (1, choices[added].cost);
        for (_, choice) in chosen {
            members += 1;
            total.predict_us += choice.cost.predict_us;
            total.bytes += choice.cost.bytes;
        }
        members <= self.max_members && self.allow(total)
    }
}

/// Selects models in at most `steps` steps; the first of several equal ones. `None` if no choice is within the limits.
pub(super) fn greedy(choices: &[Choice<'_>], targets: Targets<'_>, limits: &Limits, steps: usize) -> Option<Selection> {
    let rows = choices.first()?.predictions.len();
    let mut counts = vec![0_usize; choices.len()];
    let mut sum = vec![0.0; rows];
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut last_better = 0;
    for step in 1..=steps {
        let scores: Vec<f64> = (0..choices.len())
            .into_par_iter()
            .map(|at| {
                if !limits.allow_more(&counts, choices, at) {
                    return f64::INFINITY;
                }
                targets.score_of_mean(&sum, Some(choices[at].predictions), step as f64)
            })
            .collect();
        let at = (0..choices.len()).min_by(|a, b| scores[*a].total_cmp(&scores[*b]))?;
        if scores[at] == f64::INFINITY {
            break;
        }
        counts[at] += 1;
        sum.iter_mut().zip(choices[at].predictions).for_each(|(sum, prediction)| *sum += prediction);
        if best.as_ref().is_none_or(|(score, _)| scores[at] < *score) {
            best = Some((scores[at], counts.clone()));
            last_better = step;
        } else if step - last_better >= FRUITLESS_STEPS {
            break;
        }
    }
    let (score, counts) = best?;
    let all: usize = counts.iter().sum();
    let members = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    Some(Selection { members: members.map(|(at, count)| (at, *count as f64 / all as f64)).collect(), score })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Limits =
        Limits { max_members: 8, combine: true, cost: ModelCost { predict_us: f64::INFINITY, bytes: f64::INFINITY } };

    fn choice(predictions: &[f64]) -> Choice<'_> {
        Choice { predictions, cost: ModelCost { predict_us: 2.0, bytes: 100.0 } }
    }

    /// Errors that cancel each other.
    const NUMBERS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
    const HIGH: [f64; 4] = [1.5, 2.5, 3.5, 4.5];
    const LOW: [f64; 4] = [0.0, 1.0, 2.0, 3.0];
    const BAD: [f64; 4] = [4.0, 4.0, 4.0, 0.0];

    fn select(choices: &[Choice<'_>], targets: Targets<'_>, limits: &Limits) -> Option<Selection> {
        greedy(choices, targets, limits, if limits.combine { 40 } else { 1 })
    }

    #[test]
    fn models_whose_errors_cancel_are_combined() {
        let choices = [choice(&BAD), choice(&LOW), choice(&HIGH)];
        let Selection { members, score } = select(&choices, Targets::Numbers(&NUMBERS), &FREE).unwrap();
        assert_eq!(members.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2]);
        // A third of -1 and two thirds of 0.5.
        assert!((members[0].1 - 1.0 / 3.0).abs() < 1e-12 && score < 1e-12, "{members:?}, {score}");
        let alone = select(&choices, Targets::Numbers(&NUMBERS), &Limits { combine: false, ..FREE }).unwrap();
        assert_eq!(alone.members, [(2, 1.0)]);
        assert!((alone.score - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_score_of_classes_is_the_log_loss() {
        let probabilities: Vec<f64> = (0..100).map(|row| f64::from(row) / 99.0).collect();
        let expected = crate::metrics::classes::log_loss(&[0; 100], |row, _| probabilities[row]);
        assert!((Targets::Classes.score(&probabilities) - expected).abs() < 1e-12);
        let (sharp, vague) = ([0.9, 0.9, 0.9, 0.1], [0.6; 4]);
        let found = select(&[choice(&vague), choice(&sharp)], Targets::Classes, &FREE).unwrap();
        let best = Targets::Classes.score(&vague).min(Targets::Classes.score(&sharp));
        assert!(found.score < best && found.members.len() == 2, "{found:?}");
        assert!((found.members.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn limits_hold() {
        let choices = [choice(&LOW), choice(&HIGH)];
        let with = |limits: Limits| select(&choices, Targets::Numbers(&NUMBERS), &limits);
        let cost = |predict_us, bytes| Limits { cost: ModelCost { predict_us, bytes }, ..FREE };
        assert_eq!(with(cost(4.0, 200.0)).unwrap().members.len(), 2);
        for limits in [cost(3.9, 200.0), cost(4.0, 199.0), Limits { max_members: 1, ..FREE }] {
            assert_eq!(with(limits).unwrap().members, [(1, 1.0)]);
        }
        assert_eq!(with(cost(1.0, 200.0)), None);
    }

    #[test]
    fn the_first_of_equal_models_is_selected() {
        let choices = [choice(&BAD), choice(&HIGH), choice(&HIGH)];
        assert_eq!(select(&choices, Targets::Numbers(&NUMBERS), &FREE).unwrap().members, [(1, 1.0)]);
    }
}
