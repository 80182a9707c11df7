//! The reliability of probabilities: whether they agree with the frequencies.

use serde_json::{Value, json};

use super::classes::{log_loss, most_likely, share};
use super::curves::{self, CalibrationBin};
use crate::model::Task;

/// `{brier_score, expected_calibration_error, log_loss, points}` of output vectors.
///
/// * `brier_score` is the mean squared error of the probability of the positive class, or with more classes the mean sum over
///   the classes (Brier 1950).
/// * `points` has ten bins of equal width, of the probabilities of the positive class. With more classes the probabilities are
///   those of the predicted class, and a row is positive if the prediction is right.
/// * `expected_calibration_error` is the mean distance between probability and frequency of these bins, weighted by their rows
///   (Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017).
pub fn report(task: &Task, actual: &[usize], outputs: &[f64]) -> Value {
    let rows: Vec<&[f64]> = outputs.chunks_exact(task.outputs()).collect();
    let (probabilities, events): (Vec<f64>, Vec<bool>) = rows
        .iter()
        .zip(actual)
        .map(|(outputs, actual)| match outputs {
            [positive] => (*positive, *actual == 1),
            shares => {
                let class = most_likely(shares);
                (shares[class], class == *actual)
            }
        })
        .unzip();
    let squares = |(outputs, actual): (&&[f64], &usize)| match outputs {
        [positive] => (positive - f64::from(u8::from(*actual == 1))).powi(2),
        shares => {
            let errors = shares.iter().enumerate().map(|(class, share)| share - f64::from(u8::from(class == *actual)));
            errors.map(|error| error.powi(2)).sum()
        }
    };
    let brier = rows.iter().zip(actual).map(squares).sum::<f64>() / actual.len() as f64;
    let bins = curves::calibration(&probabilities, |row| events[row]);
    json!({
        "brier_score": brier,
        "expected_calibration_error": expected_error(&bins),
        "log_loss": log_loss(actual, |row, class| share(rows[row], class)),
        "points": curves::calibration_json(&bins),
    })
}

fn expected_error(bins: &[CalibrationBin]) -> f64 {
    let rows: usize = bins.iter().map(|bin| bin.count).sum();
    let distance = |bin: &CalibrationBin| bin.count as f64 * (bin.mean_probability - bin.positive_share).abs();
    bins.iter().map(distance).sum::<f64>() / rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::{binary, three_classes};

    // scikit-learn 1.9.1: brier_score_loss([0, 1, 1, 0], [.1, .9, .8, .3]) = 0.0375. The bins have .1, .3, .8 and .9.
    #[test]
    fn two_classes_have_the_figures_of_the_positive_class() {
        let found = report(&binary(), &[0, 1, 1, 0], &[0.1, 0.9, 0.8, 0.3]);
        assert!((found["brier_score"].as_f64().unwrap() - 0.0375).abs() < 1e-12, "{found}");
        let expected = (0.1 + 0.1 + 0.2 + 0.3) / 4.0;
        assert!((found["expected_calibration_error"].as_f64().unwrap() - expected).abs() < 1e-12, "{found}");
        assert_eq!(found["points"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn several_classes_have_those_of_the_predicted_class() {
        let found = report(&three_classes(), &[0, 2], &[0.7, 0.2, 0.1, 0.1, 0.6, 0.3]);
        let brier = (0.09 + 0.04 + 0.01 + 0.01 + 0.36 + 0.49) / 2.0;
        assert!((found["brier_score"].as_f64().unwrap() - brier).abs() < 1e-12, "{found}");
        // One right prediction with 0.7, and a wrong one with 0.6.
        assert!((found["expected_calibration_error"].as_f64().unwrap() - 0.45).abs() < 1e-12, "{found}");
    }
}
