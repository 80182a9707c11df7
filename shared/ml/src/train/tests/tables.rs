//! The options of a job, and tables that are unusual targets.

use trainyard_domain::{Dtype, TaskKind};

use super::*;

fn numbered(header: &str, rows: usize, line: impl Fn(usize) -> String) -> String {
    (0..rows).fold(format!("{header}\n"), |csv, row| csv + &line(row) + "\n")
}

#[test]
fn many_numbers_can_be_classes() {
    let csv = numbered("x,class_id", 210, |row| format!("{},{}", row % 25 * 10, row % 25 + 1));
    let mut job = request(Algorithm::RandomForest, &["x"], "class_id", 1, none());
    assert!(run(&csv, &job).metrics["r2"].is_number(), "25 numbers are a regression by default");
    job.spec.learning.task = Some(TaskKind::Classification);
    let trained = run(&csv, &job);
    assert_eq!(trained.metrics["accuracy"], 1.0);
    let warned = trained.warnings.iter().any(|warning| warning.starts_with("the target 'class_id' looks like an id"));
    assert!(warned, "{:?}", trained.warnings);
}

#[test]
fn few_numbers_can_be_a_regression() {
    let csv = numbered("x,score", 200, |row| format!("{:.2},{}", row as f64 / 4.0, row / 18 + 1));
    let mut job = request(Algorithm::RandomForest, &["x"], "score", 1, none());
    assert!(run(&csv, &job).metrics["accuracy"].is_number());
    job.spec.learning.task = Some(TaskKind::Regression);
    assert!(run(&csv, &job).metrics["r2"].as_f64().unwrap() > 0.95);
    job.spec.algorithm = Algorithm::Svm;
    assert!(run(&csv, &job).metrics["r2"].as_f64().unwrap() > 0.95);
    job.spec.algorithm = Algorithm::DecisionTree;
    assert!(refusal(&csv, &job).starts_with("bad_params: decision_tree does not support regression"));
    // Ridge regression needs no task.
    (job.spec.algorithm, job.spec.learning.task) = (Algorithm::Ridge, None);
    let trained = run(&csv, &job);
    assert!(trained.metrics["r2"].as_f64().unwrap() > 0.95);
    assert_eq!(trained.metrics["feature_importances"][0]["importance"], 1.0);
}

#[test]
fn a_target_with_one_row_per_class_is_refused() {
    let csv = numbered("x,name", 37, |row| format!("{},n{row:02}", row * 7 % 11));
    let job = request(Algorithm::RandomForest, &["x"], "name", 1, none());
    assert!(refusal(&csv, &job).contains("no class of 'name' has two rows"));
}

#[test]
fn the_name_of_a_class_can_mean_missing_elsewhere() {
    let csv = numbered("x,continent", 60, |row| format!("{},{}", row % 3, ["EU", "NA", "AS"][row % 3]));
    let mut schema = schema(&csv);
    schema.columns[1].reading.keeps_na = true;
    let job = TrainRequest { schema, ..request(Algorithm::DecisionTree, &["x"], "continent", 1, none()) };
    let trained = train(csv.as_bytes(), &job, &Recorder::default()).unwrap();
    assert_eq!(trained.metrics["confusion_matrix"]["labels"], json!(["AS", "EU", "NA"]));
    assert_eq!(trained.metrics["accuracy"], 1.0);
}

#[test]
fn the_types_of_a_job_replace_those_of_the_dataset() {
    let csv = numbered("zip,y", 200, |row| format!("{},{}", 10_000 + row % 12, ["a", "b"][row % 2]));
    let mut job = request(Algorithm::LogisticRegression, &["zip"], "y", 1, none());
    let as_number = run(&csv, &job).metrics["accuracy"].as_f64().unwrap();
    job.spec.learning.column_types = [("zip".to_owned(), Dtype::Category)].into();
    let as_category = run(&csv, &job).metrics["accuracy"].as_f64().unwrap();
    assert!(as_number < 0.8 && as_category == 1.0, "{as_number}, {as_category}");
}

#[test]
fn warnings_of_the_submission_are_repeated_by_the_run() {
    let csv = numbered("x,y", 60, |row| format!("{},{}", row % 7, ["a", "b"][row % 2]));
    let mut job = request(Algorithm::DecisionTree, &["x"], "y", 1, none());
    job.spec.warnings = vec!["'note' is free text (60 distinct values) and is not used".into()];
    let recorder = Recorder::default();
    let trained = attempt(&csv, &job, &recorder).unwrap();
    assert_eq!(trained.warnings[0], job.spec.warnings[0]);
    assert_eq!(trained.metrics["warnings"], json!(trained.warnings));
    assert_eq!(recorder.warned.into_inner().unwrap(), trained.warnings);
}
