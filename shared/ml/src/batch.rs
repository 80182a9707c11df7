//! Prediction of a whole table: from a stored CSV and a model to the parts of a CSV.
//!
//! Cells are read by the schema of the table, and predicted as `/inference` predicts them. Rows are read, predicted and
//! written in chunks, so the memory does not depend on the number of rows. The same table and the same model give the same
//! bytes, wherever one part ends and the next one begins.

mod chunk;
mod counts;
mod inputs;
mod output;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::{self, Read};

use rayon::prelude::*;
use trainyard_csv::{CsvError, Rows};
use trainyard_domain::spec::OutputColumns;
use trainyard_domain::table::TableSchema;
use trainyard_domain::{FailureCode, shown};

use self::chunk::{Chunk, CountedRows};
use self::inputs::Inputs;
use self::output::Output;
use crate::error::TrainError;
use crate::predict::Predictor;
use crate::progress::{Observer, Progress};

pub use self::counts::{Counts, Unreadable, metrics};

/// A part ends after this many bytes, even if it has fewer rows than requested. A chunk of each thread can follow.
const PART_BYTES: u64 = 64 << 20;

/// What to predict.
#[derive(Debug, Clone)]
pub struct BatchRequest {
    /// How the CSV is read.
    pub schema: TableSchema,
    /// The columns of the table in the result.
    pub columns: OutputColumns,
    /// Number of rows of the table, for the progress.
    pub rows: u64,
    /// Most rows of a part.
    pub part_rows: u64,
    /// Number of rows that earlier parts contain; they are skipped.
    pub done_rows: u64,
    /// Whether the first part begins with the header.
    pub header: bool,
}

/// The end of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Number of rows, without the header.
    pub rows: u64,
    /// What was counted in these rows.
    pub counts: Counts,
}

/// Receives the parts of the result.
pub trait PartSink {
    /// Appends to the current part.
    ///
    /// # Errors
    /// If the bytes can't be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Ends the current part.
    ///
    /// # Errors
    /// If the part can't be stored.
    fn finish(&mut self, part: Part) -> io::Result<()>;
}

/// Why a prediction failed.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The table is unsuitable.
    #[error(transparent)]
    Failed(#[from] TrainError),
    /// The sink failed.
    #[error("the result can't be written: {0}")]
    Output(#[from] io::Error),
}

/// The features without a column of the table: their values are missing in every row. One sentence for each.
pub fn missing_columns(predictor: &Predictor, schema: &TableSchema) -> Vec<String> {
    let columns: HashSet<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    let features = predictor.signature().features.iter().filter(|feature| !columns.contains(feature.name.as_str()));
    features.map(|f| format!("the dataset has no column '{}'; imputed as in training", shown(&f.name))).collect()
}

/// Predicts every row of a table, except those that earlier parts contain. Returns the number of all rows.
///
/// # Errors
/// [`TrainError::Failed`] with `bad_data` for a table that can't be read, [`TrainError::Cancelled`] if the observer
/// cancelled the run, [`BatchError::Output`] if the sink failed.
pub fn predict(
    csv: impl Read,
    predictor: &Predictor,
    request: &BatchRequest,
    sink: &mut dyn PartSink,
    observer: &dyn Observer,
) -> Result<u64, BatchError> {
    let schema = &request.schema;
    let inputs = Inputs::new(predictor.signature(), schema, request.columns);
    let output = Output::new(&predictor.signature().target, &predictor.signature().task, schema, request.columns);
    let mut rows = Rows::open(csv, schema).map_err(|error| unreadable(&error))?;
    let progress = Progress::start(observer, "predicting", 0.0, 1.0)?;
    let mut done = 0;
    while done < request.done_rows {
        if rows.next().map_err(|error| unreadable(&error))?.is_none() {
            let message = format!("the dataset has {done} rows, and {} were predicted before", request.done_rows);
            return Err(TrainError::Failed { code: FailureCode::Internal, message }.into());
        }
        done += 1;
    }
    let mut writer = PartWriter { sink, part: None };
    if request.header {
        writer.write(&output.header())?;
    }
    let mut chunks: Vec<Chunk> = (0..rayon::current_num_threads().max(1)).map(|_| Chunk::default()).collect();
    loop {
        progress.at(done as f64 / request.rows.max(1) as f64)?;
        let mut left = request.part_rows.max(1) - writer.rows();
        let mut filled = 0;
        for chunk in &mut chunks {
            let more = chunk.fill(&mut rows, &inputs, done, left).map_err(|error| unreadable(&error))?;
            (done, left) = (done + chunk.rows() as u64, left - chunk.rows() as u64);
            filled += usize::from(chunk.rows() > 0);
            if !more || left == 0 {
                break;
            }
        }
        if filled == 0 {
            break;
        }
        let predicted: Vec<(Vec<u8>, CountedRows)> =
            chunks[..filled].par_iter_mut().map(|chunk| chunk.predict(predictor, &inputs, &output)).collect();
        for (bytes, counted) in &predicted {
            writer.write(bytes)?;
            writer.count(counted);
        }
        if writer.rows() >= request.part_rows || writer.bytes() >= PART_BYTES {
            writer.finish()?;
        }
    }
    writer.finish()?;
    progress.at(1.0)?;
    Ok(done)
}

/// The current part.
#[derive(Default)]
struct OpenPart {
    rows: u64,
    bytes: u64,
    counts: Counts,
}

struct PartWriter<'s> {
    sink: &'s mut dyn PartSink,
    part: Option<OpenPart>,
}

impl PartWriter<'_> {
    fn rows(&self) -> u64 {
        self.part.as_ref().map_or(0, |part| part.rows)
    }

    fn bytes(&self) -> u64 {
        self.part.as_ref().map_or(0, |part| part.bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.part.get_or_insert_default().bytes += bytes.len() as u64;
        self.sink.write(bytes)
    }

    fn count(&mut self, counted: &CountedRows) {
        let part = self.part.get_or_insert_default();
        part.rows += counted.rows;
        part.counts.add(&counted.counts);
    }

    /// Ends the current part, if one was begun.
    fn finish(&mut self) -> io::Result<()> {
        let Some(OpenPart { rows, counts, .. }) = self.part.take() else { return Ok(()) };
        self.sink.finish(Part { rows, counts })
    }
}

fn unreadable(error: &CsvError) -> TrainError {
    TrainError::bad_data(format!("invalid CSV: {error}"))
}
