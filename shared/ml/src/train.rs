//! Training: from a CSV and a job specification to a model file.
//!
//! Read, split, fit the preprocessing and the model on the training part, measure the metrics on the held-out part,
//! save. The measured model is saved; it is not retrained on all rows. [`single`] trains the model of an algorithm, [`auto`]
//! searches over several algorithms. Training works in memory and in the current rayon pool, and reports only to the
//! [`Observer`].

mod auto;
mod boosting;
mod copies;
mod decisions;
mod encoded;
mod engine;
mod folds;
mod leaks;
mod learning_curve;
mod measure;
mod memory;
mod out_of_fold;
mod permutation;
mod self_test;
mod single;
mod training_rows;
mod warnings;

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use trainyard_domain::algorithm::PERMUTATION_REPEATS;
use trainyard_domain::params::Params;
use trainyard_domain::table::TableSchema;
use trainyard_domain::{Algorithm, FailureCode, Training};

use crate::artifact::ArtifactError;
use crate::checkpoint::Checkpoints;
pub use crate::error::TrainError;
use crate::frame::{Frame, Target, TargetOptions};
use crate::metrics::{Evaluation, importances, report};
use crate::model::{Distribution, Distributions, Estimator, Manifest, Model, Signature, Task};
use crate::predict::Predictor;
use crate::preprocess::{Part, distribution};
pub use crate::progress::Observer;
use crate::progress::Progress;
use crate::{artifact, split};
use auto::SearchReport;
use decisions::Decisions;

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
    /// The size limit of the model file in bytes, if any; an ensemble stays below it.
    pub artifact_limit: Option<u64>,
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

/// The total progress when the data is ready for training, and when the model is trained.
const PREPARED: f64 = 0.1;
const TRAINED: f64 = 0.9;

/// The time since the start of a run.
pub type Elapsed<'a> = &'a (dyn Fn() -> Duration + Sync);

/// Trains a model on a CSV.
///
/// # Errors
/// [`TrainError::Failed`] if the data or the parameters are unsuitable, [`TrainError::Cancelled`] if the observer
/// cancelled the run.
pub fn train(csv: impl Read, request: &TrainRequest, observer: &dyn Observer) -> Result<Trained, TrainError> {
    let start = Instant::now();
    train_timed(csv, request, observer, &|| start.elapsed())
}

/// As [`train`], with a clock, which only the time budget of [`Algorithm::Auto`] needs.
///
/// # Errors
/// See [`train`].
pub fn train_timed(
    csv: impl Read,
    request: &TrainRequest,
    observer: &dyn Observer,
    elapsed: Elapsed<'_>,
) -> Result<Trained, TrainError> {
    let Measured { model, warnings, search } = fit(csv, request, observer, elapsed)?;
    let artifact = artifact::encode(&model);
    // A file that can't be loaded or fails its self-test must fail the job.
    Predictor::load(&artifact).map_err(|error| match error {
        ArtifactError::TooLarge { .. } => TrainError::bad_params(format!("{error}; use fewer or shallower trees")),
        error => TrainError::Failed { code: FailureCode::Internal, message: error.to_string() },
    })?;
    observer.progress("saving", 1.0);
    let mut metrics = model.manifest.metrics;
    // The seconds of a search differ from run to run, so they are not in the model file.
    if let (Some(metrics), Some(search)) = (metrics.as_object_mut(), search) {
        metrics.extend(search.metrics(elapsed()));
    }
    Ok(Trained { artifact, metrics, warnings })
}

/// A measured model.
struct Measured {
    model: Model,
    warnings: Vec<String>,
    search: Option<SearchReport>,
}

/// What a run is trained by.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
    request: &'a TrainRequest,
    params: &'a Params,
}

/// The rows of a run, split and without dropped leaks.
struct Table {
    frame: Frame,
    task: Task,
    split: split::Split,
    /// The group of each row of the training part; see [`crate::preprocess::fit`].
    copies: Vec<u32>,
    /// Warnings about leaks.
    leaks: Vec<String>,
    /// Names of dropped columns.
    dropped: Vec<String>,
}

/// A trained model that is not measured yet.
struct Chosen {
    signature: Signature,
    estimator: Estimator,
    /// Of each feature, in the training rows.
    distributions: Vec<Distribution>,
    held_out: Part,
    /// Number of training rows.
    rows: usize,
    self_test_rows: Vec<Map<String, Value>>,
    /// Per feature, if the model defines them; else they are measured by permutation.
    importances: Option<Vec<f64>>,
    /// Metrics besides those of the held-out part.
    metrics: Map<String, Value>,
    /// The parameters in the model file.
    params: Map<String, Value>,
    /// The calibration and the threshold, which the estimator and the task already have.
    decisions: Decisions,
    search: Option<SearchReport>,
}

/// Trains and measures the model, without encoding it.
fn fit(
    csv: impl Read,
    request: &TrainRequest,
    observer: &dyn Observer,
    elapsed: Elapsed<'_>,
) -> Result<Measured, TrainError> {
    let spec = &request.spec;
    let params = Params::parse(spec.algorithm, &spec.params).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
        TrainError::bad_params(errors.join("; "))
    })?;

    let checkpoints = Checkpoints::open(observer, request);
    let progress = Progress::start(observer, "reading", 0.0, 0.05)?.with_checkpoints(checkpoints.as_ref());
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

    let progress = progress.next("preparing", PREPARED)?;
    let mut warnings = Warnings { observer, all: Vec::new() };
    warnings.extend(spec.warnings.iter().cloned());
    warnings.extend(std::mem::take(&mut frame.warnings));
    let (task, split, copies) = split_rows(&frame, params.float("test_size").unwrap_or(0.2), spec.seed, &mut warnings);
    check_parts(&frame, &split)?;
    observer.note(&format!("training on {} rows, measuring on {}", split.train.len(), split.test.len()));
    let (leaks, dropped) = leaks::resolve(&mut frame, &split.train, spec.learning.on_leak)?;

    let (run, table) = (Run { request, params: &params }, Table { frame, task, split, copies, leaks, dropped });
    let (chosen, progress) = match spec.algorithm {
        Algorithm::Auto => auto::fit(&run, table, &mut warnings, progress, elapsed)?,
        _ => single::fit(&run, table, &mut warnings, progress)?,
    };
    measure_and_describe(&run, chosen, warnings.all, progress, elapsed)
}

/// Measures the model on the held-out part, and adds its metadata.
fn measure_and_describe(
    run: &Run<'_>,
    chosen: Chosen,
    warnings: Vec<String>,
    progress: Progress<'_>,
    elapsed: Elapsed<'_>,
) -> Result<Measured, TrainError> {
    let spec = &run.request.spec;
    let Chosen {
        signature,
        estimator,
        distributions,
        held_out,
        rows,
        self_test_rows,
        importances,
        metrics: own,
        params,
        decisions,
        search,
    } = chosen;
    let progress = progress.next_when_trained("measuring", 0.97)?;
    let outputs = measure::outputs(&estimator, &signature.task, &held_out, &progress)?;
    let predictions = distribution::of_predictions(&signature.task, &outputs);
    let importances = match importances {
        Some(importances) => importances,
        None => permutation::importances(&estimator, &signature.task, &held_out, spec.seed, &progress.part(0, 2))?,
    };
    let search = search.map(|mut search| {
        let predict_us = measure::row_us(&estimator, &signature.task, &held_out, elapsed);
        if let Some(limit) = run.params.float("max_predict_us").filter(|limit| predict_us > *limit) {
            progress.note(&format!(
                "a prediction took {predict_us:.1} µs on this machine; max_predict_us, {limit} µs, limits the predicted time, \
                 which is the same on every machine"
            ));
        }
        search.predict_us = predict_us;
        search
    });
    let (classes, numbers) = held_out.targets.split();
    let mut metrics =
        report(&Evaluation { task: &signature.task, classes: &classes, numbers, outputs: &outputs, seed: spec.seed });
    metrics.insert("feature_importances".into(), importances::ranked(&signature.features, &importances));
    if let Some(repeats) = run.params.int(PERMUTATION_REPEATS).filter(|repeats| *repeats > 0) {
        let (model, repeats) = ((&estimator, &signature.task, &signature.features[..]), (repeats as usize, spec.seed));
        let report = permutation::report(model, &held_out, repeats, &progress.part(1, 2))?;
        metrics.insert("permutation_importances".into(), report);
    }
    metrics.insert("rows".into(), json!({"train": rows, "test": held_out.rows}));
    metrics.extend(decisions.report((&estimator, &signature.task), &held_out, &outputs, &progress)?);
    metrics.extend(own);
    metrics.insert("warnings".into(), json!(warnings));

    progress.next("saving", 0.99)?;
    let self_test = self_test::answer(self_test_rows, &signature, &estimator);
    let manifest = Manifest {
        signature,
        algorithm: spec.algorithm,
        params,
        seed: spec.seed,
        dataset_sha256: run.request.dataset_sha256.clone(),
        library_version: env!("CARGO_PKG_VERSION").to_owned(),
        metrics: Value::Object(metrics),
        rows: rows as u64,
        distributions: Distributions { features: distributions, predictions },
        self_test,
    };
    Ok(Measured { model: Model { manifest, estimator }, warnings, search })
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
