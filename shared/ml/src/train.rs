//! Training: from a CSV and a job specification to a model file.
//!
//! Read, split, fit the preprocessing and the model on the training part, measure the metrics on the held-out part,
//! save. The measured model is saved; it is not retrained on all rows. Training works in memory and in the current
//! rayon pool, and reports only to the [`Observer`].

mod boosting;
mod copies;
mod engine;
mod leaks;
mod measure;
mod memory;
mod self_test;
mod warnings;

use std::io::Read;

use serde_json::{Value, json};
use trainyard_domain::params::Params;
use trainyard_domain::table::TableSchema;
use trainyard_domain::{FailureCode, Training};

use crate::artifact::ArtifactError;
pub use crate::error::TrainError;
use crate::forest::RowGroups;
use crate::frame::{Frame, Target, TargetOptions};
use crate::metrics::{Evaluation, importances, report};
use crate::model::{Manifest, Model, Signature, Task};
use crate::predict::Predictor;
use crate::preprocess::{self, Part};
pub use crate::progress::Observer;
use crate::progress::Progress;
use crate::{artifact, split};

/// A training request.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRequest {
    /// What is trained: the work of the job.
    pub spec: Training,
    /// How the CSV is read.
    pub schema: TableSchema,
    /// SHA-256 (hex) of the CSV, stored in the model.
    pub dataset_sha256: String,
    /// The memory limit of the process in bytes, if any.
    pub memory_limit: Option<u64>,
}

/// The result of a training run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model file.
    pub artifact: Vec<u8>,
    /// The metrics on the held-out part.
    pub metrics: Value,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// Trains a model on a CSV.
///
/// # Errors
/// [`TrainError::Failed`] if the data or the parameters are unsuitable, [`TrainError::Cancelled`] if the observer
/// cancelled the run.
pub fn train(csv: impl Read, request: &TrainRequest, observer: &dyn Observer) -> Result<Trained, TrainError> {
    let (model, warnings) = fit(csv, request, observer)?;
    let artifact = artifact::encode(&model);
    // A file that can't be loaded or fails its self-test must fail the job.
    Predictor::load(&artifact).map_err(|error| match error {
        ArtifactError::TooLarge { .. } => TrainError::bad_params(format!("{error}; use fewer or shallower trees")),
        error => TrainError::Failed { code: FailureCode::Internal, message: error.to_string() },
    })?;
    observer.progress("saving", 1.0);
    Ok(Trained { artifact, metrics: model.manifest.metrics, warnings })
}

/// Trains and measures the model, without encoding it.
fn fit(csv: impl Read, request: &TrainRequest, observer: &dyn Observer) -> Result<(Model, Vec<String>), TrainError> {
    let spec = &request.spec;
    let params = Params::parse(spec.algorithm, &spec.params).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
        TrainError::bad_params(errors.join("; "))
    })?;

    let progress = Progress::start(observer, "reading", 0.0, 0.05)?;
    let options =
        TargetOptions { name: &spec.target, task: engine::task(spec), positive: spec.learning.positive_class.as_ref() };
    let schema = request.schema.clone().with_types(&spec.learning.column_types);
    let mut frame = Frame::read(csv, &schema, &spec.features, &options)?;
    engine::check_suitability(spec.algorithm, &params, &frame)?;
    observer.note(&format!(
        "read {} rows of {} feature columns and '{}'",
        frame.rows,
        spec.features.len(),
        spec.target
    ));

    let progress = progress.next("preparing", 0.1)?;
    let mut warnings = Warnings { observer, all: Vec::new() };
    warnings.extend(spec.warnings.iter().cloned());
    warnings.extend(std::mem::take(&mut frame.warnings));
    let (task, split, copies) = split_rows(&frame, params.float("test_size").unwrap_or(0.2), spec.seed, &mut warnings);
    check_parts(&frame, &split)?;
    observer.note(&format!("training on {} rows, measuring on {}", split.train.len(), split.test.len()));
    let (leaks, mut dropped) = leaks::resolve(&mut frame, &split.train, spec.learning.on_leak)?;
    let fitted = preprocess::fit(&mut frame, &split.train, &copies, engine::family(spec.algorithm), spec.seed)?;
    let (features, missing) = (fitted.features, frame.missing.clone());
    let groups = RowGroups { folds: fitted.folds, copies };
    let copies: Option<Vec<u64>> =
        (!groups.copies.is_empty()).then(|| groups.copies.iter().map(|group| u64::from(*group)).collect());
    let validation = boosting::validation(spec, &params, &frame, &split.train, copies.as_deref());
    dropped.extend(fitted.dropped);
    let shape = memory::Shape::new(frame.rows, &features, task.outputs());
    if let Some(note) = memory::check(&shape, spec.algorithm, &params, request.memory_limit)? {
        observer.note(&note);
    }
    let training = Part::new(&frame, &features, &split.train)?;
    let held_out = Part::new(&frame, &features, &split.test)?;
    let is_leak = |name: &str| leaks.iter().any(|leak| leak.starts_with(&format!("'{name}' ")));
    warnings.extend(warnings::find(&frame, &split, &training, spec, &is_leak));
    warnings.extend(leaks.clone());
    warnings.extend(fitted.warnings);
    let self_test_rows = self_test::choose(&frame, &split.test);
    let categories = preprocess::CategoryCodes::new(&frame, &features, &split.train, copies, spec.seed);
    drop(frame);
    let signature = Signature { features, target: spec.target.clone(), task, dropped, missing };

    let progress = progress.next("training", 0.9)?;
    let fit_request = engine::FitRequest {
        algorithm: spec.algorithm,
        params: &params,
        seed: spec.seed,
        groups: &groups,
        validation: &validation,
        ordered: &|validation| categories.ordered_columns(validation),
    };
    let fitted = engine::fit(&fit_request, &signature, &training, &progress)?;
    warnings.extend(fitted.warning);
    let warnings = warnings.all;

    let progress = progress.next("measuring", 0.97)?;
    let outputs = measure::outputs(&fitted.estimator, &signature.task, &held_out, &progress)?;
    let importances = match fitted.importances {
        Some(columns) => importances::per_feature(&columns, &signature.ranges()),
        None => measure::permutation_importances(&fitted.estimator, &signature.task, &held_out, spec.seed, &progress)?,
    };
    let (classes, numbers) = held_out.targets.split();
    let mut metrics =
        report(&Evaluation { task: &signature.task, classes: &classes, numbers, outputs: &outputs, seed: spec.seed });
    metrics.insert("feature_importances".into(), importances::ranked(&signature.features, &importances));
    metrics.insert("rows".into(), json!({"train": training.rows, "test": held_out.rows}));
    if let Some(score) = fitted.out_of_bag_score {
        let name = if signature.task == Task::Regression { "oob_r2" } else { "oob_accuracy" };
        metrics.insert(name.into(), json!(score));
    }
    if let Some(n_rounds) = fitted.n_rounds {
        metrics.insert("n_rounds".into(), json!(n_rounds));
    }
    metrics.insert("warnings".into(), json!(warnings));

    progress.next("saving", 0.99)?;
    let self_test = self_test::answer(self_test_rows, &signature, &fitted.estimator);
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
    Ok((Model { manifest, estimator: fitted.estimator }, warnings))
}

/// The warnings of a run. Each is reported at once.
struct Warnings<'a> {
    observer: &'a dyn Observer,
    all: Vec<String>,
}

impl Warnings<'_> {
    fn extend(&mut self, warnings: impl IntoIterator<Item = String>) {
        for warning in warnings {
            self.observer.warn(&warning);
            self.all.push(warning);
        }
    }
}

/// The task, the split into training part and held-out part, and the groups of copies in the training part.
fn split_rows(frame: &Frame, test_size: f64, seed: u64, warnings: &mut Warnings<'_>) -> (Task, split::Split, Vec<u32>) {
    let copies = copies::find(frame);
    if let Some(copies) = &copies {
        warnings.extend([format!(
            "{} of {} rows repeat an earlier row; copies of a row stay together in the training part or the held-out part",
            copies.repeated, frame.rows
        )]);
    }
    let keys = copies.map(|_| frame.row_hashes.as_slice());
    let (task, split) = match &frame.target {
        Target::Classes { task, classes } => {
            (task.clone(), split::stratified(classes, task.labels().len(), keys, test_size, seed))
        }
        Target::Numbers(_) => (Task::Regression, split::plain(frame.rows, keys, test_size, seed)),
    };
    let copies = keys.map_or_else(Vec::new, |hashes| copies::groups(hashes, &split.train));
    (task, split, copies)
}

/// Both parts need rows, and the training part needs more than one distinct target.
fn check_parts(frame: &Frame, split: &split::Split) -> Result<(), TrainError> {
    if split.test.is_empty() || split.train.is_empty() {
        return Err(TrainError::bad_data(format!(
            "{} rows are too few for a training part and a held-out part",
            frame.rows
        )));
    }
    let one_target = match &frame.target {
        Target::Classes { classes, .. } => all_equal(split.train.iter().map(|row| classes[*row])),
        Target::Numbers(numbers) => all_equal(split.train.iter().map(|row| numbers[*row])),
    };
    if one_target {
        return Err(TrainError::bad_data("all training rows have the same target; choose another target"));
    }
    Ok(())
}

fn all_equal<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

#[cfg(test)]
pub(crate) mod tests;
