//! A chunk of rows: reads their cells, predicts them and writes their lines.

use std::io::Read;

use trainyard_csv::{CsvError, Rows};
use trainyard_domain::shown;

use super::counts::{Counts, Unreadable};
use super::inputs::Inputs;
use super::output::Output;
use crate::model::Input as Value;
use crate::predict::{Predictor, Scratch};

/// Most rows of a chunk.
const MAX_ROWS: usize = 1_024;
/// A chunk ends after the row that reaches this many bytes: wide tables have fewer rows in a chunk.
const MAX_BYTES: usize = 1 << 20;
/// Most inputs and outputs of the model in a chunk.
const MAX_NUMBERS: usize = 1 << 18;

/// A chunk of rows, with buffers that later chunks reuse.
#[derive(Default)]
pub(super) struct Chunk {
    /// The cells of all rows, one after the other.
    text: String,
    /// The end of each cell in `text`.
    ends: Vec<usize>,
    rows: usize,
    /// Number of the first row in the table, from 1.
    first_row: u64,
    raw: Vec<f32>,
    unseen: Vec<bool>,
    outputs: Vec<f64>,
    scratch: Scratch,
}

/// The rows of a chunk.
pub(super) struct CountedRows {
    pub(super) rows: u64,
    pub(super) counts: Counts,
}

impl Chunk {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Reads the next rows of a table, at most `most`; `before` rows precede them. Returns `false` at the end of the table.
    pub(super) fn fill(
        &mut self,
        rows: &mut Rows<impl Read>,
        inputs: &Inputs,
        before: u64,
        most: u64,
    ) -> Result<bool, CsvError> {
        self.text.clear();
        self.ends.clear();
        (self.rows, self.first_row) = (0, before + 1);
        let rows_of_numbers = (MAX_NUMBERS / inputs.numbers).clamp(1, MAX_ROWS);
        while (self.rows as u64) < most && self.rows < rows_of_numbers && self.text.len() < MAX_BYTES {
            let Some(record) = rows.next()? else { return Ok(false) };
            for at in &inputs.columns {
                self.text.push_str(record.get(*at));
                self.ends.push(self.text.len());
            }
            self.rows += 1;
        }
        Ok(true)
    }

    /// Predicts the rows and returns their lines.
    pub(super) fn predict(
        &mut self,
        predictor: &Predictor,
        inputs: &Inputs,
        output: &Output,
    ) -> (Vec<u8>, CountedRows) {
        let signature = predictor.signature();
        let (width, per_row) = (signature.width(), signature.task.outputs());
        self.raw.clear();
        self.raw.resize(self.rows * width, f32::NAN);
        self.unseen.clear();
        self.unseen.resize(self.rows * width, false);
        self.outputs.clear();
        self.outputs.resize(self.rows * per_row, 0.0);
        let mut counts = self.encode(predictor, inputs);
        predictor.predict_raw(&self.raw, &self.unseen, &mut self.scratch, &mut self.outputs);
        let mut lines = output.lines(self.text.len() + 32 * self.rows * (1 + per_row));
        for (row, outputs) in self.outputs.chunks_exact(per_row).enumerate() {
            let is_finite = outputs.iter().all(|output| output.is_finite());
            counts.rows_without_prediction += u64::from(!is_finite);
            let cells = (0..inputs.columns.len()).map(|at| self.cell(inputs, row, at));
            output.row(&mut lines, cells, is_finite.then_some(outputs));
        }
        (output.finish(lines), CountedRows { rows: self.rows as u64, counts })
    }

    /// Writes the raw values of all rows, feature by feature.
    fn encode(&mut self, predictor: &Predictor, inputs: &Inputs) -> Counts {
        let signature = predictor.signature();
        let width = signature.width();
        let mut counts = Counts::default();
        let mut end = 0;
        for (feature, input) in signature.features.iter().zip(&inputs.features) {
            let own = end..end + feature.kind.width();
            end = own.end;
            let (mut missing, mut unseen, mut unreadable) = (0, 0, None::<Unreadable>);
            for row in 0..self.rows {
                let value = match &input.source {
                    None => Value::Missing,
                    Some((at, reader)) => {
                        let text = self.cell(inputs, row, *at);
                        let value = feature.read_text(text, reader).unwrap_or_else(|_| {
                            let first = || Unreadable {
                                cells: 0,
                                first: shown(text.trim()).into_owned(),
                                row: self.first_row + row as u64,
                            };
                            unreadable.get_or_insert_with(first).cells += 1;
                            Value::Missing
                        });
                        missing += u64::from(value == Value::Missing);
                        unseen += u64::from(value == Value::Unseen);
                        value
                    }
                };
                let raw = row * width + own.start..row * width + own.end;
                feature.kind.encode(value, &mut self.raw[raw.clone()], &mut self.unseen[raw]);
            }
            // An unreadable cell counts as one, and not as a missing one too.
            missing -= unreadable.as_ref().map_or(0, |unreadable| unreadable.cells);
            counts.missing.extend((missing > 0).then(|| (feature.name.clone(), missing)));
            counts.unseen.extend((unseen > 0).then(|| (feature.name.clone(), unseen)));
            counts.unreadable.extend(unreadable.map(|unreadable| (feature.name.clone(), unreadable)));
        }
        counts
    }

    /// The text of a cell; `at` is an index in [`Inputs::columns`].
    fn cell(&self, inputs: &Inputs, row: usize, at: usize) -> &str {
        let cell = row * inputs.columns.len() + at;
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] };
        &self.text[start..self.ends[cell]]
    }
}
