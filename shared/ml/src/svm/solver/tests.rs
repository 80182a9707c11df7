//! The solutions satisfy the optimality conditions, whatever the limits are.

use ndarray::Array2;

use super::*;
use crate::artifact::samples::Stream;
use crate::model::Kernel;

/// Points with a curved border between the classes, and some wrong labels.
fn points(rows: usize, seed: u64) -> (Array2<f64>, Vec<f64>) {
    let mut random = Stream(seed);
    let matrix = Array2::from_shape_fn((rows, 3), |_| random.unit() * 4.0 - 2.0);
    let is_inside = |row: usize| matrix.row(row).dot(&matrix.row(row)) < 3.5;
    let targets = (0..rows).map(|row| if is_inside(row) ^ (random.below(10) == 0) { 1.0 } else { -1.0 }).collect();
    (matrix, targets)
}

const RBF: (Form, Kernel) = (Form::Rbf { gamma: 0.5 }, Kernel::Rbf { gamma: 0.5 });

fn limits(tolerance: f64) -> Limits {
    Limits { tolerance, max_steps: 10_000_000, cache_bytes: 64 << 20, parallel: false }
}

struct Bounds {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

fn classifier(targets: &[f64], cost: f64) -> Bounds {
    Bounds {
        lower: targets.iter().map(|target| if *target > 0.0 { 0.0 } else { -cost }).collect(),
        upper: targets.iter().map(|target| if *target > 0.0 { cost } else { 0.0 }).collect(),
    }
}

fn solved(matrix: &Array2<f64>, targets: &[f64], bounds: &Bounds, epsilon: f64, limits: &Limits) -> Solution {
    let blocks = RowBlocks::new(&matrix.view());
    let Bounds { lower, upper } = bounds;
    let problem = Problem { blocks: &blocks, form: RBF.0, targets, lower, upper, epsilon };
    solve(&problem, None, limits, &|_| true).unwrap()
}

/// The violation of the optimality conditions, computed in `f64` from all rows.
fn violation(matrix: &Array2<f64>, targets: &[f64], bounds: &Bounds, epsilon: f64, solution: &Solution) -> f64 {
    let rows: Vec<Vec<f64>> = matrix.rows().into_iter().map(|row| row.to_vec()).collect();
    let (mut max_up, mut min_low) = (f64::NEG_INFINITY, f64::INFINITY);
    for (row, target) in targets.iter().enumerate() {
        let terms = rows.iter().zip(&solution.coefficients).filter(|(_, c)| **c != 0.0);
        let residual = target - terms.map(|(other, c)| c * RBF.1.value(other, &rows[row])).sum::<f64>();
        let coefficient = solution.coefficients[row];
        max_up = max_up.max(residual + up_offset(coefficient, bounds.upper[row], epsilon));
        min_low = min_low.min(residual + low_offset(coefficient, bounds.lower[row], epsilon));
    }
    max_up - min_low
}

#[test]
fn classifiers_are_optimal() {
    for cost in [0.1, 1.0, 1_000.0] {
        let (matrix, targets) = points(700, 1);
        let bounds = classifier(&targets, cost);
        let solution = solved(&matrix, &targets, &bounds, 0.0, &limits(1e-3));
        assert!(solution.converged);
        assert!(solution.coefficients.iter().sum::<f64>().abs() < 1e-6 * cost);
        let violation = violation(&matrix, &targets, &bounds, 0.0, &solution);
        // Kernel values are f32, and their errors grow with the coefficients.
        assert!(violation < 2e-3 + 1e-5 * cost, "{violation} for cost {cost}");
        let inside = |(row, c): (usize, &f64)| *c >= bounds.lower[row] && *c <= bounds.upper[row];
        assert!(solution.coefficients.iter().enumerate().all(inside));
    }
}

#[test]
fn regressors_are_optimal() {
    let (matrix, noise) = points(500, 2);
    let targets: Vec<f64> = noise.iter().zip(matrix.rows()).map(|(n, row)| row[0].sin() + 0.1 * n).collect();
    let bounds = Bounds { lower: vec![-2.0; 500], upper: vec![2.0; 500] };
    for epsilon in [0.0, 0.1, 0.5, 10.0] {
        let solution = solved(&matrix, &targets, &bounds, epsilon, &limits(1e-3));
        assert!(solution.converged);
        let violation = violation(&matrix, &targets, &bounds, epsilon, &solution);
        assert!(violation < 2e-3, "{violation} for epsilon {epsilon}");
    }
    let constant = solved(&matrix, &targets, &bounds, 10.0, &limits(1e-3));
    assert!(constant.coefficients.iter().all(|c| *c == 0.0), "all targets are inside the tube");
}

#[test]
fn the_solution_does_not_depend_on_threads_and_hardly_on_the_cache() {
    let (matrix, targets) = points(900, 3);
    let bounds = classifier(&targets, 1.0);
    let usual = solved(&matrix, &targets, &bounds, 0.0, &limits(1e-3));
    let parallel = Limits { parallel: true, ..limits(1e-3) };
    assert_eq!(usual, solved(&matrix, &targets, &bounds, 0.0, &parallel));
    // A cache of few rows allows only small working sets: other steps to the same optimum.
    let tiny = solved(&matrix, &targets, &bounds, 0.0, &Limits { cache_bytes: 1, ..limits(1e-3) });
    assert!((tiny.bias - usual.bias).abs() < 5e-3, "{} and {}", tiny.bias, usual.bias);
}

#[test]
fn the_limit_of_the_steps_and_the_callback_end_the_solver() {
    let (matrix, targets) = points(600, 4);
    let bounds = classifier(&targets, 100.0);
    let few = solved(&matrix, &targets, &bounds, 0.0, &Limits { max_steps: 20, ..limits(1e-3) });
    assert!(!few.converged);
    let blocks = RowBlocks::new(&matrix.view());
    let problem = Problem {
        blocks: &blocks,
        form: RBF.0,
        targets: &targets,
        lower: &bounds.lower,
        upper: &bounds.upper,
        epsilon: 0.0,
    };
    assert_eq!(solve(&problem, None, &limits(1e-3), &|_| false), None);
    let reported = std::sync::Mutex::new(Vec::new());
    solve(&problem, None, &limits(1e-3), &|done| {
        reported.lock().unwrap().push(done);
        true
    });
    let reported = reported.into_inner().unwrap();
    assert!(reported.is_sorted() && reported.iter().all(|done| (0.0..=1.0).contains(done)), "{reported:?}");
}

#[test]
fn equal_rows_with_different_targets_are_solved() {
    let matrix = Array2::from_shape_fn((60, 2), |(row, column)| ((row % 3) * 2 + column) as f64);
    let targets: Vec<f64> = (0..60).map(|row| if row % 7 < 3 { 1.0 } else { -1.0 }).collect();
    let bounds = classifier(&targets, 5.0);
    let solution = solved(&matrix, &targets, &bounds, 0.0, &limits(1e-3));
    assert!(solution.converged);
    assert!(violation(&matrix, &targets, &bounds, 0.0, &solution) < 2e-3);
}
