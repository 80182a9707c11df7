//! Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): how much the loss on the held-out part grows if the
//! values of a feature are exchanged between the rows.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::measure::Buffers;
use super::out_of_fold::loss_name;
use crate::error::TrainError;
use crate::metrics::classes::{log_loss, share};
use crate::metrics::cross_validation::mean_and_std;
use crate::metrics::importances::normalise;
use crate::model::{Estimator, Feature, Task};
use crate::predict::Engine;
use crate::preprocess::Part;
use crate::progress::Progress;
use crate::rng::{Rng, Stream};

/// Maximum number of rows for the importances of models that define none. More rows cost time and hardly change the ranking.
const MAX_ROWS: usize = 500;
/// Number of permutations per feature for these importances.
const SHUFFLES: usize = 3;

/// Maximum number of rows, if the job asks for the importances.
const MAX_REPORTED_ROWS: usize = 10_000;
/// With many features fewer rows are used, so that there are about this many predictions, but not fewer rows than this.
const PREDICTIONS: usize = 5_000_000;
const MIN_REPORTED_ROWS: usize = 100;

/// The importances of a model that defines none: the increase of the log loss or of the mean squared error, normalized to a sum
/// of 1.
pub(super) fn importances(
    estimator: &Estimator,
    task: &Task,
    part: &Part,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Vec<f64>, TrainError> {
    let rows = part.rows.min(MAX_ROWS);
    let permuted = Permuted::new(estimator, task, part, (0..rows).collect());
    let worse = permuted.of_features(SHUFFLES, seed, progress, |losses, baseline| {
        losses.iter().map(|loss| loss - baseline).sum::<f64>().max(0.0)
    })?;
    let mut importances = worse;
    normalise(&mut importances);
    Ok(importances)
}

/// `{metric, rows, repeats, features: [{feature, mean, std}]}`: the increase of the log loss or of the RMSE over `repeats`
/// permutations, in descending order.
pub(super) fn report(
    (estimator, task, features): (&Estimator, &Task, &[Feature]),
    part: &Part,
    (repeats, seed): (usize, u64),
    progress: &Progress<'_>,
) -> Result<Value, TrainError> {
    let affordable = PREDICTIONS / (part.ranges.len() * repeats).max(1);
    let rows = affordable.clamp(MIN_REPORTED_ROWS, MAX_REPORTED_ROWS).min(part.rows);
    // Evenly spaced, because the table can be sorted.
    let permuted = Permuted::new(estimator, task, part, (0..rows).map(|at| at * part.rows / rows).collect());
    let metric = |loss: f64| if *task == Task::Regression { (loss / rows as f64).sqrt() } else { loss };
    let increases = permuted.of_features(repeats, seed, progress, |losses, baseline| {
        mean_and_std(&losses.iter().map(|loss| metric(*loss) - metric(baseline)).collect::<Vec<_>>())
    })?;
    let mut ranked: Vec<_> = features.iter().zip(increases).collect();
    ranked.sort_by(|(_, (a, _)), (_, (b, _))| b.unwrap_or(0.0).total_cmp(&a.unwrap_or(0.0)));
    let ranked: Vec<Value> = ranked
        .into_iter()
        .map(|(feature, (mean, std))| json!({"feature": feature.name, "mean": mean, "std": std}))
        .collect();
    Ok(json!({"metric": loss_name(task), "rows": rows, "repeats": repeats, "features": ranked}))
}

/// Rows whose values of one feature are those of other rows.
struct Permuted<'a> {
    engine: Engine,
    task: &'a Task,
    part: &'a Part,
    /// The rows of the part.
    rows: Vec<usize>,
    /// The class of each row, or its number.
    classes: Vec<usize>,
    numbers: Vec<f64>,
}

impl<'a> Permuted<'a> {
    fn new(estimator: &Estimator, task: &'a Task, part: &'a Part, rows: Vec<usize>) -> Self {
        let (classes, numbers) = part.targets.split();
        let classes = rows.iter().filter_map(|row| classes.get(*row).copied()).collect();
        let numbers = rows.iter().filter_map(|row| numbers.get(*row).copied()).collect();
        Self { engine: Engine::compile(estimator, part.raw.len()), task, part, rows, classes, numbers }
    }

    /// Computes a figure of each feature from its losses with shuffled values, and from the loss without.
    fn of_features<T>(
        &self,
        shuffles: usize,
        seed: u64,
        progress: &Progress<'_>,
        figure: impl Fn(&[f64], f64) -> T,
    ) -> Result<Vec<T>, TrainError> {
        let features = self.part.ranges.len();
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let baseline = self.loss(0, &order);
        let mut figures = Vec::with_capacity(features);
        for feature in 0..features {
            let mut rng = Rng::new(seed, Stream::Permutation(feature as u64));
            let mut losses = Vec::with_capacity(shuffles);
            for shuffle in 0..shuffles {
                progress.at((feature * shuffles + shuffle) as f64 / (features * shuffles) as f64)?;
                rng.shuffle(&mut order);
                losses.push(self.loss(feature, &order));
            }
            order.sort_unstable();
            figures.push(figure(&losses, baseline));
        }
        Ok(figures)
    }

    /// The log loss, or the sum of the squared errors, if each row has the value of the feature of the row `from`.
    fn loss(&self, feature: usize, from: &[usize]) -> f64 {
        let (part, width) = (self.part, self.part.raw.len());
        let answers: Vec<Vec<f64>> = (0..self.rows.len())
            .into_par_iter()
            .map_init(
                || Buffers::new(part, 1),
                |Buffers { raw, unseen, scratch }, at| {
                    part.row(self.rows[at], raw, unseen);
                    let other = self.rows[from[at]];
                    for column in part.ranges[feature].clone() {
                        raw[column] = part.raw[column][other];
                        unseen[column] = part.is_unseen(feature, other);
                    }
                    let mut outputs = vec![0.0; self.task.outputs()];
                    self.engine.predict(self.task, width, (&raw[..], &unseen[..]), scratch, &mut outputs);
                    outputs
                },
            )
            .collect();
        if *self.task == Task::Regression {
            return self.numbers.iter().zip(&answers).map(|(actual, answer)| (answer[0] - actual).powi(2)).sum::<f64>();
        }
        log_loss(&self.classes, |row, class| share(&answers[row], class))
    }
}
