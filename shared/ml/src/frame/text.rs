//! A column of strings in one buffer, until its type is known.

use std::collections::HashMap;

use trainyard_csv::tokens::{self, BooleanForm};

use crate::error::TrainError;

/// Cells in row order; an empty cell is missing.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    text: String,
    /// The end of each cell in `text`.
    ends: Vec<u32>,
}

impl TextColumn {
    /// Appends a trimmed cell; an empty string is a missing value.
    pub(super) fn push(&mut self, cell: &str) -> Result<(), TrainError> {
        self.text.push_str(cell);
        let end =
            u32::try_from(self.text.len()).map_err(|_| TrainError::bad_data("a column has more than 4 GiB of text"))?;
        self.ends.push(end);
        Ok(())
    }

    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells; `None` is missing.
    pub(super) fn cells(&self) -> impl Iterator<Item = Option<&str>> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let cell = &self.text[from..*end as usize];
            from = *end as usize;
            (!cell.is_empty()).then_some(cell)
        })
    }

    /// The numbers (NaN is missing), if all present cells are numbers.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        self.cells().map(|cell| cell.map_or(Some(f64::NAN), tokens::number)).collect()
    }

    /// The booleans, if all present cells are booleans in one form.
    pub(super) fn booleans(&self) -> Option<Vec<Option<bool>>> {
        let mut form: Option<BooleanForm> = None;
        let read = |cell: Option<&str>| match cell.map(tokens::boolean) {
            None => Some(None),
            Some(Some((value, this))) if *form.get_or_insert(this) == this => Some(Some(value)),
            Some(_) => None,
        };
        let booleans: Option<Vec<_>> = self.cells().map(read).collect();
        // A column without values is not boolean.
        booleans.filter(|_| form.is_some())
    }

    /// The distinct values in the order of their first occurrence, and each cell's index ([`u32::MAX`] is missing).
    pub(super) fn distinct(&self) -> (Vec<&str>, Vec<u32>) {
        let mut values = Vec::new();
        let mut codes_by_value: HashMap<&str, u32> = HashMap::new();
        let codes = self.cells().map(|cell| {
            let Some(cell) = cell else { return u32::MAX };
            *codes_by_value.entry(cell).or_insert_with(|| {
                values.push(cell);
                values.len() as u32 - 1
            })
        });
        let codes = codes.collect();
        (values, codes)
    }
}
