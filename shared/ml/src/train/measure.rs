//! Predictions and permutation importances on the held-out part.

use rayon::prelude::*;

use crate::error::TrainError;
use crate::metrics::classes::log_loss;
use crate::metrics::importances::normalise;
use crate::model::{Estimator, Task};
use crate::predict::{CompiledSvm, SvmScratch};
use crate::preprocess::Part;
use crate::progress::Progress;
use crate::rng::{Rng, Stream};

/// Maximum number of rows for permutation importances. More rows cost time and hardly change the ranking.
const PERMUTATION_ROWS: usize = 500;
/// Number of permutations per feature.
const SHUFFLES: usize = 3;

/// Predicts rows; a support vector machine is compiled for it.
enum RowPredictor<'a> {
    Estimator(&'a Estimator),
    Svm(CompiledSvm),
}

/// Buffers that a thread reuses between rows.
struct Buffers {
    raw: Vec<f32>,
    unseen: Vec<bool>,
    svm: SvmScratch,
}

impl Buffers {
    fn new(part: &Part) -> Self {
        let width = part.raw.len();
        Self { raw: vec![0.0; width], unseen: vec![false; width], svm: SvmScratch::default() }
    }
}

impl<'a> RowPredictor<'a> {
    fn new(estimator: &'a Estimator) -> Self {
        match estimator {
            Estimator::Svm(svm) => Self::Svm(CompiledSvm::new(svm)),
            other => Self::Estimator(other),
        }
    }

    fn predict(&self, task: &Task, buffers: &mut Buffers, outputs: &mut [f64]) {
        let Buffers { raw, unseen, svm: scratch } = buffers;
        match self {
            Self::Estimator(estimator) => estimator.predict(task, raw, unseen, outputs),
            Self::Svm(svm) => svm.predict(task, raw, unseen, scratch, outputs),
        }
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
    let width = task.outputs();
    let mut outputs = vec![0.0; part.rows * width];
    let predictor = RowPredictor::new(estimator);
    outputs.par_chunks_mut(width).enumerate().for_each_init(
        || Buffers::new(part),
        |buffers, (row, outputs)| {
            part.row(row, &mut buffers.raw, &mut buffers.unseen);
            predictor.predict(task, buffers, outputs);
        },
    );
    Ok(outputs)
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
    let predictor = RowPredictor::new(estimator);
    let loss = |feature: usize, from: &[usize]| {
        let answers: Vec<Vec<f64>> = (0..rows)
            .into_par_iter()
            .map_init(
                || Buffers::new(part),
                |buffers, row| {
                    part.row(row, &mut buffers.raw, &mut buffers.unseen);
                    for column in part.ranges[feature].clone() {
                        buffers.raw[column] = part.raw[column][from[row]];
                        buffers.unseen[column] = part.is_unseen(feature, from[row]);
                    }
                    let mut outputs = vec![0.0; task.outputs()];
                    predictor.predict(task, buffers, &mut outputs);
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
