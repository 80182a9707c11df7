//! Training: from a CSV and an order to a model file.
//!
//! Read, split, fit the preprocessing on the training part alone, fit the model, measure it on the held-out part, save.
//! The model that was measured is the one that is saved: it is not fitted again on all rows. Works in memory and in
//! rayon's current pool; talks to the outside through the [`Observer`] alone.

mod engine;
mod measure;
mod memory;
mod progress;
mod self_test;
mod warnings;

use std::io::Read;

use serde_json::{Value, json};
use trainyard_domain::params::Params;
use trainyard_domain::{FailureCode, JobSpec};

use crate::artifact::ArtifactError;
use crate::frame::{Frame, Target};
use crate::metrics::{Measured, importances, report};
use crate::model::{Manifest, Model, Signature, Task};
use crate::predict::Predictor;
use crate::preprocess::{self, Part};
use crate::{artifact, split};
pub use memory::estimate_bytes;
pub(crate) use progress::Progress;

/// What to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRequest {
    /// The job's order.
    pub spec: JobSpec,
    /// SHA-256 (hex) of the CSV, saved with the model.
    pub dataset_sha256: String,
}

/// Follows a training run and may stop it. Called from the threads that work, one call at a time.
pub trait Observer: Sync {
    /// How far the run is: its phase (`reading`, `preparing`, `training`, `measuring`, `saving`) and the share of the
    /// whole, from 0 to 1, that never falls.
    fn progress(&self, phase: &str, fraction: f64);

    /// Something a person should know about the data or the model.
    fn warn(&self, message: &str) {
        let _ = message;
    }

    /// What goes on, for people who watch: what was read, how it was split.
    fn note(&self, message: &str) {
        let _ = message;
    }

    /// A figure measured on the way: its name as in the metrics, and after how many steps (trees) it was.
    fn metric(&self, name: &str, value: f64, step: u64) {
        let _ = (name, value, step);
    }

    /// Whether to stop; asked often.
    fn cancelled(&self) -> bool;
}

/// A finished model.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model file.
    pub artifact: Vec<u8>,
    /// What was measured on the held-out part.
    pub metrics: Value,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// The data or the parameters do not allow it.
    #[error("{message}")]
    Failed {
        /// `bad_data`, `bad_params`, or `internal` for a model that can't be loaded again: a defect of ours.
        code: FailureCode,
        /// The reason, for people.
        message: String,
    },
    /// The observer asked for a stop.
    #[error("training was cancelled")]
    Cancelled,
}

impl TrainError {
    /// The data can't be trained on as asked.
    pub(crate) fn bad_data(message: impl Into<String>) -> Self {
        Self::Failed { code: FailureCode::BadData, message: message.into() }
    }

    /// The parameters can't work on this data.
    pub(crate) fn bad_params(message: impl Into<String>) -> Self {
        Self::Failed { code: FailureCode::BadParams, message: message.into() }
    }
}

/// Trains a model on a CSV.
///
/// # Errors
/// [`TrainError::Failed`] when the data or the parameters do not allow it, [`TrainError::Cancelled`] when the observer
/// asked for a stop.
pub fn train(csv: impl Read, request: &TrainRequest, observer: &dyn Observer) -> Result<Trained, TrainError> {
    let (model, warnings) = fit(csv, request, observer)?;
    let artifact = artifact::encode(&model);
    // A file that can't be loaded, or answers differently, must fail here and not in front of clients.
    Predictor::load(&artifact).map_err(|error| match error {
        ArtifactError::TooLarge { .. } => {
            TrainError::bad_params(format!("{error}; fewer or shallower trees make it smaller"))
        }
        error => TrainError::Failed { code: FailureCode::Internal, message: error.to_string() },
    })?;
    observer.progress("saving", 1.0);
    Ok(Trained { artifact, metrics: model.manifest.metrics, warnings })
}

/// Everything but the encoding.
fn fit(csv: impl Read, request: &TrainRequest, observer: &dyn Observer) -> Result<(Model, Vec<String>), TrainError> {
    let spec = &request.spec;
    let params = Params::parse(spec.algorithm, &spec.params).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
        TrainError::bad_params(errors.join("; "))
    })?;

    let progress = Progress::start(observer, "reading", 0.0, 0.05)?;
    let frame = Frame::read(csv, &spec.features, &spec.target)?;
    engine::check_size(spec.algorithm, &frame)?;
    observer.note(&format!(
        "read {} rows of {} feature columns and '{}'",
        frame.rows,
        spec.features.len(),
        spec.target
    ));

    let progress = progress.next("preparing", 0.1)?;
    let test_size = params.float("test_size").unwrap_or(0.2);
    let (task, split) = match &frame.target {
        Target::Classes { task, classes } => {
            (task.clone(), split::stratified(classes, task.labels().len(), test_size, spec.seed))
        }
        Target::Numbers(_) => (Task::Regression, split::plain(frame.rows, test_size, spec.seed)),
    };
    check_parts(&frame, &split)?;
    observer.note(&format!("training on {} rows, measuring on {}", split.train.len(), split.test.len()));
    let features = preprocess::features(&frame, &spec.features, &split.train)?;
    let training = Part::new(&frame, &features, &split.train)?;
    let held_out = Part::new(&frame, &features, &split.test)?;
    let warnings = warnings::find(&frame, &split, &features, &training, spec, observer);
    let self_test_rows = self_test::choose(&frame, &features, &split.test);
    drop(frame);
    let signature = Signature { features, target: spec.target.clone(), task };

    let progress = progress.next("training", 0.9)?;
    let order = engine::Order { algorithm: spec.algorithm, params: &params, seed: spec.seed };
    let fitted = engine::fit(&order, &signature, &training, &progress)?;

    let progress = progress.next("measuring", 0.97)?;
    let outputs = measure::outputs(&fitted.body, &signature.task, &held_out, &progress)?;
    let importances = match fitted.importances {
        Some(importances) => importances,
        None => measure::permutation_importances(&fitted.body, &signature.task, &held_out, spec.seed, &progress)?,
    };
    let (classes, numbers) = held_out.truth.parts();
    let mut metrics = report(&Measured { task: &signature.task, classes: &classes, numbers, outputs: &outputs });
    metrics.insert("feature_importances".into(), importances::ranked(&spec.features, &importances));
    metrics.insert("rows".into(), json!({"train": training.rows, "test": held_out.rows}));
    if let Some(score) = fitted.out_of_bag_score {
        let name = if signature.task == Task::Regression { "oob_r2" } else { "oob_accuracy" };
        metrics.insert(name.into(), json!(score));
    }
    metrics.insert("warnings".into(), json!(warnings));

    progress.next("saving", 0.99)?;
    let self_test = self_test::answer(self_test_rows, &signature, &fitted.body);
    let manifest = Manifest {
        signature,
        algorithm: spec.algorithm,
        params: params.as_map().clone(),
        seed: spec.seed,
        dataset_sha256: request.dataset_sha256.clone(),
        library_version: env!("CARGO_PKG_VERSION").to_owned(),
        metrics: Value::Object(metrics),
        rows: training.rows as u64,
        self_test,
    };
    Ok((Model { manifest, body: fitted.body }, warnings))
}

/// Both parts need rows, and the training part more than one answer.
fn check_parts(frame: &Frame, split: &split::Split) -> Result<(), TrainError> {
    if split.test.is_empty() || split.train.is_empty() {
        return Err(TrainError::bad_data(format!(
            "{} usable rows are too few to train on some and measure on others",
            frame.rows
        )));
    }
    let one_answer = match &frame.target {
        Target::Classes { classes, .. } => same(split.train.iter().map(|row| classes[*row])),
        Target::Numbers(numbers) => same(split.train.iter().map(|row| numbers[*row])),
    };
    if one_answer {
        return Err(TrainError::bad_data("all training rows have the same target, so there is nothing to learn"));
    }
    Ok(())
}

fn same<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

#[cfg(test)]
mod tests;
