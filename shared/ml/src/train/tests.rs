//! Complete training runs: on the built-in datasets, on unusual tables, and twice for equal bytes.

mod datasets;
mod observer;
mod refusals;
mod repeatable;

use std::sync::Mutex;

use serde_json::{Value, json};
use trainyard_domain::{Algorithm, DatasetName, JobSpec, ModelName};

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

fn request(algorithm: Algorithm, features: &[&str], target: &str, seed: u64, params: Value) -> TrainRequest {
    let spec = JobSpec {
        name: ModelName::parse("m").unwrap(),
        algorithm,
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        dataset: DatasetName::parse("d").unwrap(),
        dataset_version: 1,
        target: target.into(),
        params: params.as_object().unwrap().clone(),
        priority: 0,
        run_at: None,
        max_attempts: 1,
        timeout_s: 60,
        webhook_url: None,
        seed,
    };
    TrainRequest { spec, dataset_sha256: "00".repeat(32) }
}

fn run(csv: &str, request: &TrainRequest) -> Trained {
    train(csv.as_bytes(), request, &Recorder::default()).unwrap()
}

fn refusal(csv: &str, request: &TrainRequest) -> String {
    match train(csv.as_bytes(), request, &Recorder::default()) {
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

fn none() -> Value {
    json!({})
}
