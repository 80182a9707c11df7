//! The area under the ROC curve, computed from ranks (Mann-Whitney U).

/// The probability that a random positive row has a higher score than a random negative row; ties count one half.
/// `None` with only one class. NaN is the highest score.
pub fn auc(scores: &[f64], positive: impl Fn(usize) -> bool) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let positives = (0..scores.len()).filter(|row| positive(*row)).count();
    let negatives = scores.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut rank_sum = 0.0;
    let mut from = 0;
    while from < order.len() {
        let tied = order[from..].iter().take_while(|row| scores[**row] == scores[order[from]]).count().max(1);
        // The ranks from + 1 ..= from + tied are replaced by their mean.
        let rank = from as f64 + (tied as f64 + 1.0) / 2.0;
        rank_sum += rank * order[from..from + tied].iter().filter(|row| positive(**row)).count() as f64;
        from += tied;
    }
    let (positives, negatives) = (positives as f64, negatives as f64);
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// The unweighted mean over one-vs-rest areas. Classes without actual rows are ignored; `None` if no class remains.
/// `share` takes a row and a class.
pub fn one_vs_rest(actual: &[usize], n_classes: usize, share: impl Fn(usize, usize) -> f64) -> Option<f64> {
    let areas: Vec<f64> = (0..n_classes)
        .filter_map(|class| {
            let scores: Vec<f64> = (0..actual.len()).map(|row| share(row, class)).collect();
            auc(&scores, |row| actual[row] == class)
        })
        .collect();
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(actual: &[u8], scores: &[f64]) -> Option<f64> {
        auc(scores, |row| actual[row] == 1)
    }

    // scikit-learn 1.9.1: roc_auc_score([0,0,1,1], [.1,.4,.35,.8]) = 0.75;
    // roc_auc_score([0,1,0,1,1,0], [.5,.5,.5,.7,.2,.2]) = 0.6111111111111112
    #[test]
    fn areas_match_scikit_learn() {
        assert_eq!(area(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]), Some(0.75));
        let tied = area(&[0, 1, 0, 1, 1, 0], &[0.5, 0.5, 0.5, 0.7, 0.2, 0.2]).unwrap();
        assert!((tied - 11.0 / 18.0).abs() < 1e-12, "{tied}");
    }

    #[test]
    fn only_the_order_of_the_scores_matters() {
        assert_eq!(area(&[0, 0, 1, 1], &[-5.0, 0.0, 1e300, f64::INFINITY]), Some(1.0));
        assert_eq!(area(&[1, 1, 0, 0], &[0.1, 0.2, 0.3, 0.4]), Some(0.0));
        assert_eq!(area(&[0, 1, 0, 1], &[0.5; 4]), Some(0.5));
        assert_eq!(area(&[1, 1], &[0.1, 0.2]), None);
    }

    #[test]
    fn several_classes_are_averaged() {
        let shares = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.4, 0.35, 0.25]];
        let actual = [0, 1, 2, 1];
        let area = one_vs_rest(&actual, 3, |row, class| shares[row][class]).unwrap();
        assert!((area - 1.0).abs() < 1e-12);
        // A class without rows has no area.
        assert!(one_vs_rest(&actual, 4, |row, class| shares[row].get(class).copied().unwrap_or(0.0)).is_some());
        assert_eq!(one_vs_rest(&[0, 0], 2, |_, _| 0.5), None);
    }
}
