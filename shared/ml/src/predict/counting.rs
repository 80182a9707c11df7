//! Predictions whose rows are counted by bin, for monitoring. The rows of a refused request are not counted.

use std::cell::Cell;

use super::{ColumnError, Columns, Explanation, Extras, Prediction, Predictor, Refused, Row};
use crate::model::distribution::MAX_BINS;

/// Counts rows by the bins of [`crate::model::Distributions`]. The threads that predict call it, so an implementation
/// must be fast and must not block.
pub trait RowCounter {
    /// Adds `rows` to a bin of a column. A column is a feature, by its index in the signature, or the prediction, after
    /// the last feature.
    fn count(&self, column: usize, bin: usize, rows: u32);
}

/// A predictor that counts the rows of answered requests.
#[derive(Clone, Copy)]
pub struct Counting<'a> {
    pub(super) predictor: &'a Predictor,
    pub(super) counter: &'a dyn RowCounter,
}

impl Predictor {
    /// The same predictions, with each answered row counted by `counter`.
    pub fn counted_by<'a>(&'a self, counter: &'a dyn RowCounter) -> Counting<'a> {
        Counting { predictor: self, counter }
    }
}

impl Counting<'_> {
    /// [`Predictor::predict_one`].
    ///
    /// # Errors
    /// Those of [`Predictor::predict_one`].
    pub fn predict_one(&self, row: &Row) -> Result<Prediction, Refused> {
        self.counted(|bins| self.predictor.predict_one_with(row, counting(bins)))
    }

    /// [`Predictor::predict_one`], and the explanation of the prediction; `None` for a model that can't be explained.
    ///
    /// # Errors
    /// Those of [`Predictor::predict_one`].
    pub fn explain_one(&self, row: &Row) -> Result<(Prediction, Option<Explanation>), Refused> {
        let mut explanations = Vec::with_capacity(1);
        let prediction = self.counted(|bins| {
            self.predictor.predict_one_with(row, Extras { explanations: Some(&mut explanations), ..counting(bins) })
        })?;
        Ok((prediction, explanations.pop().flatten()))
    }

    /// [`Predictor::predict_many`].
    ///
    /// # Errors
    /// Those of [`Predictor::predict_many`].
    pub fn predict_many(&self, rows: &[Row]) -> Result<Vec<Prediction>, Refused> {
        self.counted(|bins| self.predictor.predict_many_with(rows, counting(bins)))
    }

    /// [`Predictor::predict_many`], and the explanation of each prediction.
    ///
    /// # Errors
    /// Those of [`Predictor::predict_many`].
    pub fn explain_many(&self, rows: &[Row]) -> Result<(Vec<Prediction>, Vec<Option<Explanation>>), Refused> {
        let mut explanations = Vec::with_capacity(rows.len());
        let predictions = self.counted(|bins| {
            self.predictor.predict_many_with(rows, Extras { explanations: Some(&mut explanations), ..counting(bins) })
        })?;
        Ok((predictions, explanations))
    }

    /// [`Predictor::predict_columns`].
    ///
    /// # Errors
    /// Those of [`Predictor::predict_columns`].
    ///
    /// # Panics
    /// If a column has another length than `rows`.
    pub fn predict_columns(&self, columns: &Columns<'_>, rows: usize) -> Result<Vec<f64>, ColumnError> {
        self.counted(|bins| self.predictor.predict_columns_into(columns, rows, Some(bins)))
    }

    fn counted<T, E>(&self, predict: impl FnOnce(&mut RowBins) -> Result<T, E>) -> Result<T, E> {
        let mut bins = RowBins::new(self.predictor.binners.len());
        let answer = predict(&mut bins)?;
        bins.count(self.counter);
        Ok(answer)
    }
}

fn counting(bins: &mut RowBins) -> Extras<'_> {
    Extras { bins: Some(bins), ..Extras::default() }
}

/// A thread keeps a buffer up to this size, so that small requests allocate nothing.
const MAX_KEPT_BYTES: usize = 64 << 10;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The bins of the rows of one request, row by row.
pub(super) struct RowBins {
    bins: Vec<u8>,
    columns: usize,
}

impl RowBins {
    pub(super) fn new(columns: usize) -> Self {
        Self { bins: BUFFER.take(), columns }
    }

    /// Adds rows up to this number.
    pub(super) fn extend_to(&mut self, rows: usize) {
        self.bins.resize(rows * self.columns, 0);
    }

    /// Sets the bin of a column.
    pub(super) fn set(&mut self, row: usize, column: usize, bin: u8) {
        self.bins[row * self.columns + column] = bin;
    }

    /// Adds up the rows of each bin first, so that a large request has few calls of the counter.
    pub(super) fn count(&self, counter: &dyn RowCounter) {
        if self.bins.len() == self.columns {
            return self.bins.iter().enumerate().for_each(|(column, bin)| counter.count(column, usize::from(*bin), 1));
        }
        for column in 0..self.columns {
            let mut sums = [0_u32; MAX_BINS];
            self.bins.chunks_exact(self.columns).for_each(|row| sums[usize::from(row[column])] += 1);
            let counted = sums.iter().enumerate().filter(|(_, rows)| **rows > 0);
            counted.for_each(|(bin, rows)| counter.count(column, bin, *rows));
        }
    }
}

impl Drop for RowBins {
    fn drop(&mut self) {
        let mut bins = std::mem::take(&mut self.bins);
        if bins.capacity() <= MAX_KEPT_BYTES {
            bins.clear();
            BUFFER.set(bins);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::artifact::{self, samples};
    use crate::predict::Column;

    #[derive(Default)]
    struct Counts(RefCell<BTreeMap<(usize, usize), u32>>);

    impl RowCounter for Counts {
        fn count(&self, column: usize, bin: usize, rows: u32) {
            *self.0.borrow_mut().entry((column, bin)).or_default() += rows;
        }
    }

    impl Counts {
        fn of_column(&self, column: usize) -> Vec<(usize, u32)> {
            let counts = self.0.borrow();
            counts.iter().filter(|((of, _), _)| *of == column).map(|((_, bin), rows)| (*bin, *rows)).collect()
        }

        fn rows(&self, column: usize) -> u32 {
            self.of_column(column).iter().map(|(_, rows)| rows).sum()
        }
    }

    fn rows() -> Vec<Row> {
        let rows = [
            json!({"age": 18.5, "alone": true, "embarked": "S"}),
            json!({"age": 29, "alone": false, "embarked": "C"}),
            json!({"age": 1e3, "alone": null, "embarked": "elsewhere"}),
            json!({}),
        ];
        rows.into_iter().map(|row| row.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn answered_rows_are_counted_in_the_bins_of_the_model() {
        for model in samples::all(5) {
            let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
            let counts = Counts::default();
            let counted = predictor.counted_by(&counts).predict_many(&rows()).unwrap();
            assert_eq!(counted, predictor.predict_many(&rows()).unwrap(), "counting changes no prediction");
            // The edges are 18.5, 28 and 45.25; the categories S and Q have their own bins.
            assert_eq!(counts.of_column(0), [(0, 1), (2, 1), (3, 1), (4, 1)]);
            assert_eq!(counts.of_column(1), [(0, 1), (1, 1), (2, 2)]);
            assert_eq!(counts.of_column(2), [(0, 1), (2, 2), (3, 1)]);
            assert_eq!(counts.rows(3), 4);
            let alone = Counts::default();
            rows().iter().for_each(|row| drop(predictor.counted_by(&alone).predict_one(row).unwrap()));
            assert_eq!(counts.0, alone.0);
        }
    }

    #[test]
    fn explained_rows_have_the_same_predictions_and_are_counted_once() {
        for model in samples::all(5) {
            let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
            let (counts, explained_counts) = (Counts::default(), Counts::default());
            let predictions = predictor.counted_by(&counts).predict_many(&rows()).unwrap();
            let (explained, explanations) = predictor.counted_by(&explained_counts).explain_many(&rows()).unwrap();
            assert_eq!((&explained, &counts.0), (&predictions, &explained_counts.0));
            assert_eq!(explanations.len(), explained.len());
            assert!(explanations.iter().all(|explanation| explanation.is_some() == predictor.explains()));
            for ((row, prediction), explanation) in rows().iter().zip(&predictions).zip(&explanations) {
                let one = predictor.counted_by(&Counts::default()).explain_one(row).unwrap();
                assert_eq!((&one.0, &one.1), (prediction, explanation));
                assert_eq!(predictor.explain(row), *explanation);
            }
        }
    }

    #[test]
    fn tensors_are_counted_like_rows() {
        let predictor = Predictor::load(&artifact::encode(&samples::all(5)[1])).unwrap();
        let columns = Columns::Each(vec![
            Column::Numbers(vec![18.5, 29.0, 1e3, f64::NAN]),
            Column::Booleans(vec![Some(true), Some(false), None, None]),
            Column::Texts(["S", "C", "elsewhere"].map(|text| Some(text.into())).into_iter().chain([None]).collect()),
        ]);
        let (tensors, many) = (Counts::default(), Counts::default());
        predictor.counted_by(&tensors).predict_columns(&columns, 4).unwrap();
        predictor.counted_by(&many).predict_many(&rows()).unwrap();
        assert_eq!(tensors.0, many.0);
    }

    #[test]
    fn the_rows_of_a_refused_request_are_not_counted() {
        let predictor = Predictor::load(&artifact::encode(&samples::all(5)[0])).unwrap();
        let counts = Counts::default();
        // The refused row is in the second chunk.
        let mut rows = vec![rows().swap_remove(0); super::super::CHUNK_ROWS + 1];
        let counting = predictor.counted_by(&counts);
        counting.predict_many(&rows).unwrap();
        assert_eq!([0, 1, 2, 3].map(|column| counts.rows(column)), [1_025; 4]);
        rows[1_024].insert("age".into(), json!("old"));
        counting.predict_many(&rows).unwrap_err();
        counting.predict_one(&rows[1_024]).unwrap_err();
        assert_eq!(counts.rows(0), 1_025);
    }
}
