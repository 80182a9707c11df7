//! The metrics of one model as JSON, for jobs, model versions and artifacts.

use serde_json::{Map, Value, json};

use super::classes::{accuracy, confusion_matrix, log_loss, macro_average, precision_recall, predicted};
use super::{regression, roc};
use crate::model::Task;

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
}

/// The metrics by name. Classification: `accuracy, roc_auc, log_loss, f1, precision, recall, confusion_matrix`, and for
/// binary tasks `positive_class`. Regression: `r2, rmse, mae`.
pub fn report(measured: &Evaluation<'_>) -> Map<String, Value> {
    let report = match measured.task {
        Task::Regression => json!({
            "r2": regression::r2(measured.numbers, measured.outputs),
            "rmse": regression::rmse(measured.numbers, measured.outputs),
            "mae": regression::mae(measured.numbers, measured.outputs),
        }),
        Task::Binary { .. } | Task::MultiClass { .. } => classification_report(measured),
    };
    match report {
        Value::Object(report) => report,
        _ => Map::new(),
    }
}

fn classification_report(measured: &Evaluation<'_>) -> Value {
    let (task, actual) = (measured.task, measured.classes);
    let labels: Vec<Value> = task.labels().into_iter().map(|label| task.label_value(label)).collect();
    let rows: Vec<&[f64]> = measured.outputs.chunks_exact(task.outputs()).collect();
    let share = |row: usize, class: usize| match rows[row] {
        [positive] if class == 1 => *positive,
        [positive] => 1.0 - positive,
        shares => shares[class],
    };
    let predicted: Vec<usize> = rows.iter().map(|outputs| predicted(outputs)).collect();
    let confusion = confusion_matrix(actual, &predicted, labels.len());
    let (scores, area) = if let Task::Binary { .. } = task {
        let positive: Vec<f64> = (0..rows.len()).map(|row| share(row, 1)).collect();
        (precision_recall(&confusion, 1), roc::auc(&positive, |row| actual[row] == 1))
    } else {
        (macro_average(&confusion), roc::one_vs_rest(actual, labels.len(), share))
    };
    let mut report = json!({
        "accuracy": accuracy(actual, &predicted),
        "roc_auc": area,
        "log_loss": log_loss(actual, share),
        "f1": scores.f1,
        "precision": scores.precision,
        "recall": scores.recall,
        "confusion_matrix": {"labels": labels, "counts": confusion},
    });
    if let Task::Binary { positive, .. } = task {
        report["positive_class"] = task.label_value(positive);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_yes() -> Task {
        Task::Binary { negative: "no".into(), positive: "yes".into(), boolean: false, numeric: false }
    }

    #[test]
    fn binary_metrics_are_those_of_the_positive_class() {
        let task = no_yes();
        let outputs = [0.1, 0.9, 0.5, 0.2];
        let report = report(&Evaluation { task: &task, classes: &[0, 1, 0, 1], numbers: &[], outputs: &outputs });
        assert_eq!(report["accuracy"], 0.5);
        assert_eq!(report["positive_class"], "yes");
        assert_eq!(report["confusion_matrix"], json!({"labels": ["no", "yes"], "counts": [[1, 1], [1, 1]]}));
        assert_eq!(report["precision"], 0.5);
    }

    #[test]
    fn roc_auc_is_null_with_one_class_in_the_held_out_part() {
        let task = no_yes();
        let report = report(&Evaluation { task: &task, classes: &[0, 0], numbers: &[], outputs: &[0.1, 0.2] });
        assert_eq!(report["roc_auc"], Value::Null);
        assert_eq!(report["f1"], 0.0);
    }

    #[test]
    fn regression_has_its_own_metrics() {
        let report =
            report(&Evaluation { task: &Task::Regression, classes: &[], numbers: &[1.0, 2.0], outputs: &[1.0, 3.0] });
        assert_eq!((&report["r2"], &report["mae"]), (&json!(-1.0), &json!(0.5)));
        assert!(!report.contains_key("accuracy"));
    }
}
