//! Pairwise coupling: class probabilities from pairwise probabilities. Wu, Lin, Weng, "Probability Estimates for
//! Multi-class Classification by Pairwise Coupling", JMLR 5 (2004), the second method (algorithm 2), as in LIBSVM.

/// Pairwise probabilities are clipped to [margin, 1 - margin], so that the iteration never divides by zero.
pub(crate) const MARGIN: f64 = 1e-7;
/// The iteration ends when all conditions of the optimum hold up to this number divided by the number of classes.
pub(crate) const TOLERANCE: f64 = 0.005;
/// The iteration ends after this many steps, or after as many as there are classes.
pub(crate) const MIN_ITERATIONS: usize = 100;

/// Computes `probabilities` (k numbers with the sum 1) from `pairs` (k × k, row-major): `pairs[i][j]` is the
/// probability of class i given that the class is i or j.
pub fn couple(pairs: &[f64], probabilities: &mut [f64]) {
    let k = probabilities.len();
    let q = quadratic(pairs, k);
    probabilities.fill(1.0 / k as f64);
    let mut product = vec![0.0; k];
    let epsilon = TOLERANCE / k as f64;
    for _ in 0..k.max(MIN_ITERATIONS) {
        // Recomputed in each iteration, so that rounding errors do not accumulate.
        for (row, value) in q.chunks_exact(k).zip(&mut product) {
            *value = row.iter().zip(&*probabilities).map(|(a, p)| a * p).sum();
        }
        let mut total: f64 = product.iter().zip(&*probabilities).map(|(a, p)| a * p).sum();
        if product.iter().all(|value| (value - total).abs() < epsilon) {
            break;
        }
        for t in 0..k {
            let diagonal = q[t * k + t];
            let step = (total - product[t]) / diagonal;
            let norm = 1.0 + step;
            probabilities[t] += step;
            total = (total + step * (step * diagonal + 2.0 * product[t])) / norm / norm;
            for j in 0..k {
                product[j] = (product[j] + step * q[t * k + j]) / norm;
                probabilities[j] /= norm;
            }
        }
    }
}

/// The matrix of the quadratic form that is minimized over the simplex.
fn quadratic(pairs: &[f64], k: usize) -> Vec<f64> {
    let pair = |i: usize, j: usize| pairs[i * k + j].clamp(MARGIN, 1.0 - MARGIN);
    let mut q = vec![0.0; k * k];
    for i in 0..k {
        for j in (0..k).filter(|&j| j != i) {
            q[i * k + i] += pair(j, i) * pair(j, i);
            q[i * k + j] = -pair(j, i) * pair(i, j);
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consistent_pairs_give_the_class_probabilities() {
        let actual = [0.6, 0.3, 0.1];
        let pairs: Vec<f64> = (0..9)
            .map(|at| (at / 3, at % 3))
            .map(|(i, j): (usize, usize)| actual[i] / (actual[i] + actual[j]))
            .collect();
        let mut found = [0.0; 3];
        couple(&pairs, &mut found);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(found.iter().zip(actual).all(|(a, b)| (a - b).abs() < 0.01), "{found:?}");
    }

    #[test]
    fn certain_pairs_give_finite_probabilities() {
        let mut found = [0.0; 3];
        couple(&[0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 0.0, 0.0, 0.5], &mut found);
        assert!(found.iter().all(|p| (0.0..=1.0).contains(p)) && found[0] > 0.9, "{found:?}");
    }
}
