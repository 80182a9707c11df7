//! Alpha seeding: the problem without the rows of a fold starts at the solution for all rows (DeCoste and Wagstaff, "Alpha
//! Seeding for Support Vector Machines", KDD 2000). Few coefficients differ between the two solutions, so the solver has
//! less to do. It stops at the same tolerance as without a start.

use super::blocks::RowBlocks;
use super::solver::{Problem, Solution, Start};
use super::sums::Expansion;

/// The rows of a fold.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldOut<'a> {
    pub(super) all: &'a RowBlocks,
    /// The position in `all` of each row of the whole problem.
    pub(super) rows: &'a [u32],
    /// The rows of the fold, as indices of the whole problem.
    pub(super) held_out: &'a [usize],
}

/// The start for `problem`, which has the rows `kept` of the whole problem: the coefficients of the whole solution, changed so
/// that their sum is 0. `None` if the whole solution has no residuals.
pub(super) fn start(
    problem: &Problem<'_>,
    whole: &Solution,
    kept: &[usize],
    HeldOut { all, rows, held_out }: HeldOut<'_>,
    parallel: bool,
) -> Option<Start> {
    let residual = whole.residual.as_ref()?;
    let mut coefficients: Vec<f64> = kept.iter().map(|at| whole.coefficients[*at]).collect();
    let mut residual: Vec<f64> = kept.iter().map(|at| residual[*at]).collect();
    let removed = held_out.iter().map(|at| (rows[*at], whole.coefficients[*at]));
    add_sums(&mut residual, problem, all, removed, parallel);
    let before = coefficients.clone();
    balance(problem, &mut coefficients, &residual);
    let changed = (0_u32..).zip(before.iter().zip(&coefficients)).map(|(row, (before, after))| (row, before - after));
    add_sums(&mut residual, problem, problem.blocks, changed, parallel);
    Some(Start { coefficients, residual })
}

/// Adds `Σ coefficient · K(row, x)` to the value of each row x of the problem, for rows of `blocks`.
fn add_sums(
    sums: &mut [f64],
    problem: &Problem<'_>,
    blocks: &RowBlocks,
    terms: impl Iterator<Item = (u32, f64)>,
    parallel: bool,
) {
    let (rows, coefficients) = terms.filter(|(_, coefficient)| *coefficient != 0.0).unzip();
    let added = Expansion { blocks, rows, coefficients }.sums(problem.form, problem.blocks, parallel);
    sums.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
}

/// Moves coefficients towards their bounds until their sum is 0, first those whose move decreases the objective most.
fn balance(problem: &Problem<'_>, coefficients: &mut [f64], residual: &[f64]) {
    let excess: f64 = coefficients.iter().sum();
    let sign = if excess > 0.0 { -1.0 } else { 1.0 };
    let bound = |row: usize| if excess > 0.0 { problem.lower[row] } else { problem.upper[row] };
    let mut order: Vec<usize> = (0..coefficients.len()).filter(|row| coefficients[*row] != bound(*row)).collect();
    order.sort_unstable_by(|a, b| (sign * residual[*b]).total_cmp(&(sign * residual[*a])).then(a.cmp(b)));
    let mut rest = excess.abs();
    for row in order {
        let room = (bound(row) - coefficients[row]).abs();
        if room >= rest {
            coefficients[row] += sign * rest;
            return;
        }
        coefficients[row] = bound(row);
        rest -= room;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::simd::Form;
    use super::super::solver::{Limits, solve};
    use super::*;
    use crate::artifact::samples::Stream;

    #[test]
    fn a_fold_starts_with_the_residuals_of_valid_coefficients_and_near_its_solution() {
        let random = &mut Stream(4);
        let matrix = Array2::from_shape_fn((500, 3), |_| random.unit() * 4.0 - 2.0);
        let targets: Vec<f64> = matrix
            .rows()
            .into_iter()
            .map(|row| if (row.dot(&row) < 3.5) ^ (random.below(10) == 0) { 1.0 } else { -1.0 })
            .collect();
        let (lower, upper): (Vec<f64>, Vec<f64>) =
            targets.iter().map(|target| (target.min(0.0), target.max(0.0))).unzip();
        let (all, form) = (RowBlocks::new(&matrix.view()), Form::Rbf { gamma: 0.5 });
        let limits = Limits { tolerance: 1e-3, max_steps: 1_000_000, cache_bytes: 64 << 20, parallel: false };
        let problem = Problem { blocks: &all, form, targets: &targets, lower: &lower, upper: &upper, epsilon: 0.0 };
        let whole = solve(&problem, None, &limits, &|_| true).unwrap();
        // The fold has more rows of one class than of the other.
        let (held_out, kept): (Vec<usize>, Vec<usize>) =
            (0..500).partition(|row| row % 5 == 0 || (row % 5 == 1 && targets[*row] > 0.0));
        let select = |values: &[f64]| kept.iter().map(|row| values[*row]).collect::<Vec<_>>();
        let (targets, lower, upper) = (select(&targets), select(&lower), select(&upper));
        let blocks = all.select(&kept.iter().map(|row| *row as u32).collect::<Vec<_>>());
        let problem = Problem { blocks: &blocks, form, targets: &targets, lower: &lower, upper: &upper, epsilon: 0.0 };
        let rows: Vec<u32> = (0..500).collect();
        let held_out = HeldOut { all: &all, rows: &rows, held_out: &held_out };
        let start = start(&problem, &whole, &kept, held_out, false).unwrap();
        assert!(start.coefficients.iter().sum::<f64>().abs() < 1e-9);
        assert!((0..kept.len()).all(|row| (lower[row]..=upper[row]).contains(&start.coefficients[row])));
        let sums = Expansion::new(&blocks, &start.coefficients).sums(form, &blocks, false);
        for ((residual, target), sum) in start.residual.iter().zip(&targets).zip(sums) {
            assert!((residual - (target - sum)).abs() < 1e-4, "{residual} for {}", target - sum);
        }
        let cold = solve(&problem, None, &limits, &|_| true).unwrap();
        let warm = solve(&problem, Some(start), &limits, &|_| true).unwrap();
        assert!(warm.converged && (warm.bias - cold.bias).abs() < 5e-3, "{} and {}", warm.bias, cold.bias);
    }
}
