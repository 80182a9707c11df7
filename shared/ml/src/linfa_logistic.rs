//! Logistic regression by linfa-logistic (L-BFGS), binary or multinomial, on the design matrix.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, ArrayView1};

use crate::error::TrainError;
use crate::model::LinearModel;
use crate::preprocess::{DesignMatrix, per_raw_column};

/// Parameters of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Strength of the L2 penalty: the loss is summed over the rows, plus `alpha / 2 · |weights|²`.
    pub alpha: f64,
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
    let DesignMatrix { encoder, matrix } = design_matrix;
    let deviations: Vec<f64> = matrix.columns().into_iter().map(standard_deviation).collect();
    let dataset = DatasetBase::new(matrix, Array1::from_iter(classes.iter().copied()));
    let (weights, intercepts) = if n_classes == 2 {
        let model = LogisticRegression::default()
            .alpha(options.alpha)
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
            .max_iterations(options.max_iterations)
            .fit(&dataset)
            .map_err(|error| failed(&error))?;
        let by_class: Vec<f64> = model.params().t().iter().copied().collect();
        (by_class, model.intercept().to_vec())
    };
    if weights.iter().chain(&intercepts).any(|number| !number.is_finite()) {
        return Err(TrainError::bad_params("the weights diverge; increase alpha"));
    }
    // One-hot and indicator columns are not standardized, so their weights are multiplied by their standard deviation.
    let mut strengths = vec![0.0; deviations.len()];
    for row in weights.chunks_exact(deviations.len()) {
        for ((strength, weight), deviation) in strengths.iter_mut().zip(row).zip(&deviations) {
            *strength += weight.abs() * deviation;
        }
    }
    let importances = per_raw_column(&encoder, &strengths);
    Ok((LinearModel { encoder, weights, intercepts }, importances))
}

fn standard_deviation(column: ArrayView1<'_, f64>) -> f64 {
    column.std(0.0)
}

fn failed(error: &linfa_logistic::error::Error) -> TrainError {
    TrainError::bad_params(format!("logistic regression found no solution ({error}); increase alpha"))
}
