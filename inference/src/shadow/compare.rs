//! Compares the predictions of two versions for the same rows.

use trainyard_ml::model::Task;

/// The result of a comparison.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Comparison {
    /// Rows with the same class.
    pub(super) agreed: usize,
    /// Rows with different classes.
    pub(super) disagreed: usize,
    /// Rows with numbers.
    pub(super) compared: usize,
    /// The absolute difference of each row: of the numbers, or the mean over the probabilities of the answer's classes.
    pub(super) differences: Vec<f64>,
}

/// Compares output vectors, each list with [`Task::outputs`] numbers per row. `None` if one version predicts classes and the
/// other one numbers.
pub(super) fn compare(answer: (&Task, &[f64]), shadow: (&Task, &[f64])) -> Option<Comparison> {
    let mut comparison = Comparison::default();
    match (answer.0, shadow.0) {
        (Task::Regression, Task::Regression) => {
            comparison.differences = answer.1.iter().zip(shadow.1).map(|(a, b)| (a - b).abs()).collect();
            comparison.compared = comparison.differences.len();
        }
        (Task::Regression, _) | (_, Task::Regression) => return None,
        (answer_task, shadow_task) => {
            let (labels, shadow_labels) = (answer_task.labels(), shadow_task.labels());
            // The versions may have been trained on other classes, or with another positive class.
            let positions: Vec<_> =
                labels.iter().map(|label| shadow_labels.iter().position(|other| other == label)).collect();
            let rows = answer.1.chunks_exact(answer_task.outputs()).zip(shadow.1.chunks_exact(shadow_task.outputs()));
            for (one, other) in rows {
                let (predicted, others) = (answer_task.predicted_class(one), shadow_task.predicted_class(other));
                let agrees = positions[predicted] == Some(others);
                comparison.agreed += usize::from(agrees);
                comparison.disagreed += usize::from(!agrees);
                let difference = |(class, position): (usize, &Option<usize>)| {
                    let other = position.map_or(0.0, |position| probability(shadow_task, other, position));
                    (probability(answer_task, one, class) - other).abs()
                };
                let sum: f64 = positions.iter().enumerate().map(difference).sum();
                comparison.differences.push(sum / labels.len() as f64);
            }
        }
    }
    Some(comparison)
}

/// The probability of a class, by its index in [`Task::labels`].
fn probability(task: &Task, outputs: &[f64], class: usize) -> f64 {
    match (task, class) {
        (Task::Binary { .. }, 0) => 1.0 - outputs[0],
        (Task::Binary { .. }, _) => outputs[0],
        _ => outputs[class],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(negative: &str, positive: &str) -> Task {
        Task::Binary {
            negative: negative.into(),
            positive: positive.into(),
            boolean: false,
            numeric: false,
            threshold: 0.5,
        }
    }

    fn classes(labels: &[&str]) -> Task {
        Task::MultiClass { classes: labels.iter().map(|label| (*label).to_owned()).collect(), numeric: false }
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
    }

    #[test]
    fn two_classes_are_compared_by_their_probability() {
        let task = binary("no", "yes");
        let found = compare((&task, &[0.9, 0.2, 0.6]), (&task, &[0.8, 0.3, 0.4])).unwrap();
        assert_eq!((found.agreed, found.disagreed, found.compared), (2, 1, 0));
        close(&found.differences, &[0.1, 0.1, 0.2]);
    }

    #[test]
    fn another_positive_class_is_the_same_prediction() {
        let found = compare((&binary("no", "yes"), &[0.9]), (&binary("yes", "no"), &[0.1])).unwrap();
        assert_eq!((found.agreed, found.disagreed), (1, 0));
        close(&found.differences, &[0.0]);
    }

    #[test]
    fn several_classes_are_compared_by_label() {
        let (one, other) = (classes(&["a", "b", "c"]), classes(&["b", "c", "d"]));
        let found =
            compare((&one, &[0.1, 0.7, 0.2, 0.8, 0.1, 0.1]), (&other, &[0.6, 0.2, 0.2, 0.1, 0.1, 0.8])).unwrap();
        assert_eq!((found.agreed, found.disagreed), (1, 1));
        close(&found.differences, &[0.2 / 3.0, 0.8 / 3.0]);
    }

    #[test]
    fn numbers_have_only_a_difference() {
        let found = compare((&Task::Regression, &[3.0, -1.0]), (&Task::Regression, &[2.5, 1.0])).unwrap();
        assert_eq!((found.agreed, found.disagreed, found.compared), (0, 0, 2));
        close(&found.differences, &[0.5, 2.0]);
        assert_eq!(compare((&Task::Regression, &[1.0]), (&binary("0", "1"), &[0.5])), None);
    }
}
