//! Preprocessing: fits types, categories, scalings and imputed values on the training part. [`crate::model`] applies
//! them, in training and in prediction.

mod categories;
mod category_orders;
mod design_matrix;
mod part;
mod statistics;

use trainyard_domain::shown;

use crate::error::TrainError;
use crate::frame::{Column, Frame, FrameColumn};
use crate::model::{DatePart, DateUnit, Feature, FeatureKind, Scaling};
pub(crate) use category_orders::FOLDS;
pub(crate) use design_matrix::per_raw_column;
pub use design_matrix::{DesignMatrix, design_matrix};
pub use part::{Part, TargetValues};
pub use statistics::{CategoryCodes, OrderedColumn};
pub(crate) use statistics::{MAX_STATISTICS, PERMUTATIONS};

/// The model families, which need different raw values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFamily {
    /// One decision tree.
    Tree,
    /// A forest with an out-of-bag score.
    Forest,
    /// Gradient boosting, with target statistics of categories.
    Boosting,
    /// Linear models and support vector classifiers, on a design matrix.
    Dense,
    /// Ensembles, whose members compute their own raw values ([`crate::model::FeatureEncoding`]).
    Ensemble,
}

/// The fitted features.
#[derive(Debug)]
pub struct Fitted {
    /// The features, in the order of the remaining columns of the frame.
    pub features: Vec<Feature>,
    /// The names of dropped columns.
    pub dropped: Vec<String>,
    /// Warnings about dropped and changed columns.
    pub warnings: Vec<String>,
    /// The fold of each training row for the orders of categories; empty without such orders.
    pub folds: Vec<u8>,
}

/// Fits the features on the training rows. Columns without a value in these rows are removed from the frame. `copies` is
/// the group of each training row, numbered from 0, where copies of each other are one group; empty without copies.
///
/// # Errors
/// `bad_data` if no column has a value.
pub fn fit(
    frame: &mut Frame,
    training: &[usize],
    copies: &[u32],
    family: ModelFamily,
    seed: u64,
) -> Result<Fitted, TrainError> {
    let mut fitted = Fitted { features: Vec::new(), dropped: Vec::new(), warnings: Vec::new(), folds: Vec::new() };
    let Frame { columns, target, .. } = frame;
    let targets = categories::Targets {
        scores: category_orders::scores(target, training),
        folds: category_orders::folds(training.len(), copies, seed),
        statistic_scores: match family {
            ModelFamily::Boosting => statistics::scores(target, training),
            _ => Vec::new(),
        },
    };
    columns.retain(|column| {
        let name = shown(&column.name);
        let found = match &column.values {
            Column::Number(values) => number(values, training),
            Column::Boolean(values) => boolean(values, training),
            Column::Datetime(values) => datetime(values, training, family),
            Column::Category { names, codes } => {
                let found = categories::fit(names, codes, &targets, training, family);
                if let Some((FeatureKind::Category { categories, grouped: true, .. }, _)) = &found {
                    fitted.warnings.push(format!(
                        "'{name}' has more than {} categories: the {} most frequent are used, and the others are grouped",
                        categories::MAX_CATEGORIES,
                        categories.len()
                    ));
                }
                found
            }
        };
        match found {
            Some((kind, present)) => fitted.features.push(feature(column, kind, training.len() - present)),
            None => {
                fitted.warnings.push(format!("'{name}' has no values in the training rows and was dropped"));
                fitted.dropped.push(column.name.clone());
            }
        }
        fitted.dropped.last() != Some(&column.name)
    });
    if fitted.features.is_empty() {
        return Err(TrainError::bad_data("no feature has a value in the training rows; choose other features"));
    }
    let has_orders =
        |feature: &Feature| matches!(&feature.kind, FeatureKind::Category { orders, .. } if orders.len() > 1);
    if fitted.features.iter().any(has_orders) {
        fitted.folds = targets.folds;
    }
    Ok(fitted)
}

fn feature(column: &FrameColumn, kind: FeatureKind, missing: usize) -> Feature {
    let (name, reading) = (column.name.clone(), column.reading.clone());
    Feature { name, kind, missing_in_training: missing as u64, reading }
}

/// A type, and the number of training rows with a value.
type Found = Option<(FeatureKind, usize)>;

fn number(values: &[f64], training: &[usize]) -> Found {
    let present = sorted(values, training);
    let (min, max) = (*present.first()?, *present.last()?);
    let middle = present.len() / 2;
    // The halves are added, because the sum could overflow.
    let median =
        if present.len() % 2 == 1 { present[middle] } else { present[middle - 1] * 0.5 + present[middle] * 0.5 };
    Some((FeatureKind::Number { median, min, max, scaling: Scaling::fit(&present) }, present.len()))
}

fn boolean(values: &[Option<bool>], training: &[usize]) -> Found {
    let present: Vec<bool> = training.iter().filter_map(|row| values[*row]).collect();
    let yes = present.iter().filter(|value| **value).count();
    let kind = FeatureKind::Boolean { mode: yes * 2 > present.len() };
    (!present.is_empty()).then_some((kind, present.len()))
}

fn datetime(values: &[f64], training: &[usize], family: ModelFamily) -> Found {
    let present = sorted(values, training);
    let (min, max) = (*present.first()?, *present.last()?);
    let units: &[DateUnit] = match family {
        ModelFamily::Tree | ModelFamily::Forest | ModelFamily::Boosting => &DateUnit::FOR_TREES,
        ModelFamily::Dense => &DateUnit::FOR_DENSE_MODELS,
        ModelFamily::Ensemble => &DateUnit::ALL,
    };
    let part = |unit: &DateUnit| {
        let mut numbers: Vec<f64> = present.iter().map(|seconds| unit.of(*seconds)).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        // A constant date still has one part.
        let varies = numbers.first() != numbers.last() || (min == max && *unit == DateUnit::Ordinal);
        varies.then(|| DatePart { unit: *unit, scaling: Scaling::fit(&numbers) })
    };
    let parts = units.iter().filter_map(part).collect();
    Some((FeatureKind::Datetime { min, max, parts }, present.len()))
}

fn sorted(values: &[f64], training: &[usize]) -> Vec<f64> {
    let mut present: Vec<f64> = training.iter().map(|row| values[*row]).filter(|value| !value.is_nan()).collect();
    present.sort_unstable_by(f64::total_cmp);
    present
}

#[cfg(test)]
mod tests;
