//! Cross-validation: the folds of the training part are left out one after the other, and the rows of each are predicted by a
//! model of the others. The models train one after the other, so that memory for one is enough.

use serde_json::{Map, Value, json};

use super::encoded::ModelSpec;
use super::folds::{FoldRows, Folds};
use super::training_rows::{Predicted, Quiet, TrainingRows};
use crate::error::TrainError;
use crate::frame::Target;
use crate::metrics::{Evaluation, cross_validation, scores};
use crate::model::Task;
use crate::preprocess::TargetValues;
use crate::progress::Progress;

/// The predictions of one fold, by the model of the other folds.
#[derive(Debug)]
pub(super) struct FoldOutputs {
    /// The actual targets.
    pub(super) targets: TargetValues,
    /// The output vectors of all rows.
    pub(super) outputs: Vec<f64>,
}

/// The out-of-fold predictions of the training part, fold by fold.
pub(super) type OutOfFold = Vec<FoldOutputs>;

/// The folds of the training part: stratified by class, with the copies of a row in one fold.
pub(super) fn divide(training: &TrainingRows<'_>, count: usize, seed: u64) -> Folds {
    let rows = training.rows;
    let classes: Option<Vec<u32>> = match &training.frame.target {
        Target::Classes { classes, .. } => Some(rows.iter().map(|row| classes[*row]).collect()),
        Target::Numbers(_) => None,
    };
    let classes = classes.as_ref().map(|classes| (&classes[..], training.task.labels().len()));
    Folds::new(rows.len(), classes, training.copies, (count, count), seed)
}

/// Trains a model without each fold, and predicts its rows. Reports a metric per fold.
///
/// # Errors
/// [`TrainError::Cancelled`], `bad_params` if a fold has no rows, or why the model of a fold can't be trained.
pub(super) fn predict(
    training: &TrainingRows<'_>,
    model: ModelSpec<'_>,
    (folds, count): (&Folds, usize),
    progress: &Progress<'_>,
) -> Result<OutOfFold, TrainError> {
    if (0..count).any(|fold| folds.rows(fold, 1.0).validation.is_empty()) {
        return Err(TrainError::bad_params(format!(
            "the training part has too few different rows for {count} folds; use fewer folds (cv)"
        )));
    }
    let mut predicted = Vec::with_capacity(count);
    for fold in 0..count {
        let part = progress.part(fold, count);
        let quiet = Quiet(&part);
        let own = Progress::start(&quiet, "validating", 0.0, 1.0)?;
        let FoldRows { training: positions, validation } = folds.rows(fold, 1.0);
        let rows = training.in_frame(&validation);
        let Predicted { part, outputs, .. } = training.fit_and_predict(model, &positions, &rows, &own)?;
        let found = FoldOutputs { targets: part.targets, outputs };
        let name = loss_name(training.task);
        if let Some(loss) = found.scores(training.task, model.seed)[name].as_f64() {
            progress.metric(&format!("cv_{name}"), loss, fold as u64 + 1);
        }
        predicted.push(found);
    }
    Ok(predicted)
}

impl FoldOutputs {
    /// The metrics of the fold that are one number.
    pub(super) fn scores(&self, task: &Task, seed: u64) -> Map<String, Value> {
        let (classes, numbers) = self.targets.split();
        scores(&Evaluation { task, classes: &classes, numbers, outputs: &self.outputs, seed })
    }
}

/// The metric that training minimizes.
pub(super) fn loss_name(task: &Task) -> &'static str {
    if *task == Task::Regression { "rmse" } else { "log_loss" }
}

/// `{folds, rows, metrics}` of a cross-validation, from the metrics of each fold.
pub(super) fn report(folds: &[Map<String, Value>], rows: usize) -> Value {
    json!({"folds": folds.len(), "rows": rows, "metrics": cross_validation::summary(folds)})
}
