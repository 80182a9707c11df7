//! Complete training runs: on the built-in datasets, on unusual tables, and twice for equal bytes.

mod auto_models;
mod auto_replay;
mod auto_search;
mod cancellation;
mod categories;
mod checkpoints;
mod cross_validation;
mod datasets;
mod decisions;
mod diagnostics;
mod distributions;
mod explanations;
mod leaks;
mod observer;
mod refusals;
mod repeatable;
mod serving;
mod tables;

use std::sync::Mutex;

use serde_json::{Value, json};
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::table::TableSchema;
use trainyard_domain::{Algorithm, Training};

use super::{Observer, TrainError, TrainRequest, Trained, train};

const TITANIC: &str = include_str!("../../../../datasets/titanic.csv");
const BREAST_CANCER: &str = include_str!("../../../../datasets/breast_cancer.csv");
const DIABETES: &str = include_str!("../../../../datasets/diabetes.csv");

/// Records all reports, and cancels the run after `stop_after` progress reports.
#[derive(Default)]
struct Recorder {
    reported: Mutex<Vec<(String, f64)>>,
    warned: Mutex<Vec<String>>,
    noted: Mutex<Vec<String>>,
    measured: Mutex<Vec<(String, f64, u64)>>,
    stop_after: Option<usize>,
}

impl Observer for Recorder {
    fn progress(&self, phase: &str, fraction: f64) {
        self.reported.lock().unwrap().push((phase.to_owned(), fraction));
    }

    fn warn(&self, message: &str) {
        self.warned.lock().unwrap().push(message.to_owned());
    }

    fn note(&self, message: &str) {
        self.noted.lock().unwrap().push(message.to_owned());
    }

    fn metric(&self, name: &str, value: f64, step: u64) {
        self.measured.lock().unwrap().push((name.to_owned(), value, step));
    }

    fn cancelled(&self) -> bool {
        self.stop_after.is_some_and(|reports| self.reported.lock().unwrap().len() >= reports)
    }
}

/// The schema of a CSV, as an upload decides it.
pub(crate) fn schema(csv: &str) -> TableSchema {
    let profile = trainyard_csv::profile(csv.as_bytes(), &ReadOptions::default(), &Limits::default());
    profile.map_or_else(|_| TableSchema::default(), |profile| profile.schema())
}

/// A request without a schema; [`run`] adds it.
pub(crate) fn request(algorithm: Algorithm, features: &[&str], target: &str, seed: u64, params: Value) -> TrainRequest {
    let spec = Training {
        algorithm,
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        target: target.into(),
        params: params.as_object().unwrap().clone(),
        learning: LearningOptions::default(),
        warnings: vec![],
        auto_promote: None,
        seed,
    };
    let (schema, dataset_sha256) = (TableSchema::default(), "00".repeat(32));
    TrainRequest { spec, schema, dataset_sha256, memory_limit: None, artifact_limit: None }
}

/// Trains on a CSV with the schema of its upload.
fn attempt(csv: &str, request: &TrainRequest, recorder: &Recorder) -> Result<Trained, TrainError> {
    train(csv.as_bytes(), &TrainRequest { schema: schema(csv), ..request.clone() }, recorder)
}

pub(crate) fn run(csv: &str, request: &TrainRequest) -> Trained {
    attempt(csv, request, &Recorder::default()).unwrap()
}

fn refusal(csv: &str, request: &TrainRequest) -> String {
    match attempt(csv, request, &Recorder::default()) {
        Err(TrainError::Failed { code, message }) => format!("{}: {message}", code.as_str()),
        Err(TrainError::Cancelled) => panic!("the run was not cancelled"),
        Ok(_) => panic!("training succeeded"),
    }
}

/// All columns except the target.
fn others<'a>(csv: &'a str, target: &str) -> Vec<&'a str> {
    csv.lines().next().unwrap().split(',').filter(|name| *name != target).collect()
}

/// The mean of a metric over several seeds.
fn mean(measure: &str, seeds: std::ops::RangeInclusive<u64>, run: impl Fn(u64) -> Trained) -> f64 {
    let count = seeds.clone().count() as f64;
    seeds.map(|seed| run(seed).metrics[measure].as_f64().unwrap()).sum::<f64>() / count
}

/// The algorithms of one model that support classification.
fn classifiers() -> impl Iterator<Item = Algorithm> {
    let is_single = |algorithm: &Algorithm| *algorithm != Algorithm::Auto;
    Algorithm::ALL.into_iter().filter(|algorithm| algorithm.supports_classification()).filter(is_single)
}

/// A job of the algorithm `auto` that ends after `trials` trials, whatever their time is.
fn auto(features: &[&str], target: &str, seed: u64, trials: u64) -> TrainRequest {
    request(Algorithm::Auto, features, target, seed, json!({"budget_s": 86_400, "max_trials": trials}))
}

fn none() -> Value {
    json!({})
}
