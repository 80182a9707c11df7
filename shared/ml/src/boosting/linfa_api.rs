//! linfa's traits for gradient boosting: `Fit` for `linfa::Dataset`, `Predict` for arrays.

use linfa::dataset::{AsSingleTargets, DatasetBase, Label};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Error, Float};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

use super::{Bins, Boosted, BoostingValidParams, Failure, Rows, TrainColumn, fit_classes, fit_numbers, in_stages};
use crate::forest::{Classes, Numbers};
use crate::linfa_data::{class_indices, numbers, raw_columns, raw_row};
use crate::metrics::classes::most_likely;
use crate::split;

/// A trained classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedClassifier<L> {
    classes: Vec<L>,
    boosted: Boosted,
}

/// A trained regressor.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedRegressor {
    boosted: Boosted,
}

impl<L> BoostedClassifier<L> {
    /// The classes, sorted; the columns of [`BoostedClassifier::predict_probabilities`].
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// The trees, importances and rounds.
    pub fn boosted(&self) -> &Boosted {
        &self.boosted
    }

    /// Class probabilities per row of `x`.
    pub fn predict_probabilities<F: Float>(&self, x: &ArrayBase<impl Data<Elem = F>, Ix2>) -> Array2<f64> {
        let mut probabilities = Array2::zeros((x.nrows(), self.classes.len()));
        let mut outputs = vec![0.0; self.boosted.model.response.baseline.len()];
        for (row, mut probability) in x.rows().into_iter().zip(probabilities.rows_mut()) {
            self.boosted.model.predict(&raw_row(&row), &mut outputs);
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

impl BoostedRegressor {
    /// The trees, importances and rounds.
    pub fn boosted(&self) -> &Boosted {
        &self.boosted
    }
}

/// The binned records, and the validation rows.
fn prepare<F: Float, D: Data<Elem = F>, T, K>(
    dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    classes: Option<(&[u32], usize)>,
    params: &BoostingValidParams<K>,
) -> Result<(Bins, Vec<bool>), Error> {
    let (rows, columns) = raw_columns(dataset)?;
    let validation = match params.early_stopping_rounds() {
        Some(_) => split::validation(rows, classes, None, params.validation_fraction(), params.seed()),
        None => Vec::new(),
    };
    Ok((Bins::new(rows, columns.len(), &TrainColumn::plain(&columns)), validation))
}

impl<F, D, L, T> Fit<ArrayBase<D, Ix2>, T, Error> for BoostingValidParams<Classes>
where
    F: Float,
    D: Data<Elem = F>,
    L: Label + Ord,
    T: AsSingleTargets<Elem = L>,
{
    type Object = BoostedClassifier<L>;

    /// Trains the classifier. NaN is a missing value. Row weights are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let (classes, indices) = class_indices(dataset)?;
        let (bins, validation) = prepare(dataset, Some((&indices, classes.len())), self)?;
        let boosted = in_stages(self, &validation, None, |_, validation, params, checkpoints| {
            fit_classes(Rows { bins: &bins, validation }, &indices, classes.len(), params, checkpoints, &|_, _| true)
        });
        let boosted = boosted.map_err(failed)?;
        Ok(BoostedClassifier { classes, boosted })
    }
}

impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for BoostingValidParams<Numbers>
where
    F: Float,
    D: Data<Elem = F>,
    T: AsSingleTargets<Elem = F>,
{
    type Object = BoostedRegressor;

    /// Trains the regressor. NaN is a missing value. Row weights and non-finite targets are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let targets = numbers(dataset)?;
        let (bins, validation) = prepare(dataset, None, self)?;
        let boosted = in_stages(self, &validation, None, |_, validation, params, checkpoints| {
            fit_numbers(Rows { bins: &bins, validation }, &targets, params, checkpoints, &|_, _| true)
        });
        let boosted = boosted.map_err(failed)?;
        Ok(BoostedRegressor { boosted })
    }
}

impl<F: Float, D: Data<Elem = F>, L: Label> PredictInplace<ArrayBase<D, Ix2>, Array1<L>> for BoostedClassifier<L> {
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

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<F>> for BoostedRegressor {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<F>) {
        assert_eq!(x.nrows(), y.len(), "the number of targets must equal the number of rows");
        let mut output = [0.0];
        for (row, target) in x.rows().into_iter().zip(y) {
            self.boosted.model.predict(&raw_row(&row), &mut output);
            *target = F::cast(output[0]);
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<F> {
        Array1::zeros(x.nrows())
    }
}

fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Stopped => Error::NotConverged("training was stopped".into()),
        Failure::Targets(message) => Error::Parameters(message.into()),
    }
}
