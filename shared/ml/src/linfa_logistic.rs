//! Logistic regression by linfa-logistic (L-BFGS), two classes or several, over the design matrix.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, ArrayView1};

use crate::metrics::importances::normalise;
use crate::model::LinearModel;
use crate::preprocess::{Design, per_feature};
use crate::train::TrainError;

/// What a job may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Strength of the L2 penalty: the loss, summed over rows, plus `alpha / 2 · |weights|²`.
    pub alpha: f64,
    /// Most iterations of the optimiser.
    pub max_iterations: u64,
}

/// Fits the model; also returns each feature's share of the absolute standardised weights.
///
/// # Errors
/// `bad_params` when the optimiser finds no usable weights.
pub fn fit(
    design: Design,
    classes: &[u32],
    n_classes: usize,
    options: &Options,
) -> Result<(LinearModel, Vec<f64>), TrainError> {
    let Design { encoding, matrix } = design;
    let spreads: Vec<f64> = matrix.columns().into_iter().map(spread).collect();
    let dataset = DatasetBase::new(matrix, Array1::from_iter(classes.iter().copied()));
    let (weights, intercepts) = if n_classes == 2 {
        let model = LogisticRegression::default()
            .alpha(options.alpha)
            .max_iterations(options.max_iterations)
            .fit(&dataset)
            .map_err(|error| failed(&error))?;
        // linfa speaks for the class it met more often; we speak for class 1.
        let sign = if model.labels().pos.class == 1 { 1.0 } else { -1.0 };
        (model.params().iter().map(|weight| sign * weight).collect(), vec![sign * model.intercept()])
    } else {
        // Every class has a training row, so linfa's sorted classes are all of 0..n_classes.
        let model = MultiLogisticRegression::default()
            .alpha(options.alpha)
            .max_iterations(options.max_iterations)
            .fit(&dataset)
            .map_err(|error| failed(&error))?;
        let by_class: Vec<f64> = model.params().t().iter().copied().collect();
        (by_class, model.intercept().to_vec())
    };
    if weights.iter().chain(&intercepts).any(|number| !number.is_finite()) {
        return Err(TrainError::bad_params("the weights grew past all bounds; a larger alpha keeps them in check"));
    }
    // One-hot and indicator columns are not standardised themselves, so their weights are scaled by their spread.
    let mut strengths = vec![0.0; spreads.len()];
    for row in weights.chunks_exact(spreads.len()) {
        for ((strength, weight), spread) in strengths.iter_mut().zip(row).zip(&spreads) {
            *strength += weight.abs() * spread;
        }
    }
    let mut importances = per_feature(&encoding, &strengths);
    normalise(&mut importances);
    Ok((LinearModel { encoding, weights, intercepts }, importances))
}

fn spread(column: ArrayView1<'_, f64>) -> f64 {
    column.std(0.0)
}

fn failed(error: &linfa_logistic::error::Error) -> TrainError {
    TrainError::bad_params(format!("logistic regression found no solution ({error}); try a larger alpha"))
}
