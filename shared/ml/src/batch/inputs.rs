//! The features of a model in the columns of a table.

use std::collections::HashMap;

use trainyard_csv::cell::Reader;
use trainyard_domain::Dtype;
use trainyard_domain::spec::OutputColumns;
use trainyard_domain::table::{BooleanForm, ColumnSchema, TableFormat, TableSchema};

use crate::model::{Feature, FeatureKind, Signature};

/// Where the features of a model are, and how their cells are read.
pub(super) struct Inputs {
    /// The columns that a chunk keeps, by their position in the table.
    pub(super) columns: Vec<usize>,
    /// One for each feature of the model.
    pub(super) features: Vec<Input>,
    /// Number of inputs and outputs of the model for each row.
    pub(super) numbers: usize,
}

/// A feature.
pub(super) struct Input {
    /// The index in [`Inputs::columns`] and the reader of the cells; `None` if the table has no such column.
    pub(super) source: Option<(usize, Reader)>,
}

impl Inputs {
    pub(super) fn new(signature: &Signature, schema: &TableSchema, output: OutputColumns) -> Self {
        let by_name: HashMap<&str, usize> =
            schema.columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
        let format = format(signature, &schema.format);
        let mut columns: Vec<usize> = match output {
            OutputColumns::All => (0..schema.columns.len()).collect(),
            OutputColumns::None => Vec::new(),
        };
        let all = output == OutputColumns::All;
        let features = signature.features.iter().map(|feature| {
            let source = by_name.get(feature.name.as_str()).map(|&at| {
                let kept = if all { at } else { columns.len() };
                if !all {
                    columns.push(at);
                }
                (kept, Reader::new(&format, &column(feature, schema, at)))
            });
            Input { source }
        });
        let features = features.collect();
        Self { columns, features, numbers: signature.width() + signature.task.outputs() }
    }
}

/// The format of the table, with the texts that meant a missing value in training.
fn format(signature: &Signature, table: &TableFormat) -> TableFormat {
    let mut missing = table.missing.clone();
    missing.extend(signature.missing.iter().filter(|text| !table.missing.contains(text)).cloned());
    TableFormat { missing, ..table.clone() }
}

/// The column of a feature, with the type of the feature. Numbers and dates are written as in this table, which may differ
/// from the training table.
fn column(feature: &Feature, schema: &TableSchema, at: usize) -> ColumnSchema {
    let column = &schema.columns[at];
    let digits = feature.reading.boolean == Some(BooleanForm::Digit);
    let dtype = match &feature.kind {
        // `true` and `false` mean 1 and 0 in a column that had 0 and 1.
        FeatureKind::Number { .. }
            if digits && column.dtype == Dtype::Boolean && column.reading.boolean != Some(BooleanForm::Digit) =>
        {
            Dtype::Boolean
        }
        kind => kind.dtype(),
    };
    let types = [(column.name.clone(), dtype)].into();
    let one = TableSchema { format: schema.format.clone(), columns: vec![column.clone()] };
    let mut typed = one.with_types(&types).columns.pop().unwrap_or_else(|| column.clone());
    // As in training, so that a category has one meaning.
    typed.reading.keeps_na = feature.reading.keeps_na;
    typed
}
