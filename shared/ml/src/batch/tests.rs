//! Whole tables, against single rows of `/inference`.

use serde_json::{Value, json};
use trainyard_csv::{Limits, ReadOptions};
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::{Algorithm, Training};

use super::*;
use crate::predict::{Outcome, Row};
use crate::train::{TrainRequest, train};

const TITANIC: &str = include_str!("../../../../datasets/titanic.csv");
const DIABETES: &str = include_str!("../../../../datasets/diabetes.csv");

struct Silent;

impl Observer for Silent {
    fn progress(&self, _: &str, _: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Keeps the parts.
#[derive(Default)]
struct Parts {
    open: Vec<u8>,
    done: Vec<(String, Part)>,
}

impl Parts {
    fn text(&self) -> String {
        self.done.iter().map(|(text, _)| text.as_str()).collect()
    }
}

impl PartSink for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, part: Part) -> io::Result<()> {
        let text = String::from_utf8(std::mem::take(&mut self.open)).expect("UTF-8");
        self.done.push((text, part));
        Ok(())
    }
}

fn schema(csv: &str) -> TableSchema {
    trainyard_csv::profile(csv.as_bytes(), &ReadOptions::default(), &Limits::default()).unwrap().schema()
}

fn model(csv: &str, algorithm: Algorithm, features: &[&str], target: &str) -> Predictor {
    let trees = if algorithm == Algorithm::RandomForest { json!({"n_trees": 10}) } else { json!({}) };
    let spec = Training {
        algorithm,
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        target: target.into(),
        params: trees.as_object().unwrap().clone(),
        learning: LearningOptions::default(),
        warnings: vec![],
        auto_promote: None,
        seed: 7,
    };
    let request = TrainRequest {
        spec,
        schema: schema(csv),
        dataset_sha256: String::new(),
        memory_limit: None,
        artifact_limit: None,
    };
    Predictor::load(&train(csv.as_bytes(), &request, &Silent).unwrap().artifact).unwrap()
}

fn request(csv: &str) -> BatchRequest {
    let schema = schema(csv);
    BatchRequest { schema, columns: OutputColumns::All, rows: 10, part_rows: 1_000_000, done_rows: 0, header: true }
}

fn run(csv: &str, predictor: &Predictor, request: &BatchRequest) -> Parts {
    let mut parts = Parts::default();
    predict(csv.as_bytes(), predictor, request, &mut parts, &Silent).unwrap();
    parts
}

/// The records of a CSV, the names first.
fn records(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A row of a table as a request of `/inference`.
fn row(names: &[String], cells: &[String], predictor: &Predictor) -> Row {
    let features = &predictor.signature().features;
    let named = names.iter().zip(cells).filter(|(name, _)| features.iter().any(|feature| feature.name == **name));
    named.map(|(name, cell)| (name.clone(), Value::String(cell.clone()))).collect()
}

/// The cells that a row of `/inference` means.
fn expected(outcome: Outcome, task: &crate::model::Task) -> Vec<String> {
    let number = |value: f64| serde_json::to_string(&value).unwrap();
    match outcome {
        Outcome::Binary { prob, label, .. } => {
            assert_eq!(task.labels().len(), 2);
            vec![label, number(1.0 - prob), number(prob)]
        }
        Outcome::Class { label, probabilities } => {
            std::iter::once(label).chain(probabilities.into_iter().map(|(_, prob)| number(prob))).collect()
        }
        Outcome::Number(value) => vec![number(value)],
    }
}

#[test]
fn every_row_has_the_prediction_of_a_single_request() {
    let passenger: &[&str] = &["pclass", "sex", "age", "sibsp", "fare", "embarked"];
    let cases = [
        (TITANIC, Algorithm::RandomForest, passenger, "survived"),
        (TITANIC, Algorithm::GradientBoosting, passenger, "embarked"),
        (DIABETES, Algorithm::Ridge, &["bmi", "bp", "s1"], "target"),
    ];
    for (csv, algorithm, features, target) in cases {
        let features: Vec<&str> = features.iter().copied().filter(|feature| *feature != target).collect();
        let predictor = model(csv, algorithm, &features, target);
        let result = records(&run(csv, &predictor, &request(csv)).text());
        let table = records(csv);
        assert_eq!(result.len(), table.len());
        let width = table[0].len();
        for (line, cells) in result.iter().zip(&table).skip(1) {
            let prediction = predictor.predict_one(&row(&table[0], cells, &predictor)).unwrap();
            assert_eq!(line[..width], cells[..], "the columns of the table are unchanged");
            assert_eq!(line[width..], expected(prediction.outcome, &predictor.signature().task)[..]);
        }
        assert_eq!(result[0][width], format!("predicted_{target}"));
    }
}

#[test]
fn parts_do_not_change_the_bytes() {
    let predictor = model(TITANIC, Algorithm::RandomForest, &["sex", "age", "pclass"], "survived");
    let whole = run(TITANIC, &predictor, &request(TITANIC));
    assert_eq!(whole.done.len(), 1);
    let parts = run(TITANIC, &predictor, &BatchRequest { part_rows: 500, ..request(TITANIC) });
    assert_eq!(parts.done.iter().map(|(_, part)| part.rows).collect::<Vec<_>>(), [500, 500, 309]);
    assert_eq!(parts.text(), whole.text());
    let mut counts = Counts::default();
    parts.done.iter().for_each(|(_, part)| counts.add(&part.counts));
    assert_eq!(counts, whole.done[0].1.counts);
    assert_eq!(counts.missing["age"], 263);
    // A run that was lost after the first part.
    let rest = BatchRequest { part_rows: 777, done_rows: 500, header: false, ..request(TITANIC) };
    let rest = run(TITANIC, &predictor, &rest);
    assert_eq!(format!("{}{}", parts.done[0].0, rest.text()), whole.text());
    // And one that was lost before it published.
    let nothing = run(TITANIC, &predictor, &BatchRequest { done_rows: 1_309, header: false, ..request(TITANIC) });
    assert!(nothing.done.is_empty());
    let more = BatchRequest { done_rows: 1_310, header: false, ..request(TITANIC) };
    let error = predict(TITANIC.as_bytes(), &predictor, &more, &mut Parts::default(), &Silent).unwrap_err();
    assert_eq!(error.to_string(), "the dataset has 1309 rows, and 1310 were predicted before");
}

/// Twenty rows of a number, a category and a target.
fn table() -> String {
    (0..20).fold("size,city,y\n".to_owned(), |csv, row| {
        format!("{csv}{}.5,{},{}\n", row, ["Ulm", "Bonn"][row % 2], ["no", "yes"][row % 2])
    })
}

#[test]
fn a_table_is_read_by_its_own_schema() {
    let predictor = model(&table(), Algorithm::DecisionTree, &["size", "city"], "y");
    let plain = "id,size,city\n1,7.5,Ulm\n2,8.5,Bonn\n3,9.5,Ulm\n4,11.5,Bonn\n";
    let other = "id;size;city\n1;\"7,5\";Ulm\n2;\"8,5\";Bonn\n3;\"9,5\";Ulm\n4;\"11,5\";Bonn\n";
    let none = |csv: &str| run(csv, &predictor, &BatchRequest { columns: OutputColumns::None, ..request(csv) }).text();
    assert_eq!(none(other), none(plain));
    assert!(none(plain).starts_with("predicted_y,probability_no,probability_yes\nno,"), "{}", none(plain));
    let all = records(&run(other, &predictor, &request(other)).text());
    assert_eq!(all[1][..3], ["1", "7,5", "Ulm"], "cells keep their text");
}

#[test]
fn cells_that_cannot_be_used_are_counted() {
    let predictor = model(&table(), Algorithm::DecisionTree, &["size", "city"], "y");
    // Most sizes are numbers, so the column is read as numbers.
    let good: String = (0..60).map(|row| format!("{row},Ulm\n")).collect();
    let csv = format!("size,city\n{good},Ulm\nbig,\"Bonn \"\"am\nRhein\"\"\"\nNA,\n");
    let mut table = request(&csv);
    table.schema.columns[0].dtype = trainyard_domain::Dtype::Number;
    let parts = run(&csv, &predictor, &table);
    let Part { rows, counts } = &parts.done[0].1;
    assert_eq!(*rows, 63);
    assert_eq!(counts.missing, [("city".to_owned(), 1), ("size".to_owned(), 2)].into());
    assert_eq!(counts.unreadable, [("size".into(), Unreadable { cells: 1, first: "big".into(), row: 62 })].into());
    assert_eq!(counts.unseen, [("city".to_owned(), 1)].into());
    let lines = records(&parts.text());
    assert_eq!(lines[62][..2], ["big", "Bonn \"am\nRhein\""], "cells are quoted again");
    assert_eq!(lines[62].len(), 5, "the row has a prediction");
}

#[test]
fn missing_columns_are_named_and_their_values_imputed() {
    let predictor = model(&table(), Algorithm::DecisionTree, &["size", "city"], "y");
    let csv = "city\nUlm\nBonn\n";
    let missing = missing_columns(&predictor, &schema(csv));
    assert_eq!(missing, ["the dataset has no column 'size'; imputed as in training"]);
    let parts = run(csv, &predictor, &request(csv));
    assert_eq!(parts.done[0].1.counts, Counts::default(), "a missing column is no missing cell");
    let lines = records(&parts.text());
    let single = predictor.predict_one(&json!({"city": "Ulm"}).as_object().unwrap().clone()).unwrap();
    assert_eq!(lines[1][1..], expected(single.outcome, &predictor.signature().task)[..]);
}

#[test]
fn new_columns_get_names_that_the_table_does_not_have() {
    let csv = table().replacen("size,city,y", "predicted_y,probability_no,y", 1);
    let predictor = model(&csv, Algorithm::DecisionTree, &["predicted_y", "probability_no"], "y");
    let names = records(&run(&csv, &predictor, &request(&csv)).text())[0].clone();
    let expected = ["predicted_y", "probability_no", "y", "predicted_y_2", "probability_no_2", "probability_yes"];
    assert_eq!(names, expected);
}

#[test]
fn true_and_false_mean_one_and_zero_for_a_column_of_digits() {
    let csv = (0..40).fold("alone,y\n".to_owned(), |csv, row| format!("{csv}{},{}\n", row % 2, ["a", "b"][row % 2]));
    let predictor = model(&csv, Algorithm::DecisionTree, &["alone"], "y");
    let labels = |csv: &str| {
        let parts = run(csv, &predictor, &request(csv));
        assert_eq!(parts.done[0].1.counts, Counts::default());
        records(&parts.text()).iter().skip(1).map(|line| line[1].clone()).collect::<Vec<_>>()
    };
    assert_eq!(labels("alone\ntrue\nfalse\nTRUE\n"), ["b", "a", "b"]);
    assert_eq!(labels("alone\n1\n0\n1\n"), ["b", "a", "b"]);
    assert_eq!(labels("alone\nyes\nno\nyes\n"), ["b", "a", "b"]);
}

#[test]
fn a_broken_table_and_a_full_disk_are_errors() {
    struct Full;
    impl PartSink for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn finish(&mut self, _: Part) -> io::Result<()> {
            Ok(())
        }
    }
    let predictor = model(&table(), Algorithm::DecisionTree, &["size", "city"], "y");
    let request = request(&table());
    let full = predict(table().as_bytes(), &predictor, &request, &mut Full, &Silent).unwrap_err();
    assert!(matches!(full, BatchError::Output(error) if error.kind() == io::ErrorKind::StorageFull));
    let broken = format!("{}1,2,3,4,5,6\n", table());
    let error = predict(broken.as_bytes(), &predictor, &request, &mut Parts::default(), &Silent).unwrap_err();
    assert!(error.to_string().starts_with("invalid CSV: row 21"), "{error}");
}
