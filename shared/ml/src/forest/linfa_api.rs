//! linfa's traits for the forest: `Fit` for `linfa::Dataset`, `Predict` for arrays.

use linfa::dataset::{AsSingleTargets, DatasetBase, Label};
use linfa::traits::{Fit, PredictInplace};
use linfa::{Error, Float};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

use crate::linfa_data::{numbers, raw_columns, raw_row};
use crate::metrics::classes::most_likely;

use super::{Binned, Classes, Forest, Numbers, RandomForestValidParams, fit_classes, fit_numbers};

/// A trained random forest classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestClassifier<L> {
    classes: Vec<L>,
    forest: Forest,
}

/// A trained random forest regressor.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRegressor {
    forest: Forest,
}

impl<L> ForestClassifier<L> {
    /// The classes, sorted; the columns of [`ForestClassifier::predict_probabilities`].
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// The trees, importances and out-of-bag accuracy.
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// Class probabilities per row of `x`: the mean over the leaves of all trees.
    pub fn predict_probabilities<F: Float>(&self, x: &ArrayBase<impl Data<Elem = F>, Ix2>) -> Array2<f64> {
        let mut probabilities = Array2::zeros((x.nrows(), self.classes.len()));
        let mut outputs = vec![0.0; self.forest.trees.outputs];
        for (row, mut probability) in x.rows().into_iter().zip(probabilities.rows_mut()) {
            self.forest.trees.predict(&raw_row(&row), &mut outputs);
            match outputs.as_slice() {
                [positive] if self.classes.len() == 2 => {
                    probability[0] = 1.0 - positive;
                    probability[1] = *positive;
                }
                shares => probability.iter_mut().zip(shares).for_each(|(value, share)| *value = *share),
            }
        }
        probabilities
    }
}

impl ForestRegressor {
    /// The trees, importances and out-of-bag R².
    pub fn forest(&self) -> &Forest {
        &self.forest
    }
}

impl<F, D, L, T> Fit<ArrayBase<D, Ix2>, T, Error> for RandomForestValidParams<Classes>
where
    F: Float,
    D: Data<Elem = F>,
    L: Label + Ord,
    T: AsSingleTargets<Elem = L>,
{
    type Object = ForestClassifier<L>;

    /// Trains the forest. NaN is a missing value. Row weights are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let binned = binned(dataset)?;
        let targets = dataset.as_single_targets();
        let mut classes: Vec<L> = targets.iter().cloned().collect();
        classes.sort();
        classes.dedup();
        let indices: Vec<u32> = targets
            .iter()
            // Every target is in `classes`, so the search always succeeds.
            .map(|target| classes.binary_search(target).unwrap_or_else(|at| at) as u32)
            .collect();
        let forest = fit_classes(&binned, &indices, classes.len(), self, None, &|_, _| true).ok_or_else(stopped)?;
        Ok(ForestClassifier { classes, forest })
    }
}

impl<F, D, T> Fit<ArrayBase<D, Ix2>, T, Error> for RandomForestValidParams<Numbers>
where
    F: Float,
    D: Data<Elem = F>,
    T: AsSingleTargets<Elem = F>,
{
    type Object = ForestRegressor;

    /// Trains the forest. NaN is a missing value. Row weights and non-finite targets are not supported.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Self::Object, Error> {
        let binned = binned(dataset)?;
        let targets = numbers(dataset)?;
        let forest = fit_numbers(&binned, &targets, self, None, &|_, _| true).ok_or_else(stopped)?;
        Ok(ForestRegressor { forest })
    }
}

impl<F: Float, D: Data<Elem = F>, L: Label> PredictInplace<ArrayBase<D, Ix2>, Array1<L>> for ForestClassifier<L> {
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

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<F>> for ForestRegressor {
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<F>) {
        assert_eq!(x.nrows(), y.len(), "the number of targets must equal the number of rows");
        let mut output = [0.0];
        for (row, target) in x.rows().into_iter().zip(y) {
            self.forest.trees.predict(&raw_row(&row), &mut output);
            *target = F::cast(output[0]);
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<F> {
        Array1::zeros(x.nrows())
    }
}

fn binned<F: Float, D: Data<Elem = F>, T>(dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<Binned, Error> {
    let (rows, columns) = raw_columns(dataset)?;
    Ok(Binned::new(rows, &columns))
}

fn stopped() -> Error {
    Error::NotConverged("training was stopped".into())
}
