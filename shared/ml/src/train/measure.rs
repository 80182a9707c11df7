//! Predictions and permutation importances on the held-out part.

use rayon::prelude::*;

use crate::error::TrainError;
use crate::metrics::classes::log_loss;
use crate::metrics::importances::normalise;
use crate::model::{Estimator, Task};
use crate::preprocess::{Part, TargetValues};
use crate::progress::Progress;
use crate::rng::{Rng, Stream};

/// Maximum number of rows for permutation importances. More rows cost time and hardly change the ranking.
const PERMUTATION_ROWS: usize = 500;
/// Number of permutations per feature.
const SHUFFLES: usize = 3;

/// The output vectors of all rows.
pub(super) fn outputs(
    estimator: &Estimator,
    task: &Task,
    part: &Part,
    progress: &Progress<'_>,
) -> Result<Vec<f64>, TrainError> {
    progress.check()?;
    let width = task.outputs();
    let mut outputs = vec![0.0; part.rows * width];
    outputs.par_chunks_mut(width).enumerate().for_each_init(
        || (vec![0.0; part.raw.len()], vec![false; part.raw.len()]),
        |(raw, unseen), (row, outputs)| {
            part.row(row, raw, unseen);
            estimator.predict(task, raw, unseen, outputs);
        },
    );
    Ok(outputs)
}

/// Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): the increase of the log loss, normalized to
/// a sum of 1. Classification only.
pub(super) fn permutation_importances(
    estimator: &Estimator,
    task: &Task,
    part: &Part,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Vec<f64>, TrainError> {
    let features = part.ranges.len();
    let TargetValues::Classes(classes, _) = &part.targets else { return Ok(vec![0.0; features]) };
    let rows = part.rows.min(PERMUTATION_ROWS);
    let actual: Vec<usize> = classes[..rows].iter().map(|class| *class as usize).collect();
    let loss = |feature: usize, from: &[usize]| {
        let answers: Vec<Vec<f64>> = (0..rows)
            .into_par_iter()
            .map(|row| {
                let (mut raw, mut unseen) = (vec![0.0; part.raw.len()], vec![false; part.raw.len()]);
                part.row(row, &mut raw, &mut unseen);
                for column in part.ranges[feature].clone() {
                    raw[column] = part.raw[column][from[row]];
                    unseen[column] = part.is_unseen(feature, from[row]);
                }
                let mut outputs = vec![0.0; task.outputs()];
                estimator.predict(task, &raw, &unseen, &mut outputs);
                outputs
            })
            .collect();
        log_loss(&actual, |row, class| match answers[row].as_slice() {
            [positive] if class == 1 => *positive,
            [positive] => 1.0 - positive,
            shares => shares[class],
        })
    };
    let mut order: Vec<usize> = (0..rows).collect();
    let baseline = loss(0, &order);
    let mut importances = Vec::with_capacity(features);
    for feature in 0..features {
        progress.at(feature as f64 / features as f64)?;
        let mut rng = Rng::new(seed, Stream::Permutation(feature as u64));
        let mut worse = 0.0;
        for _ in 0..SHUFFLES {
            rng.shuffle(&mut order);
            worse += loss(feature, &order) - baseline;
        }
        order.sort_unstable();
        importances.push(worse.max(0.0));
    }
    normalise(&mut importances);
    Ok(importances)
}
