//! Prediction: loads and compiles a model file, and predicts rows of a request.
//!
//! [`Predictor::load`] decodes and validates the file, flattens trees ([`flat`]) and runs the self-test. A predictor is
//! immutable, so threads share it without locks.

mod binner;
mod boosted;
mod columns;
mod counting;
mod engine;
mod ensemble;
mod explain;
pub mod flat;
mod keys;
mod machine;
mod node;
mod object;
mod prediction;
mod ranks;
mod shap;
mod small;
#[cfg(test)]
mod tests;
mod walk;

use serde_json::{Map, Value};
use trainyard_domain::{Algorithm, FieldError};

use self::binner::Binner;
use self::counting::RowBins;
use self::object::Names;
use crate::artifact::{self, ArtifactError};
use crate::model::{Input, Manifest, Model, RawRow, Signature, TextReaders};

pub use self::columns::{Column, ColumnError, Columns};
pub use self::counting::{Counting, RowCounter};
pub(crate) use self::engine::Engine;
pub use self::engine::Scratch;
pub use self::explain::{Explanation, Scale};
pub use self::object::ObjectRow;
pub use self::prediction::{Outcome, Prediction};

/// A row of a request: values by feature name.
pub type Row = Map<String, Value>;

/// Tolerance of the self-test: absolute up to 1, relative above.
const SELF_TEST_TOLERANCE: f64 = 1e-6;
/// Number of rows per chunk, which bounds the memory of a large request.
const CHUNK_ROWS: usize = 1_024;
/// Maximum number of errors that are listed per request.
const MAX_ERRORS: usize = 100;

/// Maximum number of warnings per request. Each row can have one more, with the number of omitted warnings.
const MAX_WARNINGS: usize = 20_000;

/// Why rows were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Features that are unknown or have the wrong type, as `features.<name>` or `instances[<row>].<name>`; at most
    /// 100.
    pub errors: Vec<FieldError>,
    /// Minimum number of further errors: with too many errors the remaining rows are not read.
    pub omitted: usize,
}

impl Refused {
    fn none() -> Self {
        Self { errors: Vec::new(), omitted: 0 }
    }

    fn add(&mut self, error: FieldError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        } else {
            self.omitted += 1;
        }
    }
}

impl From<FieldError> for Refused {
    fn from(error: FieldError) -> Self {
        Self { errors: vec![error], omitted: 0 }
    }
}

/// A compiled model.
#[derive(Debug)]
pub struct Predictor {
    manifest: Manifest,
    readers: TextReaders,
    names: Names,
    /// [`Signature::width`]
    width: usize,
    /// The bins of each feature, and of the predictions.
    binners: Vec<Binner>,
    engine: Engine,
    memory_bytes: usize,
}

impl Predictor {
    /// Decodes, validates and compiles a model file, then runs its self-test.
    ///
    /// # Errors
    /// See [`ArtifactError`].
    pub fn load(bytes: &[u8]) -> Result<Self, ArtifactError> {
        Self::compile(artifact::decode(bytes)?)
    }

    /// `model` is valid.
    fn compile(model: Model) -> Result<Self, ArtifactError> {
        let Model { manifest, estimator } = model;
        let width = manifest.signature.width();
        let engine = Engine::compile(&estimator, width);
        drop(estimator);
        // Names and categories are stored twice (list and index).
        let manifest_bytes = serde_json::to_vec(&manifest).map_or(0, |text| 2 * text.len());
        let readers = manifest.signature.text_readers();
        let distributions = &manifest.distributions;
        let all = distributions.features.iter().chain([&distributions.predictions]);
        let binners = all.map(|distribution| Binner::new(&distribution.bins)).collect();
        let names = Names::new(&manifest.signature);
        let memory_bytes = engine.memory_bytes() + manifest_bytes + names.memory_bytes();
        let predictor = Self { manifest, readers, names, width, binners, engine, memory_bytes };
        predictor.self_test()?;
        Ok(predictor)
    }

    /// The features and the target.
    pub fn signature(&self) -> &Signature {
        &self.manifest.signature
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.manifest.algorithm
    }

    /// The metadata.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The approximate memory size, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// The fast path, from raw rows to output vectors. `raw` and `unseen` contain [`Signature::width`] entries per row (see
    /// [`RawRow`]); `outputs` has [`crate::model::Task::outputs`] numbers per row and is overwritten.
    ///
    /// # Panics
    /// If the lengths do not match.
    pub fn predict_raw(&self, raw: &[f32], unseen: &[bool], scratch: &mut Scratch, outputs: &mut [f64]) {
        let (width, per_row) = (self.width, self.manifest.signature.task.outputs());
        let rows = raw.len() / width;
        assert!(raw.len() == rows * width && unseen.len() == raw.len() && outputs.len() == rows * per_row);
        self.engine.predict(&self.manifest.signature.task, width, (raw, unseen), scratch, outputs);
    }

    /// Predicts one row.
    ///
    /// # Errors
    /// All features that are unknown or have the wrong type, as `features.<name>`.
    pub fn predict_one(&self, row: &Row) -> Result<Prediction, Refused> {
        self.predict_one_with(row, Extras::default())
    }

    fn predict_one_with(&self, row: &Row, extras: Extras<'_>) -> Result<Prediction, Refused> {
        let mut predictions = self.predict_rows(std::slice::from_ref(row), extras, |_| String::new())?;
        // One row gives one prediction.
        predictions.pop().ok_or_else(|| FieldError::new("features", "gave no prediction").into())
    }

    /// Predicts many rows in order.
    ///
    /// # Errors
    /// All features that are unknown or have the wrong type, as `instances[<row>].<name>`.
    pub fn predict_many(&self, rows: &[Row]) -> Result<Vec<Prediction>, Refused> {
        self.predict_many_with(rows, Extras::default())
    }

    fn predict_many_with(&self, rows: &[Row], extras: Extras<'_>) -> Result<Vec<Prediction>, Refused> {
        self.predict_rows(rows, extras, |row| format!("instances[{row}]"))
    }

    /// Calls [`Self::predict_one`] for one row, else [`Self::predict_many`].
    ///
    /// # Errors
    /// See the called function.
    pub fn predict(&self, rows: &[Row]) -> Result<Vec<Prediction>, Refused> {
        match rows {
            [row] => self.predict_one(row).map(|prediction| vec![prediction]),
            rows => self.predict_many(rows),
        }
    }

    /// `place` returns the prefix of a row in error paths; empty for a single row.
    fn predict_rows(
        &self,
        rows: &[Row],
        Extras { mut bins, mut explanations }: Extras<'_>,
        place: impl Fn(usize) -> String,
    ) -> Result<Vec<Prediction>, Refused> {
        if let Some(bins) = &mut bins {
            bins.extend_to(rows.len());
        }
        let mut predictions = Vec::with_capacity(rows.len());
        let mut refused = Refused::none();
        let mut batch = Batch::default();
        let mut warnings = MAX_WARNINGS;
        for (chunk, rows) in rows.chunks(CHUNK_ROWS).enumerate() {
            let first = chunk * CHUNK_ROWS;
            batch.clear();
            for (i, row) in rows.iter().enumerate() {
                let bin = |feature: usize, input| {
                    if let Some(bins) = &mut bins {
                        bins.set(first + i, feature, self.binners[feature].bin(input));
                    }
                };
                self.encode(row, &mut batch, bin, |error| refused.add(relocate(error, &place(first + i))));
            }
            if !refused.errors.is_empty() {
                if refused.omitted > 0 {
                    break;
                }
                continue;
            }
            self.answer(rows, &mut batch, &mut warnings, &mut predictions)
                .map_err(|row| Refused::from(relocate(out_of_range(), &place(first + row))))?;
            if let Some(explanations) = &mut explanations {
                self.explain_batch(&batch, explanations);
            }
            if let Some(bins) = &mut bins {
                self.bin_predictions(first, &batch.outputs, bins);
            }
        }
        if refused.errors.is_empty() { Ok(predictions) } else { Err(refused) }
    }

    fn encode(&self, row: &Row, batch: &mut Batch, bin: impl FnMut(usize, Input), refuse: impl FnMut(FieldError)) {
        batch.row.raw.resize(self.width, f32::NAN);
        batch.row.unseen.resize(self.width, false);
        self.signature().encode_json_with(&self.readers, row, &mut batch.row, bin, refuse);
        batch.raw.extend_from_slice(&batch.row.raw);
        batch.unseen.extend_from_slice(&batch.row.unseen);
    }

    /// Predicts the encoded batch and appends the predictions. An error contains the first row without a finite
    /// prediction.
    fn answer(
        &self,
        rows: &[Row],
        batch: &mut Batch,
        warnings: &mut usize,
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), usize> {
        let (width, per_row) = (self.width, self.signature().task.outputs());
        batch.outputs.resize(rows.len() * per_row, 0.0);
        self.predict_raw(&batch.raw, &batch.unseen, &mut batch.scratch, &mut batch.outputs);
        let inputs = batch.raw.chunks_exact(width).zip(batch.unseen.chunks_exact(width));
        let encoded = inputs.zip(batch.outputs.chunks_exact(per_row)).zip(rows);
        for (i, (((raw, unseen), outputs), row)) in encoded.enumerate() {
            if !outputs.iter().all(|output| output.is_finite()) {
                return Err(i);
            }
            let value = |name: &str| row.get(name).map(prediction::category).unwrap_or_default();
            let warnings = prediction::warnings(self.signature(), value, raw, unseen, warnings);
            predictions.push(Prediction { outcome: Outcome::new(&self.signature().task, outputs), warnings });
        }
        Ok(())
    }

    /// Writes the bins of the predictions for the rows from `first` on.
    fn bin_predictions(&self, first: usize, outputs: &[f64], bins: &mut RowBins) {
        let (task, features) = (&self.signature().task, self.signature().features.len());
        for (row, outputs) in (first..).zip(outputs.chunks_exact(task.outputs())) {
            bins.set(row, features, self.binners[features].bin_prediction(task, outputs));
        }
    }

    fn self_test(&self) -> Result<(), ArtifactError> {
        let mut row = RawRow::new(self.width);
        let mut scratch = Scratch::default();
        let mut outputs = vec![0.0; self.signature().task.outputs()];
        for (i, test) in self.manifest.self_test.iter().enumerate() {
            self.signature().encode_json(&self.readers, &test.features, &mut row).map_err(|errors| {
                let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
                ArtifactError::Invalid(format!("self-test row {i} has the wrong {}", fields.join(", ")))
            })?;
            self.predict_raw(&row.raw, &row.unseen, &mut scratch, &mut outputs);
            for (&found, &expected) in outputs.iter().zip(&test.expected) {
                // The negated comparison also fails for NaN.
                let close = (found - expected).abs() <= SELF_TEST_TOLERANCE * expected.abs().max(1.0);
                if !close {
                    return Err(ArtifactError::SelfTest { row: i, expected, found });
                }
            }
        }
        Ok(())
    }
}

/// What a prediction computes from the encoded rows besides the predictions.
#[derive(Default)]
struct Extras<'a> {
    /// The bins of all rows and of their predictions.
    bins: Option<&'a mut RowBins>,
    /// The explanation of each prediction; `None` for a model that can't be explained.
    explanations: Option<&'a mut Vec<Option<Explanation>>>,
}

/// A chunk of encoded rows with their outputs.
#[derive(Default)]
struct Batch {
    row: RawRow,
    raw: Vec<f32>,
    unseen: Vec<bool>,
    outputs: Vec<f64>,
    scratch: Scratch,
}

impl Batch {
    fn clear(&mut self) {
        self.raw.clear();
        self.unseen.clear();
    }
}

/// The error of a row without a finite prediction.
fn out_of_range() -> FieldError {
    FieldError::new("features", "are too far outside the range of the training data for a prediction")
}

/// Replaces `features.x` by `instances[3].x`.
fn relocate(error: FieldError, place: &str) -> FieldError {
    match error.field.strip_prefix("features") {
        Some(rest) if !place.is_empty() => FieldError::new(format!("{place}{rest}"), error.message),
        _ => error,
    }
}
