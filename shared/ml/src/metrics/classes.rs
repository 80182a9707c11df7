//! Measures of classification that count or weigh single answers.

/// The index of the largest share, the first of several: the class a model is taken to say. For two classes given as
/// the positive share alone, a share of 0.5 counts as positive instead; see [`predicted`].
pub fn most_likely(shares: &[f64]) -> usize {
    let mut best = 0;
    for (class, share) in shares.iter().enumerate() {
        if *share > shares[best] {
            best = class;
        }
    }
    best
}

/// The class an output vector speaks for: for a single number, class 1 from 0.5 on.
pub fn predicted(outputs: &[f64]) -> usize {
    match outputs {
        [positive] => usize::from(*positive >= 0.5),
        shares => most_likely(shares),
    }
}

/// Share of right answers.
pub fn accuracy(truth: &[usize], said: &[usize]) -> f64 {
    let right = truth.iter().zip(said).filter(|(truth, said)| truth == said).count();
    right as f64 / truth.len() as f64
}

/// `counts[truth][said]`.
pub fn confusion_matrix(truth: &[usize], said: &[usize], n_classes: usize) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; n_classes]; n_classes];
    for (truth, said) in truth.iter().zip(said) {
        counts[*truth][*said] += 1;
    }
    counts
}

/// Precision, recall and their harmonic mean; 0 where nothing was predicted or nothing was there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retrieval {
    /// Share of right answers among those that named the class.
    pub precision: f64,
    /// Share of the class's rows that were named.
    pub recall: f64,
    /// 2 · precision · recall / (precision + recall).
    pub f1: f64,
}

/// How well one class was found, from a confusion matrix.
pub fn retrieval(confusion: &[Vec<u64>], class: usize) -> Retrieval {
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let found = confusion[class][class];
    let named: u64 = confusion.iter().map(|row| row[class]).sum();
    let there: u64 = confusion[class].iter().sum();
    Retrieval { precision: ratio(found, named), recall: ratio(found, there), f1: ratio(2 * found, named + there) }
}

/// The plain mean over the classes that were there or were named ("macro").
pub fn macro_retrieval(confusion: &[Vec<u64>]) -> Retrieval {
    let is_used =
        |class: &usize| confusion[*class].iter().any(|count| *count > 0) || confusion.iter().any(|row| row[*class] > 0);
    let each: Vec<Retrieval> = (0..confusion.len()).filter(is_used).map(|class| retrieval(confusion, class)).collect();
    let mean = |of: fn(&Retrieval) -> f64| each.iter().map(of).sum::<f64>() / each.len().max(1) as f64;
    Retrieval { precision: mean(|r| r.precision), recall: mean(|r| r.recall), f1: mean(|r| r.f1) }
}

/// Mean of minus the logarithm of the probability given to the true class. Probabilities are kept from 0 and 1 by 1e-15
/// so that one confident mistake costs much but not everything. `probability` takes a row and its true class.
pub fn log_loss(truth: &[usize], probability: impl Fn(usize, usize) -> f64) -> f64 {
    const EPSILON: f64 = 1e-15;
    let losses =
        truth.iter().enumerate().map(|(row, class)| -probability(row, *class).clamp(EPSILON, 1.0 - EPSILON).ln());
    losses.sum::<f64>() / truth.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    // scikit-learn 1.9.1, y = [0,0,1,1,1,0,1,0], p = [.1,.4,.35,.8,.65,.6,.5,0.] and said = p >= .5:
    // accuracy_score 0.75, precision_score .75, recall_score .75, f1_score .75, log_loss (1e-15 clipped) 0.49117158047040754
    #[test]
    fn two_classes_match_scikit_learn() {
        let truth = [0, 0, 1, 1, 1, 0, 1, 0];
        let shares = [0.1, 0.4, 0.35, 0.8, 0.65, 0.6, 0.5, 0.0];
        let said: Vec<usize> = shares.iter().map(|share| predicted(&[*share])).collect();
        assert!(close(accuracy(&truth, &said), 0.75));
        let confusion = confusion_matrix(&truth, &said, 2);
        assert_eq!(confusion, [[3, 1], [1, 3]]);
        let Retrieval { precision, recall, f1 } = retrieval(&confusion, 1);
        assert!(close(precision, 0.75) && close(recall, 0.75) && close(f1, 0.75));
        let loss = log_loss(&truth, |row, class| if class == 1 { shares[row] } else { 1.0 - shares[row] });
        assert!(close(loss, LOG_LOSS), "{loss}");
    }
    const LOG_LOSS: f64 = 0.491_171_580_470_407_54;

    // By hand: classes 0, 1, 2 with truth [0,0,1,1,2,2], said [0,1,1,1,0,2].
    #[test]
    fn several_classes_are_averaged_evenly() {
        let confusion = confusion_matrix(&[0, 0, 1, 1, 2, 2], &[0, 1, 1, 1, 0, 2], 3);
        assert_eq!(confusion, [[1, 1, 0], [0, 2, 0], [1, 0, 1]]);
        let Retrieval { precision, recall, f1 } = macro_retrieval(&confusion);
        assert!(close(precision, (0.5 + 2.0 / 3.0 + 1.0) / 3.0));
        assert!(close(recall, (0.5 + 1.0 + 0.5) / 3.0));
        assert!(close(f1, (0.5 + 0.8 + 2.0 / 3.0) / 3.0));
    }

    #[test]
    fn a_class_that_never_comes_up_spoils_nothing() {
        let confusion = confusion_matrix(&[0, 1], &[0, 1], 3);
        assert!(close(macro_retrieval(&confusion).f1, 1.0));
        assert!(close(retrieval(&confusion, 2).precision, 0.0));
    }

    #[test]
    fn a_sure_mistake_costs_a_finite_amount() {
        let loss = log_loss(&[1], |_, _| 0.0);
        assert!(close(loss, -(1e-15_f64.ln())));
    }
}
