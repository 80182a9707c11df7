//! The learning curve: the loss of models that were trained on a part of the training rows. If the loss on the held-out part
//! still falls at the end, more rows would help; if it is far above that on the training rows, a simpler model might.

use serde_json::{Value, json};

use super::encoded::ModelSpec;
use super::folds::Folds;
use super::measure;
use super::out_of_fold::loss_name;
use super::training_rows::{Predicted, Quiet, TrainingRows};
use crate::error::TrainError;
use crate::metrics::{Evaluation, scores};
use crate::model::{Estimator, Task};
use crate::preprocess::Part;
use crate::progress::Progress;

/// The shares of the training rows. The samples are nested and stratified, with all copies of a row.
const SHARES: [f64; 4] = [0.1, 0.25, 0.5, 0.75];
/// How long the models of the samples train together, compared with the model of all rows.
pub(super) const COST: f64 = 1.6;

/// The curve, by ascending number of rows.
#[derive(Debug, Default)]
pub(super) struct LearningCurve {
    rows: Vec<usize>,
    /// The loss on the rows that the model was trained on.
    training: Vec<Option<f64>>,
    /// The loss on the held-out part.
    held_out: Vec<Option<f64>>,
}

impl LearningCurve {
    /// Trains the models of the samples and measures them on the rows `held_out` of the frame. A sample on which no model can be
    /// trained is left out, with a note.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`]
    pub(super) fn of_samples(
        training: &TrainingRows<'_>,
        model: ModelSpec<'_>,
        (folds, held_out): (&Folds, &[usize]),
        progress: &Progress<'_>,
    ) -> Result<Self, TrainError> {
        let mut curve = Self::default();
        for (at, share) in SHARES.into_iter().enumerate() {
            let part = progress.part(at, SHARES.len());
            let quiet = Quiet(&part);
            let own = Progress::start(&quiet, "validating", 0.0, 1.0)?;
            let sample: Vec<usize> = folds.sample(share).collect();
            match training.fit_and_predict(model, &sample, held_out, &own) {
                Ok(Predicted { encoded, fitted, part, outputs }) => {
                    let own = measure::outputs(&fitted.estimator, training.task, &encoded.training, progress)?;
                    curve.push((&encoded.training, &own), (&part, &outputs), training.task, model.seed);
                }
                Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
                Err(TrainError::Failed { message, .. }) => {
                    progress.note(&format!("the learning curve has no point for {} rows: {message}", sample.len()));
                }
            }
        }
        Ok(curve)
    }

    /// Adds the model of all training rows.
    pub(super) fn add_final(
        &mut self,
        (estimator, task): (&Estimator, &Task),
        training: &Part,
        held_out: &Part,
        seed: u64,
        progress: &Progress<'_>,
    ) -> Result<(), TrainError> {
        let own = measure::outputs(estimator, task, training, progress)?;
        let outputs = measure::outputs(estimator, task, held_out, progress)?;
        self.push((training, &own), (held_out, &outputs), task, seed);
        Ok(())
    }

    fn push(&mut self, training: (&Part, &[f64]), held_out: (&Part, &[f64]), task: &Task, seed: u64) {
        let loss = |(part, outputs): (&Part, &[f64])| {
            let (classes, numbers) = part.targets.split();
            scores(&Evaluation { task, classes: &classes, numbers, outputs, seed })[loss_name(task)].as_f64()
        };
        self.rows.push(training.0.rows);
        self.training.push(loss(training));
        self.held_out.push(loss(held_out));
    }

    /// `{metric, rows, training, held_out}`
    pub(super) fn report(&self, task: &Task) -> Value {
        json!({"metric": loss_name(task), "rows": self.rows, "training": self.training, "held_out": self.held_out})
    }
}
