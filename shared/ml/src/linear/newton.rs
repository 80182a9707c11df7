//! Newton's method with a line search. The system is solved by Cholesky's method if it is small, else by conjugate
//! gradients (Lin, Weng and Keerthi, "Trust Region Newton Method for Logistic Regression", JMLR 9, 2008, describe the
//! Hessian products; here a line search bounds the step).

use super::cholesky::{Cholesky, dot};
use super::objective::{Evaluation, Objective};

/// Maximum number of coefficients for Cholesky's method, with one output and with several.
const MAX_DIRECT: (usize, usize) = (2_048, 256);
/// Maximum number of columns for preconditioning with a block of the Hessian per output; above, with its diagonal.
const MAX_BLOCK: usize = 1_024;
/// A factor is used again if the last step reduced the gradient to this share.
const REUSE_SHARE: f64 = 0.1;
/// Maximum number of products with the Hessian per iteration.
const MAX_PRODUCTS: usize = 250;
/// Number of times that a step is halved.
const MAX_HALVINGS: u32 = 40;
/// Armijo's condition: minimum share of the decrease that the slope predicts.
const MIN_DECREASE: f64 = 1e-4;

/// When the optimizer stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Maximum component of the mean gradient.
    pub(super) tolerance: f64,
    pub(super) max_iterations: u64,
}

/// The result.
#[derive(Debug, Clone)]
pub(super) struct Optimum {
    pub(super) coefficients: Vec<f64>,
    /// Whether the tolerance was reached, or rounding errors prevent a smaller gradient.
    pub(super) converged: bool,
}

/// Minimizes the objective. `on_iteration` gets the progress from 0 to 1 and returns whether to continue; `None` if it
/// stopped the optimizer.
pub(super) fn minimize(
    objective: &Objective<'_>,
    start: Vec<f64>,
    stop: Stop,
    on_iteration: &dyn Fn(f64) -> bool,
) -> Option<Optimum> {
    let limit = stop.tolerance * objective.total_weight();
    let mut coefficients = start;
    let mut current = objective.evaluate(&coefficients);
    let first = largest(&current.gradient);
    let mut system: Option<System> = None;
    let mut reached = 0.0_f64;
    for _ in 0..stop.max_iterations {
        let norm = largest(&current.gradient);
        // The gradient decreases roughly geometrically. A comparison with NaN is false.
        reached = reached.max((first / norm).ln() / (first / limit).ln()).min(1.0);
        if !on_iteration(reached) {
            return None;
        }
        if norm <= limit {
            return Some(Optimum { coefficients, converged: true });
        }
        let is_new = system.is_none();
        let solver = system.get_or_insert_with(|| System::new(objective, &current.state));
        let direction = solver.direction(objective, &current, &|| on_iteration(reached))?;
        let Some((next, evaluation)) = step(objective, &coefficients, &current, &direction) else {
            if is_new {
                // No step decreases the objective: its rounding errors are larger than the rest of the way.
                return Some(Optimum { coefficients, converged: true });
            }
            system = None;
            continue;
        };
        (coefficients, current) = (next, evaluation);
        if largest(&current.gradient) > REUSE_SHARE * norm {
            system = None;
        }
    }
    let converged = largest(&current.gradient) <= limit;
    Some(Optimum { coefficients, converged })
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// The longest step along the direction, from the whole step downwards, with a sufficient decrease.
fn step(
    objective: &Objective<'_>,
    coefficients: &[f64],
    current: &Evaluation,
    direction: &[f64],
) -> Option<(Vec<f64>, Evaluation)> {
    let slope = dot(&current.gradient, direction);
    // The comparison with NaN is false.
    let decreases = slope < 0.0;
    if !decreases {
        return None;
    }
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        let next: Vec<f64> = coefficients.iter().zip(direction).map(|(c, d)| c + length * d).collect();
        let evaluation = objective.evaluate(&next);
        if evaluation.value <= current.value + MIN_DECREASE * length * slope {
            return Some((next, evaluation));
        }
        // Near the optimum the decrease is below the rounding errors of the sum, but the gradient still shows it.
        let is_tiny = -slope * length <= 1e-9 * current.value.abs();
        if is_tiny && largest(&evaluation.gradient) < 0.5 * largest(&current.gradient) {
            return Some((next, evaluation));
        }
        length /= 2.0;
    }
    None
}

/// The Newton system at some coefficients.
enum System {
    Direct(Cholesky),
    Iterative(Preconditioner),
}

impl System {
    fn new(objective: &Objective<'_>, state: &[f64]) -> Self {
        let (outputs, size, stride) = (objective.outputs(), objective.size(), objective.stride());
        match outputs {
            1 if size <= MAX_DIRECT.0 => {
                Self::Direct(Cholesky::new(&objective.hessian_block(state, (0, 0)), stride, size))
            }
            2.. if outputs * size <= MAX_DIRECT.1 => {
                let all = outputs * size;
                let mut hessian = vec![0.0; all * all];
                for a in 0..outputs {
                    for b in a..outputs {
                        let block = objective.hessian_block(state, (a, b));
                        for i in 0..size {
                            for j in 0..size {
                                // A block is symmetric, and only its upper triangle is computed.
                                let (low, high) = (i.min(j), i.max(j));
                                hessian[(a * size + i) * all + b * size + j] = block[low * stride + high];
                            }
                        }
                    }
                }
                Self::Direct(Cholesky::new(&hessian, all, all))
            }
            _ if size <= MAX_BLOCK => {
                let block = |a: usize| Cholesky::new(&objective.hessian_block(state, (a, a)), stride, size);
                Self::Iterative(Preconditioner::Blocks((0..outputs).map(block).collect()))
            }
            _ => Self::Iterative(Preconditioner::Diagonal(objective.hessian_diagonal(state))),
        }
    }

    /// The solution of `Hessian · direction = -gradient`; `None` if `continues` returned false.
    fn direction(
        &self,
        objective: &Objective<'_>,
        current: &Evaluation,
        continues: &dyn Fn() -> bool,
    ) -> Option<Vec<f64>> {
        match self {
            Self::Direct(cholesky) => {
                let mut direction: Vec<f64> = current.gradient.iter().map(|value| -value).collect();
                cholesky.solve(&mut direction);
                Some(direction)
            }
            Self::Iterative(preconditioner) => conjugate_gradients(objective, current, preconditioner, continues),
        }
    }
}

/// An approximate inverse of the Hessian.
enum Preconditioner {
    Blocks(Vec<Cholesky>),
    Diagonal(Vec<f64>),
}

impl Preconditioner {
    fn apply(&self, values: &[f64]) -> Vec<f64> {
        let mut result = values.to_vec();
        match self {
            Self::Blocks(blocks) => {
                let size = values.len() / blocks.len().max(1);
                blocks.iter().zip(result.chunks_exact_mut(size)).for_each(|(block, part)| block.solve(part));
            }
            Self::Diagonal(diagonal) => {
                let usable = |value: f64| if value > 0.0 { value } else { 1.0 };
                result.iter_mut().zip(diagonal).for_each(|(value, diagonal)| *value /= usable(*diagonal));
            }
        }
        result
    }
}

/// Preconditioned conjugate gradients (Hestenes and Stiefel 1952), to a hundredth of the gradient in the norm of the preconditioner.
fn conjugate_gradients(
    objective: &Objective<'_>,
    current: &Evaluation,
    preconditioner: &Preconditioner,
    continues: &dyn Fn() -> bool,
) -> Option<Vec<f64>> {
    let mut direction = vec![0.0; current.gradient.len()];
    let mut residual: Vec<f64> = current.gradient.iter().map(|value| -value).collect();
    let mut conditioned = preconditioner.apply(&residual);
    let mut search = conditioned.clone();
    let mut energy = dot(&residual, &conditioned);
    let target = 1e-4 * energy;
    for _ in 0..MAX_PRODUCTS {
        if !continues() {
            return None;
        }
        let product = objective.hessian_times(&current.state, &search);
        let curvature = dot(&search, &product);
        // The comparisons with NaN are false.
        let is_definite = curvature > 0.0;
        if !is_definite {
            break;
        }
        let length = energy / curvature;
        direction.iter_mut().zip(&search).for_each(|(value, search)| *value += length * search);
        residual.iter_mut().zip(&product).for_each(|(value, product)| *value -= length * product);
        conditioned = preconditioner.apply(&residual);
        let next = dot(&residual, &conditioned);
        let is_inaccurate = next > target;
        if !is_inaccurate {
            break;
        }
        let share = next / energy;
        energy = next;
        search.iter_mut().zip(&conditioned).for_each(|(search, value)| *search = value + share * *search);
    }
    Some(direction)
}
