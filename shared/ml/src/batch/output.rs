//! The lines of the result: RFC 4180 in UTF-8, each line ended by LF.

use std::collections::HashSet;

use csv::Writer;
use trainyard_domain::spec::OutputColumns;
use trainyard_domain::table::TableSchema;

use crate::model::Task;

/// The columns of the result.
pub(super) struct Output {
    names: Vec<String>,
    /// Number of columns of the table that a line begins with.
    cells: usize,
    task: Task,
    /// In class order.
    labels: Vec<String>,
}

/// The lines of a chunk.
pub(super) type Lines = Writer<Vec<u8>>;

impl Output {
    pub(super) fn new(target: &str, task: &Task, schema: &TableSchema, columns: OutputColumns) -> Self {
        let mut names: Vec<String> = match columns {
            OutputColumns::All => schema.columns.iter().map(|column| column.name.clone()).collect(),
            OutputColumns::None => Vec::new(),
        };
        let cells = names.len();
        let mut known: HashSet<String> = names.iter().cloned().collect();
        let labels: Vec<String> = task.labels().into_iter().map(str::to_owned).collect();
        let probabilities = labels.iter().map(|label| format!("probability_{label}"));
        for name in std::iter::once(format!("predicted_{target}")).chain(probabilities) {
            let numbered = (2..).map(|n| format!("{name}_{n}"));
            let unique = std::iter::once(name.clone()).chain(numbered).find(|name| !known.contains(name));
            let unique = unique.unwrap_or(name);
            known.insert(unique.clone());
            names.push(unique);
        }
        Self { names, cells, task: task.clone(), labels }
    }

    /// The line with the names of the columns.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut lines = self.lines(0);
        end(&mut lines, &self.names);
        self.finish(lines)
    }

    /// An empty buffer for lines of about `bytes` bytes.
    pub(super) fn lines(&self, bytes: usize) -> Lines {
        Writer::from_writer(Vec::with_capacity(bytes))
    }

    /// Appends the line of a row. `outputs` is the output vector of the model, or `None` if the row has no prediction.
    pub(super) fn row<'c>(&self, lines: &mut Lines, cells: impl Iterator<Item = &'c str>, outputs: Option<&[f64]>) {
        let predicted = match outputs {
            Some(outputs) => self.predicted(outputs),
            None => vec![String::new(); self.names.len() - self.cells],
        };
        for cell in cells.take(self.cells) {
            write(lines, cell);
        }
        end(lines, &predicted);
    }

    /// The bytes of the lines.
    pub(super) fn finish(&self, lines: Lines) -> Vec<u8> {
        // A vector accepts every write.
        lines.into_inner().unwrap_or_default()
    }

    /// The predicted value and the probability of each class. Numbers are written as in the JSON of `/inference`.
    fn predicted(&self, outputs: &[f64]) -> Vec<String> {
        let label = || self.labels[self.task.predicted_class(outputs)].clone();
        match &self.task {
            Task::Binary { .. } => vec![label(), number(1.0 - outputs[0]), number(outputs[0])],
            Task::MultiClass { .. } => {
                let probabilities = outputs.iter().map(|probability| number(*probability));
                std::iter::once(label()).chain(probabilities).collect()
            }
            Task::Regression => vec![number(outputs[0])],
        }
    }
}

/// A finite number in JSON.
fn number(value: f64) -> String {
    serde_json::to_string(&value).unwrap_or_default()
}

/// Appends a field.
fn write(lines: &mut Lines, field: &str) {
    // A vector accepts every write.
    let _ = lines.write_field(field);
}

/// Appends the last fields of a line.
fn end(lines: &mut Lines, fields: &[String]) {
    // All lines have the same number of fields.
    let _ = lines.write_record(fields);
}
