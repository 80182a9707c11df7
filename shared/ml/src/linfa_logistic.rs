//! The reference engine for [`crate::linear`]: logistic regression by linfa-logistic (L-BFGS), binary or multinomial, on the
//! design matrix.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::Array1;

use crate::error::TrainError;
use crate::linear::importances;
use crate::model::LinearModel;
use crate::preprocess::DesignMatrix;

/// Parameters of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Strength of the L2 penalty: the loss is summed over the rows, plus `alpha / 2 · |weights|²`.
    pub alpha: f64,
    /// The optimizer stops at this length of the mean gradient.
    pub tolerance: f64,
    /// Maximum number of iterations of the optimizer.
    pub max_iterations: u64,
}

/// Trains the model and computes an importance per raw column: the absolute standardized weights.
///
/// # Errors
/// `bad_params` if the optimizer finds no finite weights.
pub fn fit(
    design_matrix: DesignMatrix,
    classes: &[u32],
    n_classes: usize,
    options: &Options,
) -> Result<(LinearModel, Vec<f64>), TrainError> {
    let means = design_matrix.means();
    let DesignMatrix { encoder, matrix } = design_matrix;
    // linfa sums the gradient over the rows.
    let tolerance = options.tolerance * classes.len() as f64;
    let dataset = DatasetBase::new(matrix, Array1::from_iter(classes.iter().copied()));
    let (weights, intercepts) = if n_classes == 2 {
        let model = LogisticRegression::default()
            .alpha(options.alpha)
            .gradient_tolerance(tolerance)
            .max_iterations(options.max_iterations)
            .fit(&dataset)
            .map_err(|error| failed(&error))?;
        // linfa's positive class is the more frequent one; here it is class 1.
        let sign = if model.labels().pos.class == 1 { 1.0 } else { -1.0 };
        (model.params().iter().map(|weight| sign * weight).collect(), vec![sign * model.intercept()])
    } else {
        // Every class has a training row, so linfa's sorted classes are 0..n_classes.
        let model = MultiLogisticRegression::default()
            .alpha(options.alpha)
            .gradient_tolerance(tolerance)
            .max_iterations(options.max_iterations)
            .fit(&dataset)
            .map_err(|error| failed(&error))?;
        let by_class: Vec<f64> = model.params().t().iter().copied().collect();
        (by_class, model.intercept().to_vec())
    };
    if weights.iter().chain(&intercepts).any(|number| !number.is_finite()) {
        return Err(TrainError::bad_params("the weights diverge; increase alpha"));
    }
    let importances = importances(&dataset.records, &encoder, &weights);
    Ok((LinearModel { encoder, weights, intercepts, means }, importances))
}

fn failed(error: &linfa_logistic::error::Error) -> TrainError {
    TrainError::bad_params(format!("logistic regression found no solution ({error}); increase alpha"))
}
