//! Tables with every kind of column, and models that are trained on them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use trainyard_domain::{Algorithm, Dtype};

use super::cases::Case;
use crate::artifact::samples::Stream;
use crate::train::tests::{request, run};

const ROWS: usize = 240;
/// The names of two features are those of outputs.
const FEATURES: [&str; 10] =
    ["label", "account id", "value", "visits", "alone", "port", "size", "smoker", "zip", "joined"];

/// A target: its name, and the text for a score from 0 to 1.
type Target = (&'static str, fn(f64) -> String);

const CLASSES: [Target; 7] = [
    ("digit", |score| u8::from(score > 0.5).to_string()),
    ("flag", |score| (score > 0.4).to_string()),
    ("name", |score| (if score > 0.6 { "ill" } else { "healthy" }).to_owned()),
    ("stars", |score| ((score * 3.0) as i64 * 5 - 5).to_string()),
    ("grade", |score| (1.0 + (score * 4.0).floor() / 2.0).to_string()),
    ("kind", |score| ["ä", "b", "c d", "E"][((score * 4.0) as usize).min(3)].to_owned()),
    ("level", |score| format!("n{}", (score * 7.0) as i64)),
];
const NUMBERS: [Target; 2] =
    [("price", |score| format!("{:.3}", score * 2e6)), ("ratio", |score| format!("{score:.6}"))];

/// A table with numbers, booleans, categories, a date, missing values, and all targets.
fn table() -> String {
    let random = &mut Stream(17);
    let targets: Vec<&str> = CLASSES.iter().chain(&NUMBERS).map(|(name, _)| *name).collect();
    let mut csv = format!("{},{}\n", FEATURES.join(","), targets.join(","));
    for _ in 0..ROWS {
        let (age, fare) = (random.below(80), random.unit() * 500.0);
        let port = random.below(6);
        let (alone, smoker, size) = (random.below(2), random.below(3), random.below(4));
        let day = random.below(3_000) as i64;
        let noise = random.unit() * 0.3;
        let date = chrono::DateTime::from_timestamp(1_500_000_000 + day * 86_400 + day * 977 % 86_400, 0).unwrap();
        let weekday = day % 7;
        let score =
            (age as f64 / 80.0 + f64::from(port > 2) + f64::from(alone == 1) / 2.0 + weekday as f64 / 14.0) / 3.0;
        let score = (score * 0.7 + noise).clamp(0.0, 0.999);
        let mut cell = |text: String| if random.below(12) == 0 { String::new() } else { text };
        let cells = [
            cell(age.to_string()),
            (100_000_001 + day * 3).to_string(),
            cell(format!("{fare:.2}")),
            cell((age % 4).to_string()),
            cell(["false", "true"][alone].to_owned()),
            cell(["Southampton", "Cherbourg", "Queenstown", "Zürich", "p;q", "a b"][port].to_owned()),
            cell(["1.50", "2.00", "XL", "10"][size].to_owned()),
            cell(["yes", "no", "Yes"][smoker].to_owned()),
            format!("{:05}", 1_000 + age * 37 % 23),
            cell(date.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ];
        let targets: Vec<_> = CLASSES.iter().chain(&NUMBERS).map(|(_, of)| of(score)).collect();
        writeln!(csv, "{},{}", cells.join(","), targets.join(",")).unwrap();
    }
    csv
}

/// Small models, so that the test is fast.
fn params(algorithm: Algorithm) -> Value {
    match algorithm {
        Algorithm::RandomForest | Algorithm::ExtraTrees => json!({"n_trees": 20}),
        Algorithm::Auto => json!({"budget_s": 86_400, "max_trials": 6}),
        Algorithm::GradientBoosting
        | Algorithm::DecisionTree
        | Algorithm::Svm
        | Algorithm::LogisticRegression
        | Algorithm::Ridge => json!({}),
    }
}

/// A case for every algorithm and target.
pub(super) fn trained() -> Vec<Case> {
    let csv = table();
    let mut cases = Vec::new();
    for algorithm in Algorithm::ALL {
        let classes = CLASSES.iter().filter(|_| algorithm.supports_classification());
        let numbers = NUMBERS.iter().filter(|_| algorithm.supports_regression());
        // A search is slow, so it has a target of each task only.
        let step = if algorithm == Algorithm::Auto { 3 } else { 1 };
        for (target, _) in classes.step_by(step).chain(numbers.step_by(step)) {
            let mut request = request(algorithm, &FEATURES, target, 5, params(algorithm));
            request.spec.learning.column_types =
                [("joined", Dtype::Datetime), ("zip", Dtype::Category), ("size", Dtype::Category)]
                    .map(|(name, dtype)| (name.to_owned(), dtype))
                    .into();
            if matches!(*target, "stars" | "grade") {
                request.spec.learning.task = Some(trainyard_domain::TaskKind::Classification);
            }
            let trained = run(&csv, &request);
            let name = format!("{} of {target}", algorithm.as_str());
            cases.push(Case::new(name, trained.artifact, &mut Stream(cases.len() as u64)));
        }
    }
    cases
}
