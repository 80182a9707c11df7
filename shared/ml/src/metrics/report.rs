//! The measures of one model as the JSON that jobs, model versions and the artifact carry.

use serde_json::{Map, Value, json};

use super::classes::{accuracy, confusion_matrix, log_loss, macro_retrieval, predicted, retrieval};
use super::{regression, roc};
use crate::model::Task;

/// What was seen on the held-out part.
#[derive(Debug)]
pub struct Measured<'a> {
    /// What kind of answer the model gives.
    pub task: &'a Task,
    /// The true class per row; empty for regression.
    pub classes: &'a [usize],
    /// The true number per row; empty for classes.
    pub numbers: &'a [f64],
    /// [`Task::outputs`] numbers per row.
    pub outputs: &'a [f64],
}

/// The measures by name: for classes `accuracy, roc_auc, log_loss, f1, precision, recall, confusion_matrix` and, for
/// two, `positive_class`; for numbers `r2, rmse, mae`.
pub fn report(measured: &Measured<'_>) -> Map<String, Value> {
    let report = match measured.task {
        Task::Regression => json!({
            "r2": regression::r2(measured.numbers, measured.outputs),
            "rmse": regression::rmse(measured.numbers, measured.outputs),
            "mae": regression::mae(measured.numbers, measured.outputs),
        }),
        Task::Binary { .. } | Task::MultiClass { .. } => of_classes(measured),
    };
    match report {
        Value::Object(report) => report,
        _ => Map::new(),
    }
}

fn of_classes(measured: &Measured<'_>) -> Value {
    let (task, truth) = (measured.task, measured.classes);
    let labels = task.labels();
    let rows: Vec<&[f64]> = measured.outputs.chunks_exact(task.outputs()).collect();
    let share = |row: usize, class: usize| match rows[row] {
        [positive] if class == 1 => *positive,
        [positive] => 1.0 - positive,
        shares => shares[class],
    };
    let said: Vec<usize> = rows.iter().map(|outputs| predicted(outputs)).collect();
    let confusion = confusion_matrix(truth, &said, labels.len());
    let (found, area) = if let Task::Binary { .. } = task {
        let positive: Vec<f64> = (0..rows.len()).map(|row| share(row, 1)).collect();
        (retrieval(&confusion, 1), roc::auc(&positive, |row| truth[row] == 1))
    } else {
        (macro_retrieval(&confusion), roc::one_against_rest(truth, labels.len(), share))
    };
    let mut report = json!({
        "accuracy": accuracy(truth, &said),
        "roc_auc": area,
        "log_loss": log_loss(truth, share),
        "f1": found.f1,
        "precision": found.precision,
        "recall": found.recall,
        "confusion_matrix": {"labels": labels, "counts": confusion},
    });
    if let Task::Binary { positive, .. } = task {
        report["positive_class"] = json!(positive);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_are_measured_by_the_positive_one() {
        let task = Task::from_labels(["no", "yes"]).unwrap();
        let outputs = [0.1, 0.9, 0.5, 0.2];
        let report = report(&Measured { task: &task, classes: &[0, 1, 0, 1], numbers: &[], outputs: &outputs });
        assert_eq!(report["accuracy"], 0.5);
        assert_eq!(report["positive_class"], "yes");
        assert_eq!(report["confusion_matrix"], json!({"labels": ["no", "yes"], "counts": [[1, 1], [1, 1]]}));
        assert_eq!(report["precision"], 0.5);
    }

    #[test]
    fn one_class_in_the_held_out_part_leaves_the_area_null() {
        let task = Task::from_labels(["no", "yes"]).unwrap();
        let report = report(&Measured { task: &task, classes: &[0, 0], numbers: &[], outputs: &[0.1, 0.2] });
        assert_eq!(report["roc_auc"], Value::Null);
        assert_eq!(report["f1"], 0.0);
    }

    #[test]
    fn numbers_have_measures_of_their_own() {
        let report =
            report(&Measured { task: &Task::Regression, classes: &[], numbers: &[1.0, 2.0], outputs: &[1.0, 3.0] });
        assert_eq!((&report["r2"], &report["mae"]), (&json!(-1.0), &json!(0.5)));
        assert!(!report.contains_key("accuracy"));
    }
}
