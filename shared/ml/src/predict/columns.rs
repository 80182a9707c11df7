//! Prediction from columns, for requests that send one tensor per feature or one matrix.

use std::borrow::Cow;

use super::counting::RowBins;
use super::{CHUNK_ROWS, Predictor, Scratch};
use crate::model::{Feature, Input, Mismatch};

/// The values of one feature, one per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column<'a> {
    /// For a feature of numbers. Each is finite, or NaN for a missing value.
    Numbers(Vec<f64>),
    /// For a feature of booleans. `None` is a missing value.
    Booleans(Vec<Option<bool>>),
    /// For a category or a date, read as in the training table. `None` and an empty text are missing values.
    Texts(Vec<Option<Cow<'a, str>>>),
}

/// The rows of a request, by column or as a matrix.
#[derive(Debug, Clone, PartialEq)]
pub enum Columns<'a> {
    /// One column per feature, in the order of the signature and with the type of the feature.
    Each(Vec<Column<'a>>),
    /// The numbers of all features, row by row, if every feature is a number. NaN is a missing value.
    Matrix(Vec<f64>),
}

/// Why columns were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// A text is no value of its feature.
    #[error("{mismatch}")]
    Value {
        /// The index of the feature in the signature.
        feature: usize,
        /// The row, from 0.
        row: usize,
        /// The expected and the found value.
        mismatch: Mismatch,
    },
    /// The model has no finite prediction for a row.
    #[error("the features of row {row} are too far outside the range of the training data for a prediction")]
    OutOfRange {
        /// The row, from 0.
        row: usize,
    },
}

impl Predictor {
    /// Predicts `rows` rows. Returns [`crate::model::Task::outputs`] numbers per row, the same as for rows of JSON.
    ///
    /// # Errors
    /// The first value that can't be used.
    ///
    /// # Panics
    /// If a column has another length than `rows`.
    pub fn predict_columns(&self, columns: &Columns<'_>, rows: usize) -> Result<Vec<f64>, ColumnError> {
        self.predict_columns_into(columns, rows, None)
    }

    /// Writes the bins of all rows to `bins`.
    pub(super) fn predict_columns_into(
        &self,
        columns: &Columns<'_>,
        rows: usize,
        mut bins: Option<&mut RowBins>,
    ) -> Result<Vec<f64>, ColumnError> {
        if let Some(bins) = &mut bins {
            bins.extend_to(rows);
        }
        let (width, per_row) = (self.width, self.signature().task.outputs());
        let mut outputs = vec![0.0; rows * per_row];
        let chunk = rows.min(CHUNK_ROWS);
        let (mut raw, mut unseen) = (vec![f32::NAN; chunk * width], vec![false; chunk * width]);
        let mut scratch = Scratch::default();
        for (chunk, outputs) in outputs.chunks_mut(CHUNK_ROWS * per_row).enumerate() {
            let (first, rows) = (chunk * CHUNK_ROWS, outputs.len() / per_row);
            let (raw, unseen) = (&mut raw[..rows * width], &mut unseen[..rows * width]);
            self.encode_columns(columns, first, raw, unseen, bins.as_deref_mut())?;
            self.predict_raw(raw, unseen, &mut scratch, outputs);
            let is_finite = |outputs: &[f64]| outputs.iter().all(|output| output.is_finite());
            if let Some(row) = outputs.chunks_exact(per_row).position(|outputs| !is_finite(outputs)) {
                return Err(ColumnError::OutOfRange { row: first + row });
            }
            if let Some(bins) = &mut bins {
                self.bin_predictions(first, outputs, bins);
            }
        }
        Ok(outputs)
    }

    /// Encodes the rows from `first` on, as many as `raw` has space for.
    fn encode_columns(
        &self,
        columns: &Columns<'_>,
        first: usize,
        raw: &mut [f32],
        unseen: &mut [bool],
        mut bins: Option<&mut RowBins>,
    ) -> Result<(), ColumnError> {
        let features = &self.signature().features;
        let mut start = 0;
        for (index, feature) in features.iter().enumerate() {
            let own = start..start + feature.kind.width();
            let rows = raw.chunks_exact_mut(self.width).zip(unseen.chunks_exact_mut(self.width));
            for (row, (raw, unseen)) in (first..).zip(rows) {
                let input = match columns {
                    Columns::Matrix(numbers) => number(numbers[row * features.len() + index]),
                    Columns::Each(columns) => self.input(feature, index, &columns[index], row)?,
                };
                feature.kind.encode(input, &mut raw[own.clone()], &mut unseen[own.clone()]);
                if let Some(bins) = &mut bins {
                    bins.set(row, index, self.binners[index].bin(input));
                }
            }
            start = own.end;
        }
        Ok(())
    }

    fn input(&self, feature: &Feature, index: usize, column: &Column<'_>, row: usize) -> Result<Input, ColumnError> {
        match column {
            Column::Numbers(numbers) => Ok(number(numbers[row])),
            Column::Booleans(values) => Ok(values[row].map_or(Input::Missing, Input::Boolean)),
            Column::Texts(texts) => {
                match &texts[row] {
                    None => Ok(Input::Missing),
                    Some(text) => feature
                        .read_text(text, self.readers.of(index))
                        .map_err(|mismatch| ColumnError::Value { feature: index, row, mismatch }),
                }
            }
        }
    }
}

fn number(value: f64) -> Input {
    if value.is_nan() { Input::Missing } else { Input::Number(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::artifact::{self, samples};
    use crate::model::FeatureKind;
    use crate::predict::{Outcome, Row};

    const ROWS: usize = 1_500;

    /// A value per feature and row; each seventh is missing.
    fn value(kind: &FeatureKind, row: usize) -> serde_json::Value {
        match kind {
            _ if row % 7 == 6 => json!(null),
            FeatureKind::Number { .. } => json!(row as f64 / 8.0 - 20.0),
            FeatureKind::Boolean { .. } => json!(row.is_multiple_of(2)),
            FeatureKind::Category { categories, .. } => {
                json!(categories.get(row % (categories.len() + 1)).map_or("unknown", String::as_str))
            }
            FeatureKind::Datetime { .. } => json!(format!("{:04}-05-17", 1990 + row % 40)),
        }
    }

    fn column(kind: &FeatureKind) -> Column<'static> {
        let values = (0..ROWS).map(|row| value(kind, row));
        match kind {
            FeatureKind::Number { .. } => Column::Numbers(values.map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()),
            FeatureKind::Boolean { .. } => Column::Booleans(values.map(|v| v.as_bool()).collect()),
            _ => Column::Texts(values.map(|v| v.as_str().map(|text| text.to_owned().into())).collect()),
        }
    }

    #[test]
    fn columns_and_rows_have_the_same_predictions() {
        for model in samples::all(7) {
            let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
            let signature = predictor.signature();
            let columns = Columns::Each(signature.features.iter().map(|feature| column(&feature.kind)).collect());
            let outputs = predictor.predict_columns(&columns, ROWS).unwrap();
            for (row, outputs) in outputs.chunks_exact(signature.task.outputs()).enumerate().step_by(13) {
                let features = signature.features.iter().map(|f| (f.name.clone(), value(&f.kind, row)));
                let expected = predictor.predict_one(&features.collect::<Row>()).unwrap();
                assert_eq!(Outcome::new(&signature.task, outputs), expected.outcome, "row {row}");
            }
        }
    }

    #[test]
    fn a_text_that_does_not_fit_its_feature_is_refused_with_its_row() {
        let model = samples::all(7).swap_remove(0);
        let mut columns: Vec<_> = model.manifest.signature.features.iter().map(|f| column(&f.kind)).collect();
        let mut texts: Vec<Option<Cow<'_, str>>> = vec![Some("yes".into()); ROWS];
        texts[1_100] = Some("perhaps".into());
        columns[1] = Column::Texts(texts);
        let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
        let error = predictor.predict_columns(&Columns::Each(columns), ROWS).unwrap_err();
        assert!(matches!(error, ColumnError::Value { feature: 1, row: 1_100, .. }), "{error:?}");
        assert_eq!(error.to_string(), "must be true or false, not 'perhaps'");
    }
}
