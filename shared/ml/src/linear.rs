//! Linear models: logistic regression, binary and multinomial, and ridge regression, by Newton's method.
//!
//! The optimizer is our own ([`newton`]); [`crate::linfa_logistic`] is the reference. The result depends only on data,
//! parameters and the kind of CPU ([`crate::simd`]), not on the number of threads.
//!
//! Two interfaces: [`LinearParams`] implements linfa's traits (`Fit`, `Predict`, `ParamGuard`); [`crate::train`] calls the
//! functions below with a progress callback.

mod cholesky;
mod linfa_api;
mod newton;
mod objective;
mod params;
mod simd;

use ndarray::Array2;

use crate::forest::{Classes, Numbers};
use crate::model::DesignMatrixEncoder;
use crate::preprocess::per_raw_column;
use crate::target_scale::TargetScale;
use newton::{Optimum, Stop, minimize};
use objective::{Objective, Targets};

pub use linfa_api::{LinearRegressor, LogisticClassifier};
pub use params::{LinearParams, LinearValidParams, LogisticParams, RidgeParams};

/// The fitted functions, without the encoder of the design matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fitted {
    /// Row-major: one row per output.
    pub(crate) weights: Vec<f64>,
    /// One per output.
    pub(crate) intercepts: Vec<f64>,
    /// Whether the tolerance was reached.
    pub(crate) converged: bool,
}

/// Called with the progress from 0 to 1; `false` stops the training.
pub(crate) type OnProgress<'a> = &'a dyn Fn(f64) -> bool;

/// With at least this many rows the optimizer starts from the optimum of a sample.
const MIN_SAMPLED_ROWS: usize = 20_000;
/// One row of this many is in the sample.
pub(crate) const SAMPLE_SHARE: u64 = 10;
/// Minimum number of rows per class in a sample.
const MIN_CLASS_ROWS: usize = 20;
/// The sample differs from the whole by more than this.
const SAMPLE_TOLERANCE: f64 = 1e-3;

/// Trains logistic regression. `classes` are indices below `n_classes`, each with a row. `None` if `on_progress` stopped
/// the training.
pub(crate) fn fit_classes(
    matrix: &Array2<f64>,
    classes: &[u32],
    n_classes: usize,
    params: &LinearValidParams<Classes>,
    on_progress: OnProgress<'_>,
) -> Option<Fitted> {
    let weights = params.class_weight().weights(classes, n_classes);
    let rows = row_major(matrix);
    let objective = Objective {
        rows: &rows,
        width: matrix.ncols(),
        targets: Targets::Classes(classes, &weights),
        alpha: params.alpha(),
    };
    let zero = vec![0.0; objective.outputs() * objective.size()];
    let start = match sample_optimum(&objective, classes, &weights, params, on_progress) {
        Ok(None) => zero,
        Ok(Some(start)) if objective.evaluate(&start).value < objective.evaluate(&zero).value => start,
        Ok(Some(_)) => zero,
        Err(Stopped) => return None,
    };
    let stop = Stop { tolerance: params.tolerance(), max_iterations: params.max_iterations() };
    let optimum = minimize(&objective, start, stop, on_progress)?;
    Some(fitted(optimum, objective.width))
}

/// Trains ridge regression. `None` if `on_progress` stopped the training.
pub(crate) fn fit_numbers(
    matrix: &Array2<f64>,
    targets: &[f64],
    params: &LinearValidParams<Numbers>,
    on_progress: OnProgress<'_>,
) -> Option<Fitted> {
    let scale = TargetScale::of(targets);
    let scaled: Vec<f64> = targets.iter().map(|target| scale.apply(*target)).collect();
    let rows = row_major(matrix);
    let objective =
        Objective { rows: &rows, width: matrix.ncols(), targets: Targets::Numbers(&scaled), alpha: params.alpha() };
    let stop = Stop { tolerance: params.tolerance(), max_iterations: params.max_iterations() };
    let optimum = minimize(&objective, vec![0.0; objective.size()], stop, on_progress)?;
    let mut fitted = fitted(optimum, objective.width);
    fitted.weights.iter_mut().for_each(|weight| *weight *= scale.deviation());
    fitted.intercepts.iter_mut().for_each(|intercept| *intercept = *intercept * scale.deviation() + scale.mean());
    Some(fitted)
}

/// The importance of each raw column: the absolute weights times the standard deviations. One-hot and indicator columns
/// are not standardized.
pub(crate) fn importances(matrix: &Array2<f64>, encoder: &DesignMatrixEncoder, weights: &[f64]) -> Vec<f64> {
    let deviations: Vec<f64> = matrix.columns().into_iter().map(|column| column.std(0.0)).collect();
    let mut strengths = vec![0.0; deviations.len()];
    for row in weights.chunks_exact(deviations.len().max(1)) {
        for ((strength, weight), deviation) in strengths.iter_mut().zip(row).zip(&deviations) {
            *strength += weight.abs() * deviation;
        }
    }
    per_raw_column(encoder, &strengths)
}

fn row_major(matrix: &Array2<f64>) -> std::borrow::Cow<'_, [f64]> {
    match matrix.as_slice() {
        Some(rows) => rows.into(),
        None => matrix.iter().copied().collect::<Vec<_>>().into(),
    }
}

/// `on_progress` stopped the training.
struct Stopped;

/// The optimum of a tenth of the rows, as the start for all rows: close to their optimum, for a tenth of the work. `None`
/// if there are too few rows.
fn sample_optimum(
    objective: &Objective<'_>,
    classes: &[u32],
    weights: &[f64],
    params: &LinearValidParams<Classes>,
    on_progress: OnProgress<'_>,
) -> Result<Option<Vec<f64>>, Stopped> {
    if classes.len() < MIN_SAMPLED_ROWS.max(5 * SAMPLE_SHARE as usize * objective.size()) {
        return Ok(None);
    }
    let width = objective.width;
    // Multiples of the golden ratio are spread evenly, also if the rows have a period.
    let is_sampled = |row: usize| {
        let spread = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        spread < u64::MAX / SAMPLE_SHARE
    };
    let sampled: Vec<usize> = (0..classes.len()).filter(|row| is_sampled(*row)).collect();
    let of_sample: Vec<u32> = sampled.iter().map(|row| classes[*row]).collect();
    let mut counts = vec![0; weights.len()];
    of_sample.iter().for_each(|class| counts[*class as usize] += 1);
    if counts.iter().any(|count| *count < MIN_CLASS_ROWS) {
        return Ok(None);
    }
    let mut rows = Vec::with_capacity(sampled.len() * width);
    sampled.iter().for_each(|row| rows.extend_from_slice(&objective.rows[row * width..][..width]));
    let sample = Objective {
        rows: &rows,
        width,
        targets: Targets::Classes(&of_sample, weights),
        alpha: params.alpha() / SAMPLE_SHARE as f64,
    };
    let start = vec![0.0; sample.outputs() * sample.size()];
    let tolerance = params.tolerance().max(SAMPLE_TOLERANCE);
    let stop = Stop { tolerance, max_iterations: params.max_iterations() };
    let optimum = minimize(&sample, start, stop, &|_| on_progress(0.0)).ok_or(Stopped)?;
    Ok(Some(optimum.coefficients))
}

/// Splits the coefficients. A number that is added to the intercepts of all classes changes no probability; their mean
/// is 0.
fn fitted(optimum: Optimum, width: usize) -> Fitted {
    let rows = optimum.coefficients.chunks_exact(width + 1);
    let weights = rows.clone().flat_map(|row| row[..width].iter().copied()).collect();
    let mut intercepts: Vec<f64> = rows.map(|row| row[width]).collect();
    if intercepts.len() > 1 {
        let mean = intercepts.iter().sum::<f64>() / intercepts.len() as f64;
        intercepts.iter_mut().for_each(|intercept| *intercept -= mean);
    }
    Fitted { weights, intercepts, converged: optimum.converged }
}

#[cfg(test)]
mod tests;
