//! Isotonic regression of classes on scores, by pooling adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman, "An empirical
//! distribution function for sampling with incomplete information", 1955), for the calibration of probabilities (Zadrozny and
//! Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002).

/// Maximum number of points of a fitted function. The number of steps grows with the cube root of the rows, so only tables of
/// more than 100 million rows have more.
pub(crate) const MAX_POINTS: usize = 1_000;

/// Rows with the same fitted value, in ascending order of their scores.
struct Block {
    /// The lowest and the highest score.
    scores: (f64, f64),
    rows: usize,
    positives: usize,
}

impl Block {
    fn share(&self) -> f64 {
        self.positives as f64 / self.rows as f64
    }
}

/// Fits a function that never falls, with the least squared error: the points `(score, share)`, between which the function is
/// linear, with ascending scores. Finite scores; at least one.
///
/// As in Platt's method no share is quite 0 or 1, because a row of the other class would have an infinite log loss: with n
/// rows a share is at least 1 / (n + 2), and at most 1 less than that.
pub(crate) fn fit(scores: &[f64], positive: &[bool]) -> (Vec<f64>, Vec<f64>) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut blocks: Vec<Block> = Vec::new();
    for equal in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let score = scores[equal[0]];
        let positives = equal.iter().filter(|row| positive[**row]).count();
        let mut last = Block { scores: (score, score), rows: equal.len(), positives };
        while let Some(before) = blocks.pop_if(|before| before.share() >= last.share()) {
            last = Block {
                scores: (before.scores.0, last.scores.1),
                rows: before.rows + last.rows,
                positives: before.positives + last.positives,
            };
        }
        blocks.push(last);
    }
    let least = 1.0 / (scores.len() as f64 + 2.0);
    let mut points = Vec::with_capacity(2 * blocks.len());
    for block in &blocks {
        let share = block.share().clamp(least, 1.0 - least);
        points.push((block.scores.0, share));
        if block.scores.0 < block.scores.1 {
            points.push((block.scores.1, share));
        }
    }
    thin(points).into_iter().unzip()
}

/// Evenly spaced points, with the first and the last one.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MAX_POINTS {
        return points;
    }
    (0..MAX_POINTS).map(|at| points[at * (points.len() - 1) / (MAX_POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::Stream;

    // scikit-learn 1.9.1: IsotonicRegression().fit([.1, .2, .3, .4, .5, .6], [0, 1, 0, 0, 1, 1]).predict(...) gives
    // [0, 1/3, 1/3, 1/3, 1, 1].
    #[test]
    fn violators_are_pooled() {
        let (scores, shares) = fit(&[0.6, 0.2, 0.3, 0.1, 0.5, 0.4], &[true, true, false, false, true, false]);
        assert_eq!(scores, [0.1, 0.2, 0.4, 0.5, 0.6]);
        let expected = [1.0 / 8.0, 1.0 / 3.0, 1.0 / 3.0, 7.0 / 8.0, 7.0 / 8.0];
        assert!(shares.iter().zip(expected).all(|(found, share)| (found - share).abs() < 1e-12), "{shares:?}");
    }

    #[test]
    fn equal_scores_have_one_share() {
        let (scores, shares) = fit(&[0.5; 4], &[true, false, false, false]);
        assert_eq!((scores, shares), (vec![0.5], vec![0.25]));
        let (scores, shares) = fit(&[0.3], &[true]);
        assert!(scores == [0.3] && (shares[0] - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_function_never_falls_and_has_few_points() {
        for seed in 0..20 {
            let mut random = Stream(seed);
            let scores: Vec<f64> = (0..3_000).map(|_| (random.unit() * 500.0).round() / 500.0).collect();
            let positive: Vec<bool> = scores.iter().map(|score| random.unit() < score * score).collect();
            let (points, shares) = fit(&scores, &positive);
            assert!(points.is_sorted_by(|a, b| a < b) && shares.is_sorted_by(|a, b| a <= b));
            assert!(shares.iter().all(|share| *share > 0.0 && *share < 1.0));
            assert!(points.len() < 150, "{}", points.len());
            // The fitted shares are those of the rows.
            let mean = positive.iter().filter(|positive| **positive).count() as f64 / 3_000.0;
            let of = |score: &f64| shares[points.partition_point(|point| point < score).min(points.len() - 1)];
            let fitted = scores.iter().map(of).sum::<f64>() / 3_000.0;
            assert!((fitted - mean).abs() < 0.005, "{fitted} for {mean}");
        }
        let steps: Vec<(f64, f64)> = (0..5_000).map(|at| (f64::from(at), f64::from(at) / 5_000.0)).collect();
        let thinned = thin(steps.clone());
        assert_eq!((thinned.len(), thinned[0], thinned[MAX_POINTS - 1]), (MAX_POINTS, steps[0], steps[4_999]));
    }
}
