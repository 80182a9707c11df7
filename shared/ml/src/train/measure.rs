//! Predictions of the rows of a part.

use rayon::prelude::*;

use super::Elapsed;
use crate::error::TrainError;
use crate::model::{Estimator, Task};
use crate::predict::{Engine, Scratch};
use crate::preprocess::Part;
use crate::progress::Progress;

/// Number of rows that are predicted one by one for the time of a prediction.
const TIMED_ROWS: usize = 200;

/// Number of rows that a thread predicts at once.
const CHUNK_ROWS: usize = 256;

/// Buffers that a thread reuses between rows.
pub(super) struct Buffers {
    pub(super) raw: Vec<f32>,
    pub(super) unseen: Vec<bool>,
    pub(super) scratch: Scratch,
}

impl Buffers {
    /// For `rows` rows of a part.
    pub(super) fn new(part: &Part, rows: usize) -> Self {
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
