//! Predictions and permutation importances on the held-out part.

use rayon::prelude::*;

use super::Elapsed;
use crate::error::TrainError;
use crate::metrics::classes::log_loss;
use crate::metrics::importances::normalise;
use crate::model::{Estimator, Task};
use crate::predict::{Engine, Scratch};
use crate::preprocess::Part;
use crate::progress::Progress;
use crate::rng::{Rng, Stream};

/// Maximum number of rows for permutation importances. More rows cost time and hardly change the ranking.
const PERMUTATION_ROWS: usize = 500;
/// Number of rows that are predicted one by one for the time of a prediction.
const TIMED_ROWS: usize = 200;
/// Number of permutations per feature.
const SHUFFLES: usize = 3;

/// Number of rows that a thread predicts at once.
const CHUNK_ROWS: usize = 256;

/// Buffers that a thread reuses between rows.
struct Buffers {
    raw: Vec<f32>,
    unseen: Vec<bool>,
    scratch: Scratch,
}

impl Buffers {
    /// For `rows` rows of a part.
    fn new(part: &Part, rows: usize) -> Self {
        let size = part.raw.len() * rows;
        Self { raw: vec![0.0; size], unseen: vec![false; size], scratch: Scratch::default() }
    }
}

/// The output vectors of all rows.
pub(super) fn outputs(
    estimator: &Estimator,
    task: &Task,
    part: &Part,
    progress: &Progress<'_>,
) -> Result<Vec<f64>, TrainError> {
    progress.check()?;
    let (outputs_per_row, width) = (task.outputs(), part.raw.len());
    let mut outputs = vec![0.0; part.rows * outputs_per_row];
    let engine = Engine::compile(estimator, width);
    outputs.par_chunks_mut(CHUNK_ROWS * outputs_per_row).enumerate().for_each_init(
        || Buffers::new(part, CHUNK_ROWS),
        |Buffers { raw, unseen, scratch }, (chunk, outputs)| {
            let rows = outputs.len() / outputs_per_row;
            let (raw, unseen) = (&mut raw[..rows * width], &mut unseen[..rows * width]);
            let encoded = raw.chunks_exact_mut(width).zip(unseen.chunks_exact_mut(width));
            for (row, (raw, unseen)) in (chunk * CHUNK_ROWS..).zip(encoded) {
                part.row(row, raw, unseen);
            }
            engine.predict(task, width, (&*raw, &*unseen), scratch, outputs);
        },
    );
    Ok(outputs)
}

/// Microseconds of a prediction for one row, by the clock of the run.
pub(super) fn row_us(estimator: &Estimator, task: &Task, part: &Part, elapsed: Elapsed<'_>) -> f64 {
    let (engine, width) = (Engine::compile(estimator, part.raw.len()), part.raw.len());
    let Buffers { mut raw, mut unseen, mut scratch } = Buffers::new(part, 1);
    let mut outputs = vec![0.0; task.outputs()];
    let rows = part.rows.min(TIMED_ROWS);
    let mut predict_rows = || {
        for row in 0..rows {
            part.row(row, &mut raw, &mut unseen);
            engine.predict(task, width, (&raw[..], &unseen[..]), &mut scratch, &mut outputs);
        }
    };
    // The first predictions read the model into the caches.
    predict_rows();
    let start = elapsed();
    predict_rows();
    elapsed().saturating_sub(start).as_secs_f64() * 1e6 / rows as f64
}

/// Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): the increase of the log loss or of the mean
/// squared error, normalized to a sum of 1.
pub(super) fn permutation_importances(
    estimator: &Estimator,
    task: &Task,
    part: &Part,
    seed: u64,
    progress: &Progress<'_>,
) -> Result<Vec<f64>, TrainError> {
    let features = part.ranges.len();
    let rows = part.rows.min(PERMUTATION_ROWS);
    let (classes, numbers) = part.targets.split();
    let (engine, width) = (Engine::compile(estimator, part.raw.len()), part.raw.len());
    let loss = |feature: usize, from: &[usize]| {
        let answers: Vec<Vec<f64>> = (0..rows)
            .into_par_iter()
            .map_init(
                || Buffers::new(part, 1),
                |Buffers { raw, unseen, scratch }, row| {
                    part.row(row, raw, unseen);
                    for column in part.ranges[feature].clone() {
                        raw[column] = part.raw[column][from[row]];
                        unseen[column] = part.is_unseen(feature, from[row]);
                    }
                    let mut outputs = vec![0.0; task.outputs()];
                    engine.predict(task, width, (&raw[..], &unseen[..]), scratch, &mut outputs);
                    outputs
                },
            )
            .collect();
        if *task == Task::Regression {
            return numbers.iter().zip(&answers).map(|(actual, answer)| (answer[0] - actual).powi(2)).sum::<f64>();
        }
        log_loss(&classes[..rows], |row, class| match answers[row].as_slice() {
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
