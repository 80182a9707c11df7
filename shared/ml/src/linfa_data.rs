//! linfa's datasets as inputs of our own engines.

use linfa::dataset::{AsSingleTargets, DatasetBase, Label};
use linfa::{Error, Float};
use ndarray::{Array2, ArrayBase, Data, Ix1, Ix2};

/// The records as `f64`, in the order of their rows.
pub(crate) fn records<F: Float, D: Data<Elem = F>, T>(
    dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
) -> Result<Array2<f64>, Error> {
    let records = unweighted(dataset)?;
    // Row by row, whatever the layout of the records is.
    let matrix =
        Array2::from_shape_vec(records.dim(), records.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect())
            .map_err(|error| Error::Parameters(error.to_string()))?;
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(Error::Parameters("values must be finite numbers".into()));
    }
    Ok(matrix)
}

/// The classes, sorted, and the index of each row's class.
pub(crate) fn class_indices<R, L, T>(dataset: &DatasetBase<R, T>) -> Result<(Vec<L>, Vec<u32>), Error>
where
    R: linfa::dataset::Records,
    L: Label + Ord,
    T: AsSingleTargets<Elem = L>,
{
    let targets = dataset.as_single_targets();
    let mut classes: Vec<L> = targets.iter().cloned().collect();
    classes.sort();
    classes.dedup();
    if classes.len() < 2 {
        return Err(Error::Parameters("targets must have at least two classes".into()));
    }
    // Every target is in `classes`, so the search always succeeds.
    let index = |target: &L| classes.binary_search(target).unwrap_or_else(|at| at) as u32;
    let indices = targets.iter().map(index).collect();
    Ok((classes, indices))
}

/// Finite targets.
pub(crate) fn numbers<R, F, T>(dataset: &DatasetBase<R, T>) -> Result<Vec<f64>, Error>
where
    R: linfa::dataset::Records,
    F: Float,
    T: AsSingleTargets<Elem = F>,
{
    let targets: Vec<f64> =
        dataset.as_single_targets().iter().map(|target| target.to_f64().unwrap_or(f64::NAN)).collect();
    if targets.iter().any(|target| !target.is_finite()) {
        return Err(Error::Parameters("targets must be finite numbers".into()));
    }
    Ok(targets)
}

/// The number of rows, and the raw columns for trees. NaN is a missing value.
pub(crate) fn raw_columns<F: Float, D: Data<Elem = F>, T>(
    dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
) -> Result<(usize, Vec<Vec<f32>>), Error> {
    let records = unweighted(dataset)?;
    Ok((records.nrows(), records.columns().into_iter().map(|column| raw_row(&column)).collect()))
}

/// Raw values for trees. The lowest `f32` and minus infinity count as missing, because no threshold is below them.
pub(crate) fn raw_row<F: Float>(row: &ArrayBase<impl Data<Elem = F>, Ix1>) -> Vec<f32> {
    row.iter().map(|value| value.to_f32().filter(|value| *value > f32::MIN).unwrap_or(f32::NAN)).collect()
}

/// The records of a dataset without row weights; at least one.
fn unweighted<R: linfa::dataset::Records, T>(dataset: &DatasetBase<R, T>) -> Result<&R, Error> {
    if dataset.weights().is_some() {
        return Err(Error::Parameters("row weights are not supported; use class weights instead".into()));
    }
    let records = dataset.records();
    if records.nsamples() == 0 || records.nfeatures() == 0 {
        return Err(Error::NotEnoughSamples);
    }
    Ok(records)
}
