//! The reference engine for [`crate::svm`]: support vector classifiers by linfa-svm, one-vs-one for several classes, with
//! Platt scaling (probability calibration) on cross-validated decision values.
//!
//! linfa solves the dual problem; the support vectors, coefficients and offsets are copied into [`SvmModel`]. linfa
//! itself calibrates on the training rows, which gives overconfident probabilities. Here the calibration uses held-out
//! folds.

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_svm::{Svm, SvmParams};
use ndarray::{Array1, Array2, Axis};

use crate::error::TrainError;
use crate::model::{DecisionFunction, Kernel, SvmModel};
use crate::platt;
use crate::preprocess::DesignMatrix;
use crate::progress::Progress;
use crate::rng::{Rng, Stream};
use crate::split::Folds;

/// Smaller multipliers are rounding errors, as in linfa.
const ZERO: f64 = 100.0 * f64::EPSILON;
/// Number of cross-validation folds for the calibration, if each class has enough rows.
const FOLDS: usize = 5;

/// Parameters of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The regularization parameter C.
    pub cost: f64,
    /// `rbf`, `linear` or `polynomial`.
    pub kernel: String,
    /// Kernel coefficient; `None` is 1 / (columns · variance), as scikit-learn's `scale`.
    pub gamma: Option<f64>,
    /// Degree of the polynomial kernel.
    pub degree: u32,
    /// Stopping tolerance of the optimizer.
    pub tolerance: f64,
    /// Seed of the folds.
    pub seed: u64,
}

/// A kernel for linfa and for [`SvmModel`]. linfa's polynomial kernel `(x·y + c)^d` has no gamma. Since `(gamma x·y +
/// 1)^d` = `gamma^d (x·y + 1 / gamma)^d`, the rows for linfa are scaled by the root of gamma, and the coefficients by
/// its power.
#[derive(Debug, Clone, Copy)]
struct KernelPair {
    kernel: Kernel,
    row_scale: f64,
    coefficient_scale: f64,
}

impl KernelPair {
    fn new(options: &Options, matrix: &Array2<f64>) -> Self {
        let gamma = options.gamma.unwrap_or_else(|| {
            let variance = matrix.var(0.0);
            1.0 / (matrix.ncols().max(1) as f64 * if variance > 0.0 { variance } else { 1.0 })
        });
        let plain = |kernel| Self { kernel, row_scale: 1.0, coefficient_scale: 1.0 };
        match options.kernel.as_str() {
            "linear" => plain(Kernel::Linear),
            "polynomial" => Self {
                kernel: Kernel::Polynomial { constant: 1.0 / gamma, degree: options.degree },
                row_scale: gamma.sqrt(),
                coefficient_scale: gamma.powi(options.degree as i32),
            },
            _ => plain(Kernel::Rbf { gamma }),
        }
    }

    fn params(self, options: &Options) -> SvmParams<f64, bool> {
        let params = Svm::<f64, bool>::params().pos_neg_weights(options.cost, options.cost).eps(options.tolerance);
        match self.kernel {
            Kernel::Linear => params.linear_kernel(),
            Kernel::Rbf { gamma } => params.gaussian_kernel(1.0 / gamma),
            Kernel::Polynomial { degree, .. } => params.polynomial_kernel(1.0, f64::from(degree)),
        }
    }
}

/// The solution for some rows.
struct Solved {
    /// A signed coefficient per row, for the kernel of [`SvmModel`].
    coefficients: Vec<f64>,
    rho: f64,
}

/// Trains a binary classifier for every pair of classes. For `copies` see [`crate::svm::fit_classes`].
pub(crate) fn fit(
    design_matrix: DesignMatrix,
    classes: &[u32],
    copies: &[u32],
    n_classes: usize,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<SvmModel, TrainError> {
    let DesignMatrix { encoder, matrix } = design_matrix;
    let kernel = KernelPair::new(options, &matrix);
    let pairs: Vec<(u32, u32)> =
        (1..n_classes as u32).flat_map(|first| (0..first).map(move |second| (first, second))).collect();
    let mut vectors = Vectors::new(matrix.nrows());
    let mut classifiers = Vec::with_capacity(pairs.len());
    for (index, (first, second)) in pairs.iter().enumerate() {
        let at = |done: f64| progress.at((index as f64 + done) / pairs.len() as f64);
        let rows: Vec<usize> =
            (0..classes.len()).filter(|row| classes[*row] == *first || classes[*row] == *second).collect();
        let positive: Vec<bool> = rows.iter().map(|row| classes[*row] == *first).collect();
        let solved = solve(&matrix, &rows, &positive, kernel, options)?;
        at(0.25)?;
        let mut rng = Rng::new(options.seed, Stream::Folds(index as u64));
        let copies: Vec<u32> = rows.iter().filter_map(|row| copies.get(*row).copied()).collect();
        let folds = Folds::stratified(&positive, &copies, FOLDS, &mut rng);
        let decisions = if folds.count == 0 {
            solved.decisions(&matrix, &rows, &rows, kernel.kernel)
        } else {
            cross_validated_decisions(&matrix, &rows, &positive, kernel, options, &folds, &at)?
        };
        let (platt_a, platt_b) = platt::fit(&decisions, &positive);
        let (support, coefficients) = vectors.add_support(&matrix, &rows, solved.coefficients, kernel.kernel);
        classifiers.push(DecisionFunction {
            first: *first,
            second: *second,
            support,
            coefficients,
            rho: solved.rho,
            platt_a,
            platt_b,
        });
        at(1.0)?;
    }
    Ok(SvmModel { encoder, kernel: kernel.kernel, vectors: vectors.numbers, functions: classifiers })
}

/// Solves the dual problem for some rows of the matrix.
fn solve(
    matrix: &Array2<f64>,
    rows: &[usize],
    positive: &[bool],
    kernel: KernelPair,
    options: &Options,
) -> Result<Solved, TrainError> {
    let failed =
        |reason: &str| TrainError::bad_params(format!("the support vector classifier could not be trained: {reason}"));
    let records = matrix.select(Axis(0), rows) * kernel.row_scale;
    let dataset = DatasetBase::new(records, Array1::from(positive.to_vec()));
    let params = kernel.params(options).check().map_err(|error| failed(&error.to_string()))?;
    let svm: Svm<f64, bool> = params.fit(&dataset).map_err(|error| failed(&error.to_string()))?;
    let coefficients: Vec<f64> = svm.alpha.iter().map(|alpha| alpha * kernel.coefficient_scale).collect();
    // The threshold applies to linfa's multipliers, before they are scaled.
    let coefficients =
        coefficients.iter().zip(&svm.alpha).map(|(scaled, alpha)| if alpha.abs() > ZERO { *scaled } else { 0.0 });
    let solved = Solved { coefficients: coefficients.collect(), rho: svm.rho };
    if solved.coefficients.iter().chain([&solved.rho]).any(|number| !number.is_finite()) {
        return Err(failed("the kernel values diverge; decrease degree or gamma"));
    }
    Ok(solved)
}

impl Solved {
    /// Decision values of the rows `queried`, for a solution of `rows`.
    fn decisions(&self, matrix: &Array2<f64>, rows: &[usize], queried: &[usize], kernel: Kernel) -> Vec<f64> {
        let row =
            |row: usize| matrix.row(row).to_slice().map(<[f64]>::to_vec).unwrap_or_else(|| matrix.row(row).to_vec());
        let support: Vec<(Vec<f64>, f64)> = rows
            .iter()
            .zip(&self.coefficients)
            .filter(|(_, coefficient)| **coefficient != 0.0)
            .map(|(at, coefficient)| (row(*at), *coefficient))
            .collect();
        let decision = |index: &usize| {
            let query = row(*index);
            support.iter().map(|(vector, coefficient)| coefficient * kernel.value(vector, &query)).sum::<f64>()
                - self.rho
        };
        queried.iter().map(decision).collect()
    }
}

/// A decision value per row from a classifier that was trained without the row (Platt 2000; Lin, Lin and Weng 2007).
fn cross_validated_decisions(
    matrix: &Array2<f64>,
    rows: &[usize],
    positive: &[bool],
    kernel: KernelPair,
    options: &Options,
    folds: &Folds,
    at: &dyn Fn(f64) -> Result<(), TrainError>,
) -> Result<Vec<f64>, TrainError> {
    let mut decisions = vec![0.0; rows.len()];
    for fold in 0..folds.count {
        let (queried, kept): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|at| folds.of_row[*at] == fold);
        let select = |at: &[usize]| -> Vec<usize> { at.iter().map(|at| rows[*at]).collect() };
        let kept_rows = select(&kept);
        let kept_positive: Vec<bool> = kept.iter().map(|at| positive[*at]).collect();
        let solved = solve(matrix, &kept_rows, &kept_positive, kernel, options)?;
        for (at, decision) in queried.iter().zip(solved.decisions(matrix, &kept_rows, &select(&queried), kernel.kernel))
        {
            decisions[*at] = decision;
        }
        at(0.25 + 0.75 * (fold + 1) as f64 / folds.count as f64)?;
    }
    Ok(decisions)
}

/// The support vectors of all classifiers, each stored once.
struct Vectors {
    numbers: Vec<f64>,
    count: u32,
    /// The index of each training row in `numbers`.
    of_row: Vec<Option<u32>>,
}

impl Vectors {
    fn new(rows: usize) -> Self {
        Self { numbers: Vec::new(), count: 0, of_row: vec![None; rows] }
    }

    /// Adds the support vectors of a classifier and returns its support and coefficients. A linear classifier needs
    /// only one vector, the weighted sum of its support vectors.
    fn add_support(
        &mut self,
        matrix: &Array2<f64>,
        rows: &[usize],
        coefficients: Vec<f64>,
        kernel: Kernel,
    ) -> (Vec<u32>, Vec<f64>) {
        if kernel == Kernel::Linear {
            let weights = matrix.select(Axis(0), rows).t().dot(&Array1::from(coefficients));
            self.numbers.extend(weights);
            self.count += 1;
            return (vec![self.count - 1], vec![1.0]);
        }
        let mut support = (Vec::new(), Vec::new());
        for (row, coefficient) in rows.iter().zip(coefficients).filter(|(_, coefficient)| *coefficient != 0.0) {
            let at = *self.of_row[*row].get_or_insert_with(|| {
                self.numbers.extend(matrix.row(*row));
                self.count += 1;
                self.count - 1
            });
            support.0.push(at);
            support.1.push(coefficient);
        }
        support
    }
}

#[cfg(test)]
mod tests;
