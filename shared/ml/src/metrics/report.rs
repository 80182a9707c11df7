//! The metrics of one model as JSON, for jobs, model versions and artifacts.

use serde_json::{Map, Value, json};
use trainyard_domain::shown;

use super::classes::{accuracy, confusion_matrix, log_loss, macro_average, precision_recall, share};
use super::{curves, regression, roc};
use crate::model::Task;
use crate::rng::{Rng, Stream};

/// The predictions for the held-out part.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// The task of the model.
    pub task: &'a Task,
    /// The actual class per row; empty for regression.
    pub classes: &'a [usize],
    /// The actual number per row; empty for classification.
    pub numbers: &'a [f64],
    /// [`Task::outputs`] numbers per row.
    pub outputs: &'a [f64],
    /// Chooses the rows of a regression that are listed.
    pub seed: u64,
}

/// Maximum number of rows of a regression that are listed.
const MAX_LISTED_ROWS: usize = 200;
/// Maximum number of classes with an ROC curve, for three or more classes.
const MAX_ROC_CLASSES: usize = 10;
/// Maximum number of classes of a confusion matrix.
const MAX_CONFUSION_CLASSES: usize = 100;

/// The metrics by name.
///
/// * Classification: `accuracy, roc_auc, log_loss, f1, precision, recall, confusion_matrix`.
/// * Binary tasks also: `positive_class, roc_curve, precision_recall_curve, calibration`.
/// * Three or more classes also: `roc_curves`, one class against the others.
/// * Regression: `r2, rmse, mae, predictions`.
///
/// The curves and rows have at most 64 KiB, the confusion matrix 100 classes.
pub fn report(measured: &Evaluation<'_>) -> Map<String, Value> {
    if *measured.task == Task::Regression {
        let mut report = scores(measured);
        report.insert("predictions".into(), predictions(measured));
        return report;
    }
    let classified = Classified::new(measured);
    let mut report = classified.scores();
    classified.add_curves(&mut report);
    report
}

/// The metrics that are one number: those of [`report`] without curves, matrices and labels.
pub fn scores(measured: &Evaluation<'_>) -> Map<String, Value> {
    if *measured.task != Task::Regression {
        return Classified::new(measured).scores();
    }
    let (actual, predicted) = (measured.numbers, measured.outputs);
    named([
        ("r2", json!(regression::r2(actual, predicted))),
        ("rmse", json!(regression::rmse(actual, predicted))),
        ("mae", json!(regression::mae(actual, predicted))),
    ])
}

fn named<const N: usize>(metrics: [(&str, Value); N]) -> Map<String, Value> {
    metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The predictions of a classification.
struct Classified<'a> {
    task: &'a Task,
    actual: &'a [usize],
    /// The output vector of each row.
    rows: Vec<&'a [f64]>,
    predicted: Vec<usize>,
    /// `[actual][predicted]`, for all classes.
    confusion: Vec<Vec<u64>>,
}

impl<'a> Classified<'a> {
    fn new(measured: &Evaluation<'a>) -> Self {
        let (task, actual) = (measured.task, measured.classes);
        let rows: Vec<&[f64]> = measured.outputs.chunks_exact(task.outputs()).collect();
        let predicted: Vec<usize> = rows.iter().map(|outputs| task.predicted_class(outputs)).collect();
        let confusion = confusion_matrix(actual, &predicted, task.labels().len());
        Self { task, actual, rows, predicted, confusion }
    }

    /// The probability of a class.
    fn share(&self, row: usize, class: usize) -> f64 {
        share(self.rows[row], class)
    }

    /// The probability of a class in every row.
    fn shares(&self, class: usize) -> Vec<f64> {
        (0..self.rows.len()).map(|row| self.share(row, class)).collect()
    }

    fn scores(&self) -> Map<String, Value> {
        let actual = self.actual;
        let (averages, area) = if let Task::Binary { .. } = self.task {
            (precision_recall(&self.confusion, 1), roc::auc(&self.shares(1), |row| actual[row] == 1))
        } else {
            let share = |row: usize, class: usize| self.share(row, class);
            (macro_average(&self.confusion), roc::one_vs_rest(actual, self.confusion.len(), share))
        };
        named([
            ("accuracy", json!(accuracy(actual, &self.predicted))),
            ("roc_auc", json!(area)),
            ("log_loss", json!(log_loss(actual, |row, class| self.share(row, class)))),
            ("f1", json!(averages.f1)),
            ("precision", json!(averages.precision)),
            ("recall", json!(averages.recall)),
        ])
    }

    fn add_curves(&self, report: &mut Map<String, Value>) {
        let (task, actual) = (self.task, self.actual);
        let labels: Vec<Value> =
            task.labels().into_iter().map(|label| metric_label(&task.label_value(label))).collect();
        let counts = counts(actual, labels.len());
        report.insert("confusion_matrix".into(), confusion_json(&labels, &self.confusion, &counts));
        let Task::Binary { positive, .. } = task else {
            let curve = |class: usize| {
                let scores = self.shares(class);
                let is_class = |row: usize| actual[row] == class;
                let mut curve = curves::roc_json(&curves::Thresholds::new(&scores, is_class).roc()?, false);
                curve["class"] = labels[class].clone();
                curve["roc_auc"] = json!(roc::auc(&scores, is_class));
                Some(curve)
            };
            let curves = most_frequent(&counts, MAX_ROC_CLASSES).into_iter().filter_map(curve).collect();
            report.insert("roc_curves".into(), curves);
            return;
        };
        let scores = self.shares(1);
        let is_positive = |row: usize| actual[row] == 1;
        let thresholds = curves::Thresholds::new(&scores, is_positive);
        report.insert("positive_class".into(), metric_label(&task.label_value(positive)));
        if let Some(roc) = thresholds.roc() {
            report.insert("roc_curve".into(), curves::roc_json(&roc, true));
        }
        if let Some(curve) = thresholds.precision_recall() {
            report.insert("precision_recall_curve".into(), curves::precision_recall_json(&curve));
        }
        let bins = curves::calibration(&scores, is_positive);
        report.insert("calibration".into(), curves::calibration_json(&bins));
    }
}

/// The confusion matrix of the most frequent classes, in class order. `other_classes` counts the classes that are left
/// out.
fn confusion_json(labels: &[Value], confusion: &[Vec<u64>], counts: &[usize]) -> Value {
    let mut classes = most_frequent(counts, MAX_CONFUSION_CLASSES);
    classes.sort_unstable();
    let of_row = |actual: &usize| classes.iter().map(|class| confusion[*actual][*class]).collect::<Vec<_>>();
    let mut matrix = json!({
        "labels": classes.iter().map(|class| &labels[*class]).collect::<Vec<_>>(),
        "counts": classes.iter().map(of_row).collect::<Vec<_>>(),
    });
    if classes.len() < labels.len() {
        matrix["other_classes"] = json!(labels.len() - classes.len());
    }
    matrix
}

/// A label as in a response, but shortened.
fn metric_label(label: &Value) -> Value {
    label.as_str().map_or_else(|| label.clone(), |text| json!(shown(text)))
}

/// The number of rows of each class.
fn counts(actual: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    actual.iter().for_each(|class| counts[*class] += 1);
    counts
}

/// The classes with the most rows, in descending order; equally frequent ones in class order.
fn most_frequent(counts: &[usize], limit: usize) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..counts.len()).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(counts[*class]));
    classes.truncate(limit);
    classes
}

/// Actual and predicted numbers of randomly drawn rows, in file order.
fn predictions(measured: &Evaluation<'_>) -> Value {
    let mut rows: Vec<usize> = (0..measured.numbers.len()).collect();
    if rows.len() > MAX_LISTED_ROWS {
        Rng::new(measured.seed, Stream::ListedRows).shuffle(&mut rows);
        rows.truncate(MAX_LISTED_ROWS);
        rows.sort_unstable();
    }
    let of = |numbers: &[f64]| rows.iter().map(|row| numbers[*row]).collect::<Vec<_>>();
    json!({"actual": of(measured.numbers), "predicted": of(measured.outputs)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_yes() -> Task {
        Task::Binary { negative: "no".into(), positive: "yes".into(), boolean: false, numeric: false, threshold: 0.5 }
    }

    #[test]
    fn binary_metrics_are_those_of_the_positive_class() {
        let task = no_yes();
        let outputs = [0.1, 0.9, 0.5, 0.2];
        let report =
            report(&Evaluation { task: &task, classes: &[0, 1, 0, 1], numbers: &[], outputs: &outputs, seed: 1 });
        assert_eq!(report["accuracy"], 0.5);
        assert_eq!(report["positive_class"], "yes");
        assert_eq!(report["confusion_matrix"], json!({"labels": ["no", "yes"], "counts": [[1, 1], [1, 1]]}));
        assert_eq!(report["precision"], 0.5);
    }

    #[test]
    fn three_classes_have_a_curve_each() {
        let task = Task::MultiClass { classes: ["a", "b", "c"].map(String::from).to_vec(), numeric: false };
        let outputs = [0.8, 0.1, 0.1, 0.2, 0.5, 0.3, 0.3, 0.3, 0.4, 0.1, 0.2, 0.7];
        let report =
            report(&Evaluation { task: &task, classes: &[0, 1, 1, 1], numbers: &[], outputs: &outputs, seed: 1 });
        // scikit-learn 1.9.1: roc_curve([0, 1, 1, 1], [.1, .5, .3, .2]) after the first point; no row is a 'c'.
        let b = json!({"class": "b", "roc_auc": 1.0, "fpr": [0.0, 0.0, 0.0, 1.0], "tpr": [0.0, 1.0 / 3.0, 1.0, 1.0]});
        let a = json!({"class": "a", "roc_auc": 1.0, "fpr": [0.0, 0.0, 1.0], "tpr": [0.0, 1.0, 1.0]});
        assert_eq!(report["roc_curves"], json!([b, a]));
        assert!(report.get("roc_curve").is_none() && report.get("calibration").is_none());
    }

    #[test]
    fn a_confusion_matrix_has_the_most_frequent_classes() {
        let classes: Vec<String> = (0..120).map(|class| format!("c{class:03}")).collect();
        let task = Task::MultiClass { classes, numeric: false };
        // The first class has one row, the others have two.
        let actual: Vec<usize> = (0..120).chain(1..120).collect();
        let outputs: Vec<f64> =
            actual.iter().flat_map(|row| (0..120).map(move |class| if class == *row { 1.0 } else { 0.0 })).collect();
        let report = report(&Evaluation { task: &task, classes: &actual, numbers: &[], outputs: &outputs, seed: 1 });
        let matrix = &report["confusion_matrix"];
        assert_eq!(
            (&matrix["labels"][0], &matrix["counts"][0][0], &matrix["other_classes"]),
            (&json!("c001"), &json!(2), &json!(20))
        );
        assert_eq!(matrix["counts"].as_array().unwrap().len(), 100);
        assert_eq!(report["roc_curves"].as_array().unwrap().len(), 10);
    }

    #[test]
    fn the_size_of_the_curves_is_bounded() {
        let rows = 20_000;
        let numbers: Vec<f64> = (0..rows).map(|row| f64::from(row).sin().abs()).collect();
        let label = "long label ".repeat(1_000);
        let labels: Vec<String> = (0..1_000).map(|class| format!("{label}{class}")).collect();
        let classes: Vec<usize> = (0..rows as usize).map(|row| row * 7 % 1_000).collect();
        let outputs: Vec<f64> = numbers
            .iter()
            .flat_map(|number| (1..=1_000).map(move |class| (number * f64::from(class)).fract()))
            .collect();
        let size = |report: &Map<String, Value>, names: &[&str]| {
            names.iter().filter_map(|name| report.get(*name)).map(|value| value.to_string().len()).sum::<usize>()
        };
        let many = Task::MultiClass { classes: labels, numeric: false };
        let many = report(&Evaluation { task: &many, classes: &classes, numbers: &[], outputs: &outputs, seed: 1 });
        let two = report(&Evaluation {
            task: &no_yes(),
            classes: &classes.iter().map(|class| class % 2).collect::<Vec<_>>(),
            numbers: &[],
            outputs: &numbers,
            seed: 1,
        });
        let regression = report(&Evaluation {
            task: &Task::Regression,
            classes: &[],
            numbers: &numbers,
            outputs: &numbers,
            seed: 1,
        });
        let sizes = [
            size(&many, &["roc_curves"]),
            size(&two, &["roc_curve", "precision_recall_curve", "calibration"]),
            size(&regression, &["predictions"]),
            size(&many, &["confusion_matrix"]),
        ];
        println!("{sizes:?} bytes");
        assert!(sizes.iter().all(|size| *size < 64 << 10), "{sizes:?}");
        assert_eq!(two["roc_curve"]["fpr"].as_array().unwrap().len(), curves::MAX_POINTS);
        assert_eq!(regression["predictions"]["actual"].as_array().unwrap().len(), MAX_LISTED_ROWS);
    }

    #[test]
    fn roc_auc_is_null_with_one_class_in_the_held_out_part() {
        let task = no_yes();
        let report = report(&Evaluation { task: &task, classes: &[0, 0], numbers: &[], outputs: &[0.1, 0.2], seed: 1 });
        assert_eq!(report["roc_auc"], Value::Null);
        assert!(report.get("roc_curve").is_none() && report.get("precision_recall_curve").is_none());
        assert_eq!(report["calibration"].as_array().unwrap().len(), 2);
        assert_eq!(report["f1"], 0.0);
    }

    #[test]
    fn regression_has_its_own_metrics() {
        let report = report(&Evaluation {
            task: &Task::Regression,
            classes: &[],
            numbers: &[1.0, 2.0],
            outputs: &[1.0, 3.0],
            seed: 1,
        });
        assert_eq!((&report["r2"], &report["mae"]), (&json!(-1.0), &json!(0.5)));
        assert!(!report.contains_key("accuracy"));
    }
}
