//! The warnings about a column: what was decided, and how to decide otherwise.

use trainyard_domain::{DateOrder, DecimalMark, Dtype};

use super::decide::Decided;
use super::summary::{Context, Summary, Values};

/// Fewer rows can have consecutive numbers by chance.
const MIN_ROW_NUMBERS: u64 = 10;

impl Summary {
    pub(super) fn warnings(
        &self,
        dtype: Dtype,
        decided: &Decided,
        values: &Values,
        row_names: bool,
        context: &Context<'_>,
    ) -> Vec<String> {
        let name = &self.named.name;
        let mut warnings = Vec::new();
        if !self.named.is_given {
            let position = self.named.position;
            warnings.push(format!("column {position} has no name in the header and was named '{name}'"));
        }
        if row_names {
            warnings.push(format!("'{name}' holds row names, which do not help a model to predict new rows; features=* excludes the column"));
        }
        if values.valid == 0 {
            warnings.push(format!("'{name}' has no values"));
            warnings.extend(self.strays(dtype, values));
            return warnings;
        }
        if values.distinct == 1 {
            warnings.push(format!("'{name}' has only one distinct value"));
        }
        match dtype {
            Dtype::Number if !row_names && self.contains_row_numbers(values, context.rows) => {
                warnings
                    .push(format!("'{name}' contains the row numbers, which do not help a model to predict new rows"));
            }
            Dtype::Text if !row_names && values.distinct == context.rows => {
                warnings.push(format!("'{name}' has a different text in every row and can't be a feature"));
            }
            Dtype::Text if !row_names => warnings.push(format!("'{name}' is free text and can't be a feature")),
            _ => {}
        }
        if matches!(dtype, Dtype::Category | Dtype::Text) {
            warnings.extend(self.kept_texts(decided));
        } else {
            warnings.extend(self.strays(dtype, values));
        }
        if dtype == Dtype::Number {
            warnings.extend(self.styles(decided));
        }
        if dtype == Dtype::Datetime && decided.is_order_unclear {
            let order = if decided.reading.date == Some(DateOrder::DayFirst) { "day" } else { "month" };
            warnings.push(format!(
                "'{name}' has dates that could start with the day or the month; they were read with the {order} first; write dates as 2024-12-31 to be sure"
            ));
        }
        warnings
    }

    /// Consecutive unique integers are an id. If not all distinct values are known, the range decides.
    fn contains_row_numbers(&self, values: &Values, rows: u64) -> bool {
        let all_different = values.distinct == rows || values.is_bound;
        let integers = self.tally.integers == values.valid;
        #[allow(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
        let is_dense = values.max - values.min + 1.0 == rows as f64;
        integers && values.valid == rows && rows > MIN_ROW_NUMBERS && all_different && is_dense
    }

    /// Warnings about a column of texts that could be something else.
    fn kept_texts(&self, decided: &Decided) -> Vec<String> {
        let (name, tally) = (&self.named.name, &self.tally);
        let mut warnings = Vec::new();
        if let Some(reason) = decided.code {
            warnings.push(format!("'{name}' keeps its values as they are written, because {reason}; set types={name}:number to read numbers"));
        }
        if decided.reading.keeps_na {
            let cells = cells(tally.na);
            warnings.push(format!("'{name}' has {cells} with the text 'NA', which is kept as a value; set missing=NA if it means a missing value"));
        }
        let mark = if tally.numbers(DecimalMark::Comma) > tally.numbers(DecimalMark::Point) {
            DecimalMark::Comma
        } else {
            DecimalMark::Point
        };
        let (numbers, present) = (tally.numbers(mark), tally.values);
        if let Some((row, text)) = &tally.style(mark).first_other
            && self.named.dtype.is_none()
            && decided.code.is_none()
            && numbers < present
            && numbers * 10 >= present * 9
        {
            warnings.push(format!(
                "'{name}' has numbers in {numbers} of {present} values but is text because of '{text}' in row {row}; set types={name}:number to count such values as missing"
            ));
        }
        if tally.units.is_mixed && numbers * 10 >= present * 9 && self.named.dtype.is_none() {
            warnings.push(format!(
                "'{name}' has numbers with different units or currencies and is text; convert them to one unit"
            ));
        }
        warnings
    }

    /// A warning about cells that do not fit the type.
    fn strays(&self, dtype: Dtype, values: &Values) -> Vec<String> {
        let name = &self.named.name;
        let mut warnings = Vec::new();
        let expected = match dtype {
            Dtype::Number => "numbers",
            Dtype::Boolean => "booleans",
            Dtype::Datetime => "dates",
            Dtype::Category | Dtype::Text => return warnings,
        };
        if values.strays > 0 {
            let first = values
                .first_stray
                .as_ref()
                .map(|(row, text)| format!(", the first is '{text}' in row {row}"))
                .unwrap_or_default();
            let count = cells(values.strays);
            warnings.push(format!(
                "'{name}' has {count} of another type than {expected}{first}; such cells count as missing; set types={name}:category to keep them"
            ));
        }
        if self.tally.infinite > 0 {
            let count = cells(self.tally.infinite);
            warnings.push(format!("'{name}' has {count} with an infinite number; such cells count as missing"));
        }
        warnings
    }

    /// A warning about numbers that are not written plainly.
    fn styles(&self, decided: &Decided) -> Option<String> {
        let (name, style) = (&self.named.name, decided.reading.number.unwrap_or_default());
        let mut removed = Vec::new();
        if style.grouped {
            removed.push("thousands separators".to_owned());
        }
        match &self.tally.units.first {
            Some(unit) if style.decorated => removed.push(format!("'{unit}'")),
            _ if style.decorated => removed.push("signs of accounting".to_owned()),
            _ => {}
        }
        let mark = if style.decimal == DecimalMark::Comma { " and a decimal comma" } else { "" };
        (!removed.is_empty()).then(|| {
            let removed = removed.join(" and ");
            format!("'{name}' was read as numbers without {removed}{mark}; set types={name}:category to keep the texts")
        })
    }
}

fn cells(count: u64) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}
