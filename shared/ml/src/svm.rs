//! Support vector machines: C-SVC with Platt scaling and one-vs-one for several classes, and epsilon-SVR.
//!
//! The solver is our own ([`solver`]); [`crate::linfa_svm`] is the reference. The result depends only on data, parameters,
//! seed and the kind of CPU ([`simd`]), not on the number of threads or the size of the cache.
//!
//! Two interfaces: [`SvmParams`] implements linfa's traits (`Fit`, `Predict`, `ParamGuard`); [`crate::train`] calls the
//! functions below with a progress callback.

mod blocks;
mod cache;
mod classifiers;
mod linfa_api;
mod local;
mod params;
mod reporter;
mod seeding;
mod simd;
mod solver;
mod sums;

use ndarray::Array2;

use crate::forest::{Classes, Numbers};
use crate::model::{DecisionFunction, Kernel};
use crate::target_scale::TargetScale;
use blocks::RowBlocks;
use reporter::Reporter;
use simd::Form;
use solver::{Limits, Problem, Solution};

pub use linfa_api::{SvmClassifier, SvmRegressor};
pub use params::{KernelKind, SvmClassifierParams, SvmParams, SvmRegressorParams, SvmValidParams};

/// Called with the progress from 0 to 1, by one thread at a time; `false` stops the training.
pub(crate) type OnProgress<'a> = &'a (dyn Fn(f64) -> bool + Sync);

/// A trained machine, without the encoder of the design matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    pub(crate) kernel: Kernel,
    /// Row-major: the support vectors.
    pub(crate) vectors: Vec<f64>,
    /// One per pair of classes; one for regression.
    pub(crate) functions: Vec<DecisionFunction>,
    /// Number of problems that were not solved within the maximum number of steps.
    pub(crate) unsolved: usize,
}

/// Why there is no machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The callback stopped the training.
    Stopped,
    /// A kernel value is too large for `f32`.
    Diverged,
}

/// The constants of [`trainyard_domain::training_memory::svm`].
#[cfg(test)]
pub(crate) fn memory_constants() -> [u64; 2] {
    [classifiers::FOLDS as u64, solver::MIN_WORKING_SET as u64]
}

/// Trains a classifier for every pair of classes. `classes` are indices below `n_classes`, each with a row. `copies` is the
/// group of each row, where copies of each other are one group; empty without copies.
pub(crate) fn fit_classes(
    matrix: Array2<f64>,
    classes: &[u32],
    copies: &[u32],
    n_classes: usize,
    params: &SvmValidParams<Classes>,
    on_progress: OnProgress<'_>,
) -> Result<Machine, Failure> {
    let rows = Rows::new(matrix, params)?;
    classifiers::fit(&rows, classes, copies, n_classes, params, on_progress)
}

/// Trains a regressor. The target is centred and scaled, so that C and epsilon do not depend on its unit.
pub(crate) fn fit_numbers(
    matrix: Array2<f64>,
    targets: &[f64],
    params: &SvmValidParams<Numbers>,
    on_progress: OnProgress<'_>,
) -> Result<Machine, Failure> {
    let rows = Rows::new(matrix, params)?;
    let scale = TargetScale::of(targets);
    let scaled: Vec<f64> = targets.iter().map(|target| scale.apply(*target)).collect();
    let (lower, upper) = (vec![-params.cost(); targets.len()], vec![params.cost(); targets.len()]);
    let problem = Problem {
        blocks: &rows.blocks,
        form: rows.form,
        targets: &scaled,
        lower: &lower,
        upper: &upper,
        epsilon: params.epsilon(),
    };
    let reporter = Reporter::new(1, on_progress);
    let limits = limits(params, targets.len(), 1);
    let solution = solver::solve(&problem, None, &limits, &|done| reporter.report(0, done)).ok_or(Failure::Stopped)?;
    let mut vectors = Vectors::new(&rows);
    let converged = solution.converged;
    let all: Vec<u32> = (0..targets.len() as u32).collect();
    let mut function = vectors.function(&all, &solution);
    function.coefficients.iter_mut().for_each(|coefficient| *coefficient *= scale.deviation());
    function.rho = function.rho * scale.deviation() - scale.mean();
    Ok(vectors.machine(vec![function], usize::from(!converged)))
}

/// The rows with the kernel.
struct Rows {
    blocks: RowBlocks,
    form: Form,
    kernel: Kernel,
    /// Coefficients for [`Kernel`] are those for [`Form`] times this number.
    coefficient_scale: f64,
}

impl Rows {
    /// Consumes the matrix, which the solver does not need.
    fn new<K>(matrix: Array2<f64>, params: &SvmValidParams<K>) -> Result<Self, Failure> {
        let gamma = params.gamma().unwrap_or_else(|| {
            let variance = variance(&matrix);
            1.0 / (matrix.ncols().max(1) as f64 * if variance > 0.0 { variance } else { 1.0 })
        });
        // The kernel of the model has no gamma: (gamma x·y + 1)^d = gamma^d (x·y + 1 / gamma)^d.
        let (form, kernel, coefficient_scale) = match params.kernel() {
            KernelKind::Linear => (Form::Linear, Kernel::Linear, 1.0),
            KernelKind::Rbf => (Form::Rbf { gamma: gamma as f32 }, Kernel::Rbf { gamma }, 1.0),
            KernelKind::Polynomial { degree } => (
                Form::Polynomial { gamma: gamma as f32, degree },
                Kernel::Polynomial { constant: 1.0 / gamma, degree },
                gamma.powi(degree as i32),
            ),
        };
        let blocks = RowBlocks::new(&matrix.view());
        // By Cauchy and Schwarz no kernel value is larger than that of the longest row with itself.
        let longest = blocks.squares().iter().copied().fold(0.0, f32::max);
        let largest = match form {
            Form::Linear | Form::Rbf { .. } => f64::from(longest),
            Form::Polynomial { gamma, degree } => (f64::from(gamma) * f64::from(longest) + 1.0).powi(degree as i32),
        };
        if largest < MAX_KERNEL { Ok(Self { blocks, form, kernel, coefficient_scale }) } else { Err(Failure::Diverged) }
    }
}

/// Maximum kernel value: sums of several values must be finite in `f32`.
const MAX_KERNEL: f64 = 1e37;

fn variance(matrix: &Array2<f64>) -> f64 {
    let count = matrix.len().max(1) as f64;
    let mean = matrix.iter().map(|value| value / count).sum::<f64>();
    matrix.iter().map(|value| (value - mean).powi(2) / count).sum()
}

fn limits<K>(params: &SvmValidParams<K>, rows: usize, concurrent: usize) -> Limits {
    Limits {
        tolerance: params.tolerance(),
        max_steps: params.max_steps().unwrap_or_else(|| 10_000_000.max(100 * rows as u64)),
        cache_bytes: params.cache_bytes() / concurrent.max(1),
        // With more problems than threads, each thread has its own problem.
        parallel: concurrent < rayon::current_num_threads(),
    }
}

/// The support vectors of all decision functions, each stored once.
struct Vectors<'a> {
    rows: &'a Rows,
    numbers: Vec<f64>,
    count: u32,
    /// The index of each row in `numbers`.
    of_row: Vec<Option<u32>>,
}

impl<'a> Vectors<'a> {
    fn new(rows: &'a Rows) -> Self {
        Self { rows, numbers: Vec::new(), count: 0, of_row: vec![None; rows.blocks.rows()] }
    }

    fn is_linear(&self) -> bool {
        self.rows.kernel == Kernel::Linear
    }

    /// The decision function of a solution for the given rows, without calibration. A linear function needs only one
    /// vector, the weighted sum of its support vectors.
    fn function(&mut self, rows: &[u32], solution: &Solution) -> DecisionFunction {
        let (mut support, mut coefficients) = (Vec::new(), Vec::new());
        let used = rows.iter().zip(&solution.coefficients).filter(|(_, coefficient)| **coefficient != 0.0);
        let blocks = &self.rows.blocks;
        if self.is_linear() {
            let mut weights = vec![0.0; blocks.width()];
            for (row, coefficient) in used {
                for (weight, value) in weights.iter_mut().zip(blocks.row(*row as usize)) {
                    *weight += coefficient * f64::from(value);
                }
            }
            self.numbers.extend(weights);
            support.push(self.count);
            coefficients.push(1.0);
            self.count += 1;
        } else {
            for (row, coefficient) in used {
                let at = *self.of_row[*row as usize].get_or_insert_with(|| {
                    self.numbers.extend(blocks.row(*row as usize).map(f64::from));
                    self.count += 1;
                    self.count - 1
                });
                support.push(at);
                coefficients.push(coefficient * self.rows.coefficient_scale);
            }
        }
        let (first, second, platt_a, platt_b) = (0, 0, 0.0, 0.0);
        DecisionFunction { first, second, support, coefficients, rho: -solution.bias, platt_a, platt_b }
    }

    fn machine(self, functions: Vec<DecisionFunction>, unsolved: usize) -> Machine {
        Machine { kernel: self.rows.kernel, vectors: self.numbers, functions, unsolved }
    }
}

#[cfg(test)]
mod tests;
