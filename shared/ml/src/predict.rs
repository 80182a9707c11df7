//! Answers: a model file, checked and compiled for speed, and predictions as clients see them.
//!
//! [`Predictor::load`] decodes and checks the file, flattens trees ([`flat`]), and predicts the manifest's test rows
//! before it hands anything out. A predictor is immutable and shared between threads without locks.

mod answer;
pub mod flat;
mod node;
#[cfg(test)]
mod tests;
mod walk;

use serde_json::{Map, Value};
use trainyard_domain::{Algorithm, FieldError};

use self::flat::FlatForest;
use crate::artifact::{self, ArtifactError};
use crate::model::{Body, Manifest, Model, RawRow, Signature};

pub use self::answer::{Outcome, Prediction};

/// One row as a client sends it: values by feature name.
pub type Row = Map<String, Value>;

/// How far a recomputed answer may lie from the recorded one: absolute up to 1, relative above.
const SELF_TEST_TOLERANCE: f64 = 1e-6;
/// Rows encoded and predicted at a time, so that a large request needs a bounded scratch.
const CHUNK_ROWS: usize = 1_024;
/// Most refused fields that are listed for one request.
const MAX_ERRORS: usize = 100;

/// Most warnings in the answer to one request; each row may have one more, which says how many were left out.
const MAX_WARNINGS: usize = 20_000;

/// Why rows were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Unknown and wrongly typed features, as `features.<name>` or `instances[<row>].<name>`; at most 100.
    pub errors: Vec<FieldError>,
    /// How many more there are, at least: rows are no longer read once there are too many.
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

/// A model that answers.
#[derive(Debug)]
pub struct Predictor {
    manifest: Manifest,
    engine: Engine,
    memory_bytes: usize,
}

#[derive(Debug)]
enum Engine {
    Trees(FlatForest),
    /// Linear models and support vector machines answer as they are.
    Dense(Body),
}

/// Buffers that one thread reuses from call to call, so that the fast path allocates nothing once warm.
#[derive(Debug, Default)]
pub struct Scratch {
    keys: Vec<i32>,
}

impl Predictor {
    /// Decodes, checks and compiles a model file, then holds it to its own test rows.
    ///
    /// # Errors
    /// What is wrong with the file; see [`ArtifactError`].
    pub fn load(bytes: &[u8]) -> Result<Self, ArtifactError> {
        Self::compile(artifact::decode(bytes)?, bytes.len())
    }

    /// `model` has passed [`artifact::check`]; `size` is its file's.
    fn compile(model: Model, size: usize) -> Result<Self, ArtifactError> {
        let Model { manifest, body } = model;
        let features = manifest.signature.features.len();
        let (engine, body_bytes) = match body {
            Body::Trees(trees) => {
                let forest = FlatForest::compile(&trees, features);
                let bytes = forest.memory_bytes();
                (Engine::Trees(forest), bytes)
            }
            // Held as it was stored: as large as its part of the file.
            dense => (Engine::Dense(dense), size),
        };
        // Names and categories are held twice (list and index); the manifest's text is a fair measure of one copy.
        let manifest_bytes = serde_json::to_vec(&manifest).map_or(0, |text| 2 * text.len());
        let predictor = Self { manifest, engine, memory_bytes: body_bytes + manifest_bytes };
        predictor.self_test()?;
        Ok(predictor)
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &Signature {
        &self.manifest.signature
    }

    /// What trained it.
    pub fn algorithm(&self) -> Algorithm {
        self.manifest.algorithm
    }

    /// Everything that training recorded.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// About how much memory it holds, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// The fast path: raw rows in, output vectors out, no names and no warnings. `raw` and `unseen` hold `features`
    /// entries per row, row after row, as [`RawRow`] describes them; `outputs` holds [`crate::model::Task::outputs`]
    /// numbers per row and is overwritten.
    ///
    /// # Panics
    /// When the three lengths don't belong to the same number of rows.
    pub fn predict_raw(&self, raw: &[f32], unseen: &[bool], scratch: &mut Scratch, outputs: &mut [f64]) {
        let (width, per_row) = (self.manifest.signature.features.len(), self.manifest.signature.task.outputs());
        let rows = raw.len() / width;
        assert!(raw.len() == rows * width && unseen.len() == raw.len() && outputs.len() == rows * per_row);
        match &self.engine {
            Engine::Trees(forest) => forest.predict(raw, &mut scratch.keys, outputs),
            Engine::Dense(body) => {
                let inputs = raw.chunks_exact(width).zip(unseen.chunks_exact(width));
                for ((raw, unseen), outputs) in inputs.zip(outputs.chunks_exact_mut(per_row)) {
                    body.predict(&self.manifest.signature.task, raw, unseen, outputs);
                }
            }
        }
    }

    /// Predicts one row.
    ///
    /// # Errors
    /// Every unknown or wrongly typed feature, as `features.<name>`.
    pub fn predict_one(&self, row: &Row) -> Result<Prediction, Refused> {
        let mut predictions = self.predict_rows(std::slice::from_ref(row), |_| String::new())?;
        // One row in, one prediction out.
        predictions.pop().ok_or_else(|| FieldError::new("features", "gave no prediction").into())
    }

    /// Predicts many rows, in order, all or none.
    ///
    /// # Errors
    /// Every unknown or wrongly typed feature, as `instances[<row>].<name>`.
    pub fn predict_many(&self, rows: &[Row]) -> Result<Vec<Prediction>, Refused> {
        self.predict_rows(rows, |row| format!("instances[{row}]"))
    }

    /// [`Self::predict_one`] for one row, [`Self::predict_many`] for any other number.
    ///
    /// # Errors
    /// As theirs.
    pub fn predict(&self, rows: &[Row]) -> Result<Vec<Prediction>, Refused> {
        match rows {
            [row] => self.predict_one(row).map(|prediction| vec![prediction]),
            rows => self.predict_many(rows),
        }
    }

    /// `place` names a row in error paths; empty for the single row, whose values stand under `features`.
    fn predict_rows(&self, rows: &[Row], place: impl Fn(usize) -> String) -> Result<Vec<Prediction>, Refused> {
        let mut predictions = Vec::with_capacity(rows.len());
        let mut refused = Refused::none();
        let mut batch = Batch::default();
        let mut warnings = MAX_WARNINGS;
        for (chunk, rows) in rows.chunks(CHUNK_ROWS).enumerate() {
            let first = chunk * CHUNK_ROWS;
            batch.clear();
            for (i, row) in rows.iter().enumerate() {
                self.encode(row, &mut batch, |error| refused.add(relocate(error, &place(first + i))));
            }
            if !refused.errors.is_empty() {
                if refused.omitted > 0 {
                    break;
                }
                continue;
            }
            self.answer(rows, &mut batch, &mut warnings, &mut predictions).map_err(|row| {
                let error = FieldError::new("features", "lie too far outside the training data to give an answer");
                Refused::from(relocate(error, &place(first + row)))
            })?;
        }
        if refused.errors.is_empty() { Ok(predictions) } else { Err(refused) }
    }

    fn encode(&self, row: &Row, batch: &mut Batch, refuse: impl FnMut(FieldError)) {
        let signature = self.signature();
        let width = signature.features.len();
        batch.row.raw.resize(width, f32::NAN);
        batch.row.unseen.resize(width, false);
        signature.encode_json_with(row, &mut batch.row, refuse);
        batch.raw.extend_from_slice(&batch.row.raw);
        batch.unseen.extend_from_slice(&batch.row.unseen);
    }

    /// Predicts the encoded batch and appends the answers; `Err` names the first row without a finite one.
    fn answer(
        &self,
        rows: &[Row],
        batch: &mut Batch,
        warnings: &mut usize,
        predictions: &mut Vec<Prediction>,
    ) -> Result<(), usize> {
        let (width, per_row) = (self.signature().features.len(), self.signature().task.outputs());
        batch.outputs.resize(rows.len() * per_row, 0.0);
        self.predict_raw(&batch.raw, &batch.unseen, &mut batch.scratch, &mut batch.outputs);
        let inputs = batch.raw.chunks_exact(width).zip(batch.unseen.chunks_exact(width));
        let encoded = inputs.zip(batch.outputs.chunks_exact(per_row)).zip(rows);
        for (i, (((raw, unseen), outputs), row)) in encoded.enumerate() {
            if !outputs.iter().all(|output| output.is_finite()) {
                return Err(i);
            }
            let warnings = answer::warnings(self.signature(), row, raw, unseen, warnings);
            predictions.push(Prediction { outcome: Outcome::new(&self.signature().task, outputs), warnings });
        }
        Ok(())
    }

    fn self_test(&self) -> Result<(), ArtifactError> {
        let width = self.signature().features.len();
        let mut row = RawRow::new(width);
        let mut scratch = Scratch::default();
        let mut outputs = vec![0.0; self.signature().task.outputs()];
        for (i, test) in self.manifest.self_test.iter().enumerate() {
            self.signature().encode_json(&test.features, &mut row).map_err(|errors| {
                let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
                ArtifactError::Invalid(format!("self-test row {i} has the wrong {}", fields.join(", ")))
            })?;
            self.predict_raw(&row.raw, &row.unseen, &mut scratch, &mut outputs);
            for (&found, &expected) in outputs.iter().zip(&test.expected) {
                // Written so that NaN fails too.
                let close = (found - expected).abs() <= SELF_TEST_TOLERANCE * expected.abs().max(1.0);
                if !close {
                    return Err(ArtifactError::SelfTest { row: i, expected, found });
                }
            }
        }
        Ok(())
    }
}

/// A chunk of encoded rows with its answers.
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

/// Moves an error from `features.x` to `instances[3].x`.
fn relocate(error: FieldError, place: &str) -> FieldError {
    match error.field.strip_prefix("features") {
        Some(rest) if !place.is_empty() => FieldError::new(format!("{place}{rest}"), error.message),
        _ => error,
    }
}
