//! Cholesky's method for symmetric positive definite systems.

/// The factor of a matrix.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    /// Row-major: the lower triangle L of `matrix = L Lᵀ`.
    factor: Vec<f64>,
    size: usize,
}

impl Cholesky {
    /// Factors the matrix whose upper triangle is given row by row, `stride` numbers each. A matrix that is not positive
    /// definite, because of rounding or columns that depend on each other, gets a larger diagonal.
    pub(super) fn new(upper: &[f64], stride: usize, size: usize) -> Self {
        let trace: f64 = (0..size).map(|i| upper[i * stride + i]).sum();
        let mean = if trace > 0.0 { trace / size as f64 } else { 1.0 };
        let mut added = mean * 1e-12;
        loop {
            if let Some(factor) = factor(upper, stride, size, added) {
                return Self { factor, size };
            }
            added *= 100.0;
            if !added.is_finite() {
                // Only a matrix with NaN or infinity gets here; the optimizer stops at the step of the unit matrix.
                let mut unit = vec![0.0; size * size];
                (0..size).for_each(|i| unit[i * size + i] = 1.0);
                return Self { factor: unit, size };
            }
        }
    }

    /// Solves `matrix · x = right` in place.
    pub(super) fn solve(&self, right: &mut [f64]) {
        let size = self.size;
        for i in 0..size {
            let (done, rest) = right.split_at_mut(i);
            let row = &self.factor[i * size..][..i];
            rest[0] = (rest[0] - dot(row, done)) / self.factor[i * size + i];
        }
        for i in (0..size).rev() {
            right[i] /= self.factor[i * size + i];
            let solved = right[i];
            let row = &self.factor[i * size..][..i];
            right[..i].iter_mut().zip(row).for_each(|(value, factor)| *value -= solved * factor);
        }
    }
}

fn factor(upper: &[f64], stride: usize, size: usize, added: f64) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; size * size];
    for i in 0..size {
        let (done, current) = factor.split_at_mut(i * size);
        for j in 0..i {
            let other = &done[j * size..];
            current[j] = (upper[j * stride + i] - dot(&current[..j], &other[..j])) / other[j];
        }
        let pivot = upper[i * stride + i] + added - dot(&current[..i], &current[..i]);
        // Less than the addition is only rounding. The comparison with NaN is false.
        let is_definite = pivot > 0.5 * added;
        if !is_definite {
            return None;
        }
        current[i] = pivot.sqrt();
    }
    Some(factor)
}

/// Sums that run in parallel; a single sum would wait for each addition.
const CHAINS: usize = 8;

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<CHAINS>(), b.as_chunks::<CHAINS>());
    let mut sums = [0.0; CHAINS];
    for (a, b) in a.iter().zip(b) {
        for chain in 0..CHAINS {
            sums[chain] += a[chain] * b[chain];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let size = 13;
        let matrix: Vec<f64> = (0..size * size)
            .map(|at| (at / size, at % size))
            .map(|(i, j)| if i == j { 20.0 + i as f64 } else { 1.0 / (1 + i + j) as f64 })
            .collect();
        let expected: Vec<f64> = (0..size).map(|i| i as f64 - 5.0).collect();
        let mut found: Vec<f64> = matrix.chunks(size).map(|row| dot(row, &expected)).collect();
        Cholesky::new(&matrix, size, size).solve(&mut found);
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn singular_and_broken_matrices_give_an_answer() {
        let mut right = [2.0, 2.0];
        Cholesky::new(&[1.0, 1.0, 1.0, 1.0], 2, 2).solve(&mut right);
        assert!((right[0] + right[1] - 2.0).abs() < 1e-4, "{right:?}");
        Cholesky::new(&[0.0; 4], 2, 2).solve(&mut right);
        Cholesky::new(&[f64::NAN; 4], 2, 2).solve(&mut [1.0, 1.0]);
    }
}
