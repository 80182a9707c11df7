//! The schema of a stored table, from the profile of its upload.

use std::collections::BTreeMap;

use super::{ColumnProfile, Dataset, Dtype};
use crate::table::{BooleanForm, CellReading, ColumnSchema, NumberStyle, TableSchema};

impl Dataset {
    /// Everything that is needed to read the file again.
    pub fn schema(&self) -> TableSchema {
        TableSchema { format: self.format.clone(), columns: self.columns.iter().map(ColumnProfile::schema).collect() }
    }
}

impl ColumnProfile {
    /// The column's name, its type and how its cells are read.
    pub fn schema(&self) -> ColumnSchema {
        let mut reading = self.reading.clone();
        if self.dtype == Dtype::Boolean && reading.boolean.is_none() {
            reading.boolean = self.form_of_values();
        }
        ColumnSchema { name: self.name.clone(), dtype: self.dtype, reading }
    }

    /// The form of the listed values: profiles of earlier versions do not name the form.
    fn form_of_values(&self) -> Option<BooleanForm> {
        let (value, _) = self.top.as_ref()?.first()?;
        Some(match value.to_ascii_lowercase().as_str() {
            "true" | "false" => BooleanForm::TrueFalse,
            "yes" | "no" => BooleanForm::YesNo,
            _ => BooleanForm::Digit,
        })
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
    use serde_json::json;

    use super::*;
    use crate::table::{DecimalMark, TableFormat};

    fn column(json: serde_json::Value) -> ColumnProfile {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn profiles_of_earlier_versions_are_read() {
        let digests = json!({"values_sha256": "v", "partition_sha256": "p"});
        let old = |name: &str, dtype: &str, top: serde_json::Value| {
            let mut profile = json!({"name": name, "dtype": dtype, "missing": 0, "distinct": 2, "top": top});
            profile.as_object_mut().unwrap().extend(digests.as_object().unwrap().clone());
            column(profile)
        };
        assert_eq!(old("void", "empty", json!(null)).dtype, Dtype::Text);
        assert_eq!(old("a", "boolean", json!([["1", 3], ["0", 1]])).schema().reading.boolean, Some(BooleanForm::Digit));
        assert_eq!(old("a", "boolean", json!([["No", 3]])).schema().reading.boolean, Some(BooleanForm::YesNo));
        assert_eq!(old("a", "boolean", json!([["TRUE", 3]])).schema().reading.boolean, Some(BooleanForm::TrueFalse));
        assert_eq!(old("a", "number", json!(null)).values_digest, "v");
    }

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
