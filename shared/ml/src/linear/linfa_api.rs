//! linfa's traits for linear models: `Fit` for `linfa::Dataset`, `Predict` for arrays.

use linfa::dataset::{AsSingleTargets, DatasetBase, Label};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Error, Float};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

use super::{Fitted, LinearValidParams, fit_classes, fit_numbers};
use crate::forest::{Classes, Numbers};
use crate::linfa_data::{class_indices, numbers, records};
use crate::metrics::classes::most_likely;
use crate::model::linear::{sigmoid, softmax};

/// A trained logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticClassifier<L> {
    classes: Vec<L>,
    fitted: Fitted,
}

/// A trained ridge regression.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearRegressor {
    fitted: Fitted,
}

impl<L> LogisticClassifier<L> {
    /// The classes, sorted; the columns of [`LogisticClassifier::predict_probabilities`].
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// The weights, row by row: one row for two classes (log-odds of the second class), else one per class.
    pub fn weights(&self) -> &[f64] {
        &self.fitted.weights
    }

    /// One intercept per row of weights.
    pub fn intercepts(&self) -> &[f64] {
        &self.fitted.intercepts
    }

    /// Class probabilities per row of `x`.
    pub fn predict_probabilities<F: Float>(&self, x: &ArrayBase<impl Data<Elem = F>, Ix2>) -> Array2<f64> {
        let mut probabilities = Array2::zeros((x.nrows(), self.classes.len()));
        for (row, mut probability) in x.rows().into_iter().zip(probabilities.rows_mut()) {
            let row: Vec<f64> = row.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect();
            let mut scores = scores(&self.fitted, &row);
            if let [score] = scores[..] {
                scores = vec![sigmoid(-score), sigmoid(score)];
            } else {
                softmax(&mut scores);
            }
            probability.iter_mut().zip(scores).for_each(|(value, score)| *value = score);
        }
        probabilities
    }
}

impl LinearRegressor {
    /// One weight per column.
    pub fn weights(&self) -> &[f64] {
        &self.fitted.weights
    }

    /// The intercept.
    pub fn intercept(&self) -> f64 {
        self.fitted.intercepts[0]
    }
}

fn scores(fitted: &Fitted, row: &[f64]) -> Vec<f64> {
    let weights = fitted.weights.chunks_exact(row.len().max(1));
    let score =
        |(weights, intercept): (&[f64], &f64)| intercept + weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
    weights.zip(&fitted.intercepts).map(score).collect()
}

impl<F, D, L, T> Fit<ArrayBase<D, Ix2>, T, Error> for LinearValidParams<Classes>
where
    F: Float,
    D: Data<Elem = F>,
    L: Label + Ord,
    T: AsSingleTargets<Elem = L>,
{
    type Object = LogisticClassifier<L>;

    /// Trains logistic regression. Values must be finite. Row weights are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let matrix = records(dataset)?;
        let (classes, indices) = class_indices(dataset)?;
        let fitted = fit_classes(&matrix, &indices, classes.len(), self, &|_| true).ok_or_else(stopped)?;
        Ok(LogisticClassifier { classes, fitted })
    }
}

impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for LinearValidParams<Numbers>
where
    F: Float,
    D: Data<Elem = F>,
    T: AsSingleTargets<Elem = F>,
{
    type Object = LinearRegressor;

    /// Trains ridge regression. Values and targets must be finite. Row weights are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let fitted = fit_numbers(&records(dataset)?, &numbers(dataset)?, self, &|_| true).ok_or_else(stopped)?;
        Ok(LinearRegressor { fitted })
    }
}

impl<F: Float, D: Data<Elem = F>, L: Label> PredictInplace<ArrayBase<D, Ix2>, Array1<L>> for LogisticClassifier<L> {
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

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<F>> for LinearRegressor {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<F>) {
        assert_eq!(x.nrows(), y.len(), "the number of targets must equal the number of rows");
        for (row, target) in x.rows().into_iter().zip(y) {
            let row: Vec<f64> = row.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect();
            *target = F::cast(scores(&self.fitted, &row)[0]);
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<F> {
        Array1::zeros(x.nrows())
    }
}

fn stopped() -> Error {
    Error::NotConverged("training was stopped".into())
}
