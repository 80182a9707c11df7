//! linfa's traits for support vector machines: `Fit` for `linfa::Dataset`, `Predict` for arrays.

use linfa::dataset::{AsSingleTargets, DatasetBase, Label};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Error, Float};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

use super::{Failure, Machine, SvmValidParams, fit_classes, fit_numbers};
use crate::forest::{Classes, Numbers};
use crate::linfa_data::{class_indices, numbers, records};
use crate::metrics::classes::most_likely;
use crate::model::{DEFAULT_THRESHOLD, DesignMatrixEncoder, SvmModel, Task};

/// A trained support vector classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmClassifier<L> {
    classes: Vec<L>,
    task: Task,
    model: SvmModel,
}

/// A trained support vector regressor.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmRegressor {
    model: SvmModel,
}

impl<L> SvmClassifier<L> {
    /// The classes, sorted; the columns of [`SvmClassifier::predict_probabilities`].
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// The support vectors and decision functions.
    pub fn model(&self) -> &SvmModel {
        &self.model
    }

    /// Class probabilities per row of `x`.
    pub fn predict_probabilities<F: Float>(&self, x: &ArrayBase<impl Data<Elem = F>, Ix2>) -> Array2<f64> {
        let mut probabilities = Array2::zeros((x.nrows(), self.classes.len()));
        let mut outputs = vec![0.0; self.task.outputs()];
        for (row, mut probability) in x.rows().into_iter().zip(probabilities.rows_mut()) {
            let row: Vec<f64> = row.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect();
            self.model.predict(&self.task, &row, &mut outputs);
            match outputs.as_slice() {
                [positive] => {
                    probability[0] = 1.0 - positive;
                    probability[1] = *positive;
                }
                shares => probability.iter_mut().zip(shares).for_each(|(value, share)| *value = *share),
            }
        }
        probabilities
    }
}

impl SvmRegressor {
    /// The support vectors and the decision function.
    pub fn model(&self) -> &SvmModel {
        &self.model
    }
}

impl<F, D, L, T> Fit<ArrayBase<D, Ix2>, T, Error> for SvmValidParams<Classes>
where
    F: Float,
    D: Data<Elem = F>,
    L: Label + Ord,
    T: AsSingleTargets<Elem = L>,
{
    type Object = SvmClassifier<L>;

    /// Trains the classifier. Values must be finite. Row weights are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let matrix = records(dataset)?;
        let (classes, indices) = class_indices(dataset)?;
        let names = (0..classes.len()).map(|class| class.to_string()).collect();
        let task = match classes.len() {
            2 => Task::Binary {
                negative: "0".into(),
                positive: "1".into(),
                boolean: false,
                numeric: true,
                threshold: DEFAULT_THRESHOLD,
            },
            _ => Task::MultiClass { classes: names, numeric: true },
        };
        let machine = fit_classes(matrix, &indices, &[], classes.len(), self, &|_| true).map_err(error)?;
        Ok(SvmClassifier { classes, task, model: model(machine) })
    }
}

impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for SvmValidParams<Numbers>
where
    F: Float,
    D: Data<Elem = F>,
    T: AsSingleTargets<Elem = F>,
{
    type Object = SvmRegressor;

    /// Trains the regressor. Values and targets must be finite. Row weights are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let matrix = records(dataset)?;
        let machine = fit_numbers(matrix, &numbers(dataset)?, self, &|_| true).map_err(error)?;
        Ok(SvmRegressor { model: model(machine) })
    }
}

impl<F: Float, D: Data<Elem = F>, L: Label> PredictInplace<ArrayBase<D, Ix2>, Array1<L>> for SvmClassifier<L> {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<L>) {
        assert_eq!(x.nrows(), y.len(), "the number of targets must equal the number of rows");
        for (shares, target) in self.predict_probabilities(x).rows().into_iter().zip(y) {
            *target = self.classes[most_likely(&shares.to_vec())].clone();
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<L> {
        Array1::from_elem(x.nrows(), self.classes[0].clone())
    }
}

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<F>> for SvmRegressor {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<F>) {
        assert_eq!(x.nrows(), y.len(), "the number of targets must equal the number of rows");
        let mut output = [0.0];
        for (row, target) in x.rows().into_iter().zip(y) {
            let row: Vec<f64> = row.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect();
            self.model.predict(&Task::Regression, &row, &mut output);
            *target = F::cast(output[0]);
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<F> {
        Array1::zeros(x.nrows())
    }
}

/// linfa's records are the design matrix itself.
fn model(machine: Machine) -> SvmModel {
    SvmModel {
        encoder: DesignMatrixEncoder::default(),
        kernel: machine.kernel,
        vectors: machine.vectors,
        functions: machine.functions,
    }
}

fn error(failure: Failure) -> Error {
    match failure {
        Failure::Stopped => Error::NotConverged("training was stopped".into()),
        Failure::Diverged => Error::Parameters("kernel values are too large; decrease degree or gamma".into()),
    }
}
