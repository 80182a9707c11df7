//! Preprocessing: fits types, categories and their order, imputed values and scales on the training part.
//! [`crate::model`] applies them, in training and in prediction.

mod categories;
mod design_matrix;
mod part;

use crate::error::TrainError;
use crate::frame::{Column, Frame};
use crate::model::{Feature, FeatureKind};
pub(crate) use design_matrix::per_feature;
pub use design_matrix::{DesignMatrix, design_matrix};
pub use part::{Part, TargetValues};

/// Fits the features on the training rows.
///
/// # Errors
/// `bad_data` for a feature without values in the training part.
pub fn features(frame: &Frame, names: &[String], training: &[usize]) -> Result<Vec<Feature>, TrainError> {
    frame.columns.iter().zip(names).map(|(column, name)| feature(frame, column, name, training)).collect()
}

fn feature(frame: &Frame, column: &Column, name: &str, training: &[usize]) -> Result<Feature, TrainError> {
    let (kind, present) = match column {
        Column::Number(values) => {
            let mut present: Vec<f64> =
                training.iter().map(|row| values[*row]).filter(|value| !value.is_nan()).collect();
            present.sort_unstable_by(f64::total_cmp);
            (number(&present), present.len())
        }
        Column::Boolean(values) => {
            let present: Vec<bool> = training.iter().filter_map(|row| values[*row]).collect();
            let yes = present.iter().filter(|value| **value).count();
            let kind = FeatureKind::Boolean { mode: yes * 2 > present.len() };
            ((!present.is_empty()).then_some(kind), present.len())
        }
        Column::Category { names, codes } => categories::fit(names, codes, &frame.target, training)?,
    };
    let Some(kind) = kind else {
        return Err(TrainError::bad_data(format!("'{name}' has no values in the training rows")));
    };
    Ok(Feature { name: name.to_owned(), kind, missing_in_training: (training.len() - present) as u64 })
}

/// The type of a column of numbers, from its sorted values.
fn number(present: &[f64]) -> Option<FeatureKind> {
    let (min, max) = (*present.first()?, *present.last()?);
    let middle = present.len() / 2;
    // The halves are added, because the sum could overflow.
    let median =
        if present.len() % 2 == 1 { present[middle] } else { present[middle - 1] * 0.5 + present[middle] * 0.5 };
    Some(FeatureKind::Number { median, min, max })
}

#[cfg(test)]
mod tests;
