//! Builds a feature column from its cells.

use std::collections::HashMap;

use trainyard_csv::cell::{Cell, Reader};
use trainyard_domain::Dtype;
use trainyard_domain::shown;
use trainyard_domain::table::{BooleanForm, CellReading, ColumnSchema, TableFormat};

use super::{Column, FrameColumn};
use crate::model::categories::canonical;

/// A column that grows cell by cell.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    name: String,
    reading: CellReading,
    reader: Reader,
    values: Values,
    strays: Strays,
}

#[derive(Debug)]
enum Values {
    Numbers(Vec<f64>),
    Booleans(Vec<Option<bool>>),
    Strings(Dictionary),
    Seconds(Vec<f64>),
}

impl ColumnBuilder {
    /// An empty column. 0/1 columns become numbers, yes/no columns and texts categories.
    pub(super) fn new(format: &TableFormat, column: &ColumnSchema) -> Self {
        let values = match (column.dtype, column.reading.boolean) {
            (Dtype::Number, _) | (Dtype::Boolean, Some(BooleanForm::Digit)) => Values::Numbers(Vec::new()),
            (Dtype::Boolean, Some(BooleanForm::YesNo)) | (Dtype::Category | Dtype::Text, _) => {
                Values::Strings(Dictionary::default())
            }
            (Dtype::Boolean, _) => Values::Booleans(Vec::new()),
            (Dtype::Datetime, _) => Values::Seconds(Vec::new()),
        };
        let reader = Reader::new(format, column);
        // The reading also has a form for columns that could be booleans but are not.
        let boolean = column.reading.boolean.filter(|_| column.dtype == Dtype::Boolean);
        let reading = CellReading { boolean, ..column.reading.clone() };
        Self { name: column.name.clone(), reading, reader, values, strays: Strays::default() }
    }

    /// Appends the cell of a row, counted from 1.
    pub(super) fn push(&mut self, text: &str, row: u64) {
        let cell = self.reader.read(text);
        let fits = match (&mut self.values, &cell) {
            (Values::Numbers(values), Cell::Number(value)) => push(values, *value),
            (Values::Numbers(values), Cell::Boolean(value)) => push(values, f64::from(u8::from(*value))),
            (Values::Numbers(values) | Values::Seconds(values), Cell::Missing) => push(values, f64::NAN),
            (Values::Seconds(values), Cell::Datetime(seconds)) => push(values, *seconds),
            (Values::Booleans(values), Cell::Boolean(value)) => push(values, Some(*value)),
            (Values::Booleans(values), Cell::Missing) => push(values, None),
            (Values::Strings(strings), Cell::Text(text)) => strings.push(&canonical(text), text),
            (Values::Strings(strings), Cell::Boolean(value)) => strings.push(yes_no(*value), yes_no(*value)),
            (Values::Strings(strings), Cell::Missing) => push(&mut strings.codes, Column::MISSING),
            _ => false,
        };
        if !fits {
            self.strays.count(text, row);
            match &mut self.values {
                Values::Numbers(values) | Values::Seconds(values) => values.push(f64::NAN),
                Values::Booleans(values) => values.push(None),
                Values::Strings(strings) => strings.codes.push(Column::MISSING),
            }
        }
    }

    /// A warning about cells that do not fit the type.
    pub(super) fn warning(&self) -> Option<String> {
        self.strays.warning(
            &self.name,
            match self.values {
                Values::Numbers(_) => "numbers",
                Values::Booleans(_) => "booleans",
                Values::Strings(_) => "categories",
                Values::Seconds(_) => "dates",
            },
        )
    }

    pub(super) fn finish(self) -> FrameColumn {
        let values = match self.values {
            Values::Numbers(values) => Column::Number(values),
            Values::Booleans(values) => Column::Boolean(values),
            Values::Strings(Dictionary { names, codes, .. }) => Column::Category { names, codes },
            Values::Seconds(values) => Column::Datetime(values),
        };
        FrameColumn { name: self.name, reading: self.reading, values }
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> bool {
    values.push(value);
    true
}

/// The category of a boolean in a yes/no column.
pub(super) fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Strings by code, in the order of their first occurrence.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// The first spelling of each string.
    pub(super) names: Vec<String>,
    /// The code of each row.
    pub(super) codes: Vec<u32>,
    by_key: HashMap<String, u32>,
}

impl Dictionary {
    /// Appends a row with the string `name`; strings with the same `key` are equal.
    pub(super) fn push(&mut self, key: &str, name: &str) -> bool {
        let code = match self.by_key.get(key) {
            Some(code) => *code,
            None => {
                let code = self.names.len() as u32;
                self.by_key.insert(key.to_owned(), code);
                self.names.push(name.to_owned());
                code
            }
        };
        push(&mut self.codes, code)
    }
}

/// Counts the cells that do not fit the type of their column.
#[derive(Debug, Default)]
pub(super) struct Strays {
    cells: u64,
    first: Option<(String, u64)>,
}

impl Strays {
    pub(super) fn count(&mut self, text: &str, row: u64) {
        self.cells += 1;
        self.first.get_or_insert_with(|| (shown(text.trim()).into_owned(), row));
    }

    pub(super) fn warning(&self, column: &str, expected: &str) -> Option<String> {
        let (text, row) = self.first.as_ref()?;
        let (cells, column) = (self.cells, shown(column));
        Some(format!(
            "'{column}' has {cells} values that are not {expected}, the first is '{text}' in row {row}; they count as missing"
        ))
    }
}
