//! What is learned of the features before any model: kinds, categories and their order, stand-ins for missing values,
//! scales. Fitted on the training part alone; carried out, for training and serving alike, in [`crate::model`].

mod categories;
mod design;
mod part;

use crate::frame::{Column, Frame};
use crate::model::{Feature, FeatureKind};
use crate::train::TrainError;
pub(crate) use design::per_feature;
pub use design::{Design, design};
pub use part::{Part, Truth};

/// The features as the training rows show them.
///
/// # Errors
/// `bad_data` for a feature without any value in the training part.
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
        return Err(TrainError::bad_data(format!("'{name}' has no value in any training row")));
    };
    Ok(Feature { name: name.to_owned(), kind, missing_in_training: (training.len() - present) as u64 })
}

/// The kind of a column with these values, sorted.
fn number(present: &[f64]) -> Option<FeatureKind> {
    let (min, max) = (*present.first()?, *present.last()?);
    let middle = present.len() / 2;
    // Halves are added rather than the sum halved, which might overflow.
    let median =
        if present.len() % 2 == 1 { present[middle] } else { present[middle - 1] * 0.5 + present[middle] * 0.5 };
    Some(FeatureKind::Number { median, min, max })
}

#[cfg(test)]
mod tests;
