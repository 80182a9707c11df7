//! Platt scaling, fitted by Newton's method with backtracking (Lin, Lin and Weng, "A note on Platt's probabilistic
//! outputs for support vector classifiers", 2007). The names are those of the paper.

const MAX_ITERATIONS: usize = 100;
/// Minimum step of the line search.
const MIN_STEP: f64 = 1e-10;
/// Keeps the Hessian positive definite.
const SIGMA: f64 = 1e-12;
const TOLERANCE: f64 = 1e-5;

/// Returns A and B of `P(positive) = 1 / (1 + exp(A f + B))` for decision values and their actual classes.
pub(crate) fn fit(decisions: &[f64], positive: &[bool]) -> (f64, f64) {
    let prior1 = positive.iter().filter(|positive| **positive).count() as f64;
    let prior0 = positive.len() as f64 - prior1;
    // Platt's prior: targets slightly below 1 and above 0.
    let (high, low) = ((prior1 + 1.0) / (prior1 + 2.0), 1.0 / (prior0 + 2.0));
    let target = |row: usize| if positive[row] { high } else { low };
    let objective = |a: f64, b: f64| -> f64 {
        let losses = decisions.iter().enumerate().map(|(row, f)| {
            let z = f * a + b;
            // Two equivalent forms; the chosen form never overflows.
            if z >= 0.0 { target(row) * z + (-z).exp().ln_1p() } else { (target(row) - 1.0) * z + z.exp().ln_1p() }
        });
        losses.sum()
    };
    let (mut a, mut b) = (0.0, ((prior0 + 1.0) / (prior1 + 1.0)).ln());
    let mut value = objective(a, b);
    for _ in 0..MAX_ITERATIONS {
        let (mut h11, mut h22, mut h21, mut g1, mut g2) = (SIGMA, SIGMA, 0.0, 0.0, 0.0);
        for (row, f) in decisions.iter().enumerate() {
            let z = f * a + b;
            let (p, q) = if z >= 0.0 {
                ((-z).exp() / (1.0 + (-z).exp()), 1.0 / (1.0 + (-z).exp()))
            } else {
                (1.0 / (1.0 + z.exp()), z.exp() / (1.0 + z.exp()))
            };
            let d2 = p * q;
            h11 += f * f * d2;
            h22 += d2;
            h21 += f * d2;
            let d1 = target(row) - p;
            g1 += f * d1;
            g2 += d1;
        }
        if g1.abs() < TOLERANCE && g2.abs() < TOLERANCE {
            break;
        }
        let det = h11 * h22 - h21 * h21;
        let (step_a, step_b) = (-(h22 * g1 - h21 * g2) / det, -(-h21 * g1 + h11 * g2) / det);
        let slope = g1 * step_a + g2 * step_b;
        let mut step = 1.0;
        loop {
            let (next_a, next_b) = (a + step * step_a, b + step * step_b);
            let next = objective(next_a, next_b);
            if next < value + 1e-4 * step * slope {
                (a, b, value) = (next_a, next_b, next);
                break;
            }
            step /= 2.0;
            if step < MIN_STEP {
                return (a, b);
            }
        }
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(decisions: &[f64], positive: &[bool], (a, b): (f64, f64)) -> (f64, f64) {
        let positives = positive.iter().filter(|positive| **positive).count() as f64;
        let negatives = positive.len() as f64 - positives;
        let mut gradient = (0.0, 0.0);
        for (f, positive) in decisions.iter().zip(positive) {
            let target = if *positive { (positives + 1.0) / (positives + 2.0) } else { 1.0 / (negatives + 2.0) };
            let difference = target - 1.0 / (1.0 + (a * f + b).exp());
            gradient.0 += f * difference;
            gradient.1 += difference;
        }
        gradient
    }

    #[test]
    fn the_fitted_sigmoid_minimizes_the_loss() {
        let decisions = [-2.0, -1.5, -0.3, 0.2, -0.1, 0.4, 1.1, 2.5, 0.9];
        let positive = [false, false, false, false, true, true, true, true, false];
        let fitted = fit(&decisions, &positive);
        let (a, b) = gradient(&decisions, &positive, fitted);
        assert!(a.abs() < 1e-4 && b.abs() < 1e-4, "gradient {a}, {b} at {fitted:?}");
        assert!(fitted.0 < 0.0, "larger decision values must give larger probabilities");
    }

    #[test]
    fn extreme_and_constant_decision_values_give_finite_parameters() {
        for decisions in [[1e9, -1e9, 1e9, -1e9], [0.0; 4], [1.0; 4]] {
            let (a, b) = fit(&decisions, &[true, false, true, false]);
            assert!(a.is_finite() && b.is_finite(), "{a}, {b} for {decisions:?}");
        }
    }
}
