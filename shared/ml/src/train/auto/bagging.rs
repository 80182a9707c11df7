//! Bagged ensemble selection: the greedy selection is repeated on bootstrap samples of the validated rows, and the weights are
//! averaged (Breiman, "Bagging Predictors", Machine Learning 1996; Caruana et al. 2004 bag the models). One selection on few
//! rows fits their noise: it often gives all the weight to one model or two.

use rayon::prelude::*;

use super::select::{Choice, Limits, Selection, Targets, greedy};
use crate::rng::{Rng, Stream};

/// Number of bootstrap samples.
const BAGS: u64 = 20;
/// Number of steps of the selection on a sample.
const STEPS: usize = 20;
/// Number of steps of a selection on all rows, and thereby the smallest weight.
const STEPS_WITH_ALL_ROWS: usize = 40;
/// Models with a smaller weight are left out: they cost time and change little.
const MIN_WEIGHT: f64 = 0.02;
/// With more rows one selection has hardly any noise, and twenty of them take long.
const MAX_ROWS: usize = 20_000;

/// Selects models: several, or the best one if it alone has a better score. `None` if no choice is within the limits.
pub(super) fn select_bagged(
    choices: &[Choice<'_>],
    targets: Targets<'_>,
    limits: &Limits,
    seed: u64,
) -> Option<Selection> {
    let rows = choices.first()?.predictions.len();
    if !limits.combine || choices.len() == 1 || rows > MAX_ROWS {
        return greedy(choices, targets, limits, if limits.combine { STEPS_WITH_ALL_ROWS } else { 1 });
    }
    let bag = |bag: u64| {
        let mut rng = Rng::new(seed, Stream::Bag(bag));
        let sample: Vec<usize> = (0..rows).map(|_| rng.below(rows as u32) as usize).collect();
        let of_sample = |values: &[f64]| sample.iter().map(|row| values[*row]).collect::<Vec<f64>>();
        let predictions: Vec<Vec<f64>> = choices.iter().map(|choice| of_sample(choice.predictions)).collect();
        let choices: Vec<Choice<'_>> = predictions
            .iter()
            .zip(choices)
            .map(|(predictions, Choice { cost, .. })| Choice { predictions, cost: *cost })
            .collect();
        match targets {
            Targets::Classes => greedy(&choices, Targets::Classes, limits, STEPS),
            Targets::Numbers(numbers) => greedy(&choices, Targets::Numbers(&of_sample(numbers)), limits, STEPS),
        }
    };
    // In the order of the samples, so that the sums do not depend on the threads.
    let selections: Vec<Option<Selection>> = (0..BAGS).into_par_iter().map(bag).collect();
    let mut weights = vec![0.0; choices.len()];
    for (at, weight) in selections.into_iter().flatten().flat_map(|selection| selection.members) {
        weights[at] += weight / BAGS as f64;
    }
    let alone = greedy(choices, targets, limits, 1)?;
    // The validation score is never worse than that of the best model alone.
    Some(limited(choices, targets, limits, &weights).filter(|bagged| bagged.score <= alone.score).unwrap_or(alone))
}

/// The models with the largest weights, within the limits.
fn limited(choices: &[Choice<'_>], targets: Targets<'_>, limits: &Limits, weights: &[f64]) -> Option<Selection> {
    let mut order: Vec<usize> = (0..choices.len()).filter(|at| weights[*at] >= MIN_WEIGHT).collect();
    // Stable, so that the first of equal models is selected.
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    let mut counts = vec![0; choices.len()];
    for at in order {
        counts[at] = usize::from(limits.allow_more(&counts, choices, at));
    }
    let chosen: Vec<usize> = (0..choices.len()).filter(|at| counts[*at] > 0).collect();
    let sum: f64 = chosen.iter().map(|at| weights[*at]).sum();
    let members: Vec<(usize, f64)> = chosen.into_iter().map(|at| (at, weights[at] / sum)).collect();
    let mut mean = vec![0.0; choices.first()?.predictions.len()];
    for (at, weight) in &members {
        mean.iter_mut().zip(choices[*at].predictions).for_each(|(mean, prediction)| *mean += weight * prediction);
    }
    (!members.is_empty()).then(|| Selection { members, score: targets.score(&mean) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::Stream as Numbers;
    use crate::train::auto::cost::ModelCost;

    const COST: ModelCost = ModelCost { predict_us: 2.0, bytes: 100.0 };

    fn limits(max_members: usize) -> Limits {
        Limits { max_members, combine: true, cost: ModelCost { predict_us: f64::INFINITY, bytes: f64::INFINITY } }
    }

    /// Models with equally large independent errors.
    fn predictions(numbers: &[f64], models: usize) -> Vec<Vec<f64>> {
        let mut random = Numbers(5);
        let model = |_| numbers.iter().map(|number| number + random.unit() - 0.5).collect();
        (0..models).map(model).collect()
    }

    #[test]
    fn equally_good_models_share_the_weight_within_the_limit() {
        let numbers: Vec<f64> = (0..60).map(f64::from).collect();
        let predictions = predictions(&numbers, 10);
        let choices: Vec<Choice<'_>> =
            predictions.iter().map(|predictions| Choice { predictions, cost: COST }).collect();
        let select = |max, seed| select_bagged(&choices, Targets::Numbers(&numbers), &limits(max), seed).unwrap();
        let once = greedy(&choices, Targets::Numbers(&numbers), &limits(8), 40).unwrap();
        let bagged = select(8, 1);
        let largest =
            |selection: &Selection| selection.members.iter().fold(0.0_f64, |max, (_, weight)| max.max(*weight));
        assert!(largest(&bagged) < largest(&once), "{bagged:?}, {once:?}");
        assert!((bagged.members.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(bagged.members.len() <= 8 && bagged.members.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(bagged, select(8, 1));
        assert_eq!(select(1, 1).members.len(), 1);
    }

    #[test]
    fn one_model_is_selected_as_it_is() {
        let numbers = [1.0, 2.0, 4.0];
        let choice = [Choice { predictions: &numbers, cost: COST }];
        let found = select_bagged(&choice, Targets::Numbers(&numbers), &limits(8), 1).unwrap();
        assert_eq!((found.members, found.score), (vec![(0, 1.0)], 0.0));
    }
}
