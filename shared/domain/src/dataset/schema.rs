//! The schema of a stored table, from the profile of its upload.

use std::collections::BTreeMap;

use super::{ColumnProfile, Dataset, Dtype};
use crate::table::{CellReading, ColumnSchema, NumberStyle, TableSchema};

impl Dataset {
    /// Everything that is needed to read the file again.
    pub fn schema(&self) -> TableSchema {
        TableSchema { format: self.format.clone(), columns: self.columns.iter().map(ColumnProfile::schema).collect() }
    }
}

impl ColumnProfile {
    /// The column's name, its type and how its cells are read.
    pub fn schema(&self) -> ColumnSchema {
        ColumnSchema { name: self.name.clone(), dtype: self.dtype, reading: self.reading.clone() }
    }
}

impl TableSchema {
    /// The schema with other types for some columns. Names without a column are ignored.
    #[must_use]
    pub fn with_types(mut self, types: &BTreeMap<String, Dtype>) -> Self {
        let decimal = self.format.decimal;
        for column in &mut self.columns {
            let Some(dtype) = types.get(&column.name).copied().filter(|dtype| *dtype != column.dtype) else { continue };
            column.dtype = dtype;
            let style = NumberStyle { decimal, ..NumberStyle::default() };
            let CellReading { number, date, boolean, .. } = &mut column.reading;
            match dtype {
                Dtype::Number => *number = number.or(Some(style)),
                Dtype::Datetime => *date = Some(date.unwrap_or_default()),
                Dtype::Category | Dtype::Text => (*number, *date, *boolean) = (None, None, None),
                // Without a form, every form is read.
                Dtype::Boolean => {}
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{DecimalMark, TableFormat};

    #[test]
    fn a_job_can_change_the_types_of_columns() {
        let schema = |name: &str, dtype, reading| ColumnSchema { name: name.into(), dtype, reading };
        let money = NumberStyle { decimal: DecimalMark::Point, grouped: true, decorated: true };
        let table = TableSchema {
            format: TableFormat { decimal: DecimalMark::Comma, ..TableFormat::default() },
            columns: vec![
                schema("zip", Dtype::Number, CellReading { number: Some(money), ..CellReading::default() }),
                schema("size", Dtype::Category, CellReading::default()),
                schema("age", Dtype::Number, CellReading { number: Some(money), ..CellReading::default() }),
            ],
        };
        let types = [("zip", Dtype::Category), ("size", Dtype::Number), ("age", Dtype::Number), ("x", Dtype::Text)];
        let types = types.map(|(name, dtype)| (name.to_owned(), dtype)).into();
        let changed = table.with_types(&types).columns;
        assert_eq!((changed[0].dtype, changed[0].reading.number), (Dtype::Category, None));
        assert_eq!(changed[1].reading.number.map(|style| style.decimal), Some(DecimalMark::Comma));
        assert_eq!(changed[2].reading.number, Some(money), "an unchanged type keeps its reading");
    }
}
