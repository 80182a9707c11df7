//! Classification metrics.

/// The index of the largest probability, or the first of equal ones.
pub fn most_likely(shares: &[f64]) -> usize {
    let mut best = 0;
    for (class, share) in shares.iter().enumerate() {
        if *share > shares[best] {
            best = class;
        }
    }
    best
}

/// The probability of a class in an output vector.
pub fn share(outputs: &[f64], class: usize) -> f64 {
    match outputs {
        [positive] if class == 1 => *positive,
        [positive] => 1.0 - positive,
        shares => shares[class],
    }
}

/// The share of correct predictions.
pub fn accuracy(actual: &[usize], predicted: &[usize]) -> f64 {
    let right = actual.iter().zip(predicted).filter(|(actual, predicted)| actual == predicted).count();
    right as f64 / actual.len() as f64
}

/// `counts[actual][predicted]`.
pub fn confusion_matrix(actual: &[usize], predicted: &[usize], n_classes: usize) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; n_classes]; n_classes];
    for (actual, predicted) in actual.iter().zip(predicted) {
        counts[*actual][*predicted] += 1;
    }
    counts
}

/// Precision, recall and F1; 0 if undefined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecall {
    /// The share of correct predictions among the rows predicted as the class.
    pub precision: f64,
    /// The share of rows of the class that were predicted as the class.
    pub recall: f64,
    /// 2 · precision · recall / (precision + recall).
    pub f1: f64,
}

/// Precision and recall of one class.
pub fn precision_recall(confusion: &[Vec<u64>], class: usize) -> PrecisionRecall {
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let correct = confusion[class][class];
    let predicted: u64 = confusion.iter().map(|row| row[class]).sum();
    let actual: u64 = confusion[class].iter().sum();
    PrecisionRecall {
        precision: ratio(correct, predicted),
        recall: ratio(correct, actual),
        f1: ratio(2 * correct, predicted + actual),
    }
}

/// The unweighted mean over all classes that occur in the actual or predicted values (macro average).
pub fn macro_average(confusion: &[Vec<u64>]) -> PrecisionRecall {
    let is_used =
        |class: &usize| confusion[*class].iter().any(|count| *count > 0) || confusion.iter().any(|row| row[*class] > 0);
    let each: Vec<PrecisionRecall> =
        (0..confusion.len()).filter(is_used).map(|class| precision_recall(confusion, class)).collect();
    let mean = |of: fn(&PrecisionRecall) -> f64| each.iter().map(of).sum::<f64>() / each.len().max(1) as f64;
    PrecisionRecall { precision: mean(|r| r.precision), recall: mean(|r| r.recall), f1: mean(|r| r.f1) }
}

/// The mean negative logarithm of the probability of the actual class. Probabilities are clipped to [1e-15, 1 - 1e-15].
/// `probability` takes a row and its actual class.
pub fn log_loss(actual: &[usize], probability: impl Fn(usize, usize) -> f64) -> f64 {
    const EPSILON: f64 = 1e-15;
    let losses =
        actual.iter().enumerate().map(|(row, class)| -probability(row, *class).clamp(EPSILON, 1.0 - EPSILON).ln());
    losses.sum::<f64>() / actual.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    // scikit-learn 1.9.1, y = [0,0,1,1,1,0,1,0], p = [.1,.4,.35,.8,.65,.6,.5,0.] and predicted = p >= .5:
    // accuracy_score 0.75, precision_score .75, recall_score .75, f1_score .75, log_loss (1e-15 clipped) 0.49117158047040754
    #[test]
    fn two_classes_match_scikit_learn() {
        let actual = [0, 0, 1, 1, 1, 0, 1, 0];
        let shares = [0.1, 0.4, 0.35, 0.8, 0.65, 0.6, 0.5, 0.0];
        let predicted: Vec<usize> = shares.iter().map(|share| usize::from(*share >= 0.5)).collect();
        assert!(close(accuracy(&actual, &predicted), 0.75));
        let confusion = confusion_matrix(&actual, &predicted, 2);
        assert_eq!(confusion, [[3, 1], [1, 3]]);
        let PrecisionRecall { precision, recall, f1 } = precision_recall(&confusion, 1);
        assert!(close(precision, 0.75) && close(recall, 0.75) && close(f1, 0.75));
        let loss = log_loss(&actual, |row, class| if class == 1 { shares[row] } else { 1.0 - shares[row] });
        assert!(close(loss, LOG_LOSS), "{loss}");
    }
    const LOG_LOSS: f64 = 0.491_171_580_470_407_54;

    // Computed by hand: actual [0,0,1,1,2,2], predicted [0,1,1,1,0,2].
    #[test]
    fn several_classes_have_a_macro_average() {
        let confusion = confusion_matrix(&[0, 0, 1, 1, 2, 2], &[0, 1, 1, 1, 0, 2], 3);
        assert_eq!(confusion, [[1, 1, 0], [0, 2, 0], [1, 0, 1]]);
        let PrecisionRecall { precision, recall, f1 } = macro_average(&confusion);
        assert!(close(precision, (0.5 + 2.0 / 3.0 + 1.0) / 3.0));
        assert!(close(recall, (0.5 + 1.0 + 0.5) / 3.0));
        assert!(close(f1, (0.5 + 0.8 + 2.0 / 3.0) / 3.0));
    }

    #[test]
    fn a_class_without_rows_is_ignored() {
        let confusion = confusion_matrix(&[0, 1], &[0, 1], 3);
        assert!(close(macro_average(&confusion).f1, 1.0));
        assert!(close(precision_recall(&confusion, 2).precision, 0.0));
    }

    #[test]
    fn the_log_loss_of_a_wrong_certainty_is_finite() {
        let loss = log_loss(&[1], |_, _| 0.0);
        assert!(close(loss, -(1e-15_f64.ln())));
    }
}
