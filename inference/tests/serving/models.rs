//! Small models, each trained once per test process.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::{Algorithm, Training};
use trainyard_ml::train::{Observer, TrainRequest, train};

struct Quiet;

impl Observer for Quiet {
    fn progress(&self, _: &str, _: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

const TITANIC: &[u8] = include_bytes!("../../../datasets/titanic.csv");
const DIABETES: &[u8] = include_bytes!("../../../datasets/diabetes.csv");

/// A small forest.
pub(crate) fn training(features: &[&str], target: &str, seed: u64) -> Training {
    Training {
        algorithm: Algorithm::RandomForest,
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        target: target.into(),
        params: params(),
        learning: LearningOptions::default(),
        warnings: vec![],
        auto_promote: None,
        seed,
    }
}

fn params() -> Map<String, Value> {
    let params = json!({"n_trees": 10, "max_depth": 6, "min_samples_leaf": 1, "max_features": "sqrt",
        "class_weight": "none", "test_size": 0.2});
    params.as_object().unwrap().clone()
}

fn trained(csv: &[u8], features: &[&str], target: &str, seed: u64) -> Vec<u8> {
    trained_by(csv, training(features, target, seed))
}

fn trained_by(csv: &[u8], spec: Training) -> Vec<u8> {
    let schema = trainyard_csv::profile(csv, &ReadOptions::default(), &Limits::default()).unwrap().schema();
    let (dataset_sha256, memory_limit, artifact_limit) = Default::default();
    let request = TrainRequest { spec, schema, dataset_sha256, memory_limit, artifact_limit };
    train(csv, &request, &Quiet).unwrap().artifact
}

/// A forest of several megabytes.
pub(crate) fn large() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let mut spec = training(&["sex", "age", "fare", "pclass"], "survived", 1);
        spec.params.insert("n_trees".to_owned(), json!(1_000));
        spec.params.insert("max_depth".to_owned(), Value::Null);
        trained_by(TITANIC, spec)
    })
}

/// Predicts whether a passenger survived. The seed distinguishes models.
pub(crate) fn survival(seed: u64) -> &'static [u8] {
    static MODELS: [OnceLock<Vec<u8>>; 3] = [const { OnceLock::new() }; 3];
    let features = ["sex", "age", "pclass"];
    MODELS[seed as usize].get_or_init(|| trained(TITANIC, &features, "survived", seed))
}

/// Two classes with labels.
pub(crate) fn sex() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| trained(TITANIC, &["age", "pclass", "survived"], "sex", 1))
}

/// Three classes with labels.
pub(crate) fn port() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| trained(TITANIC, &["sex", "fare", "pclass"], "embarked", 1))
}

/// A support vector machine, whose predictions have no explanation.
pub(crate) fn support_vectors() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let forest = training(&["sex", "age"], "survived", 1);
        trained_by(TITANIC, Training { algorithm: Algorithm::Svm, params: Map::new(), ..forest })
    })
}

/// 26 classes: more than have a metric of their own.
pub(crate) fn letters() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        // Each number is unique, so that no row is a copy of another.
        let row = |i: u32| format!("{}.{i:03},{}", i % 26 * 10, char::from(b'a' + (i % 26) as u8));
        let rows: Vec<_> = (0..520).map(row).collect();
        trained(format!("x,letter\n{}\n", rows.join("\n")).as_bytes(), &["x"], "letter", 1)
    })
}

/// The rows of the training table of [`survival`], as instances.
pub(crate) fn passengers() -> Vec<Value> {
    let text = std::str::from_utf8(TITANIC).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        // The name of a passenger is quoted, and contains commas.
        let (class, rest) = line.split_once(",\"").unwrap();
        let fields: Vec<_> = rest.rsplit_once("\",").unwrap().1.split(',').collect();
        json!({"pclass": class.parse::<u8>().unwrap(), "sex": fields[0], "age": fields[1].parse::<f64>().ok()})
    });
    rows.collect()
}

/// A regression.
pub(crate) fn progression() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| trained(DIABETES, &["bmi", "bp", "s5"], "target", 1))
}

/// Two classes, with a target name that is reserved in responses.
pub(crate) fn shadowing() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let text = String::from_utf8(TITANIC.to_vec()).unwrap();
        let renamed = text.replacen(",survived", ",version", 1);
        trained(renamed.as_bytes(), &["sex", "age"], "version", 1)
    })
}

/// Three classes that are numbers, from a boolean, a date and a category.
pub(crate) fn stars() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let row = |i: usize| {
            let (member, city) = (i.is_multiple_of(2), ["Bonn", "Köln", "Trier"][i % 3]);
            let stars = 1 + usize::from(member) + usize::from(i % 3 == 1);
            format!("{member},20{:02}-{:02}-{:02},{city},{stars}", 10 + i % 9, 1 + i % 12, 1 + i % 28)
        };
        let rows: Vec<_> = (0..200).map(row).collect();
        let csv = format!("member,joined,city,stars\n{}\n", rows.join("\n"));
        trained(csv.as_bytes(), &["member", "joined", "city"], "stars", 1)
    })
}
