//! Reads the features of a request: JSON values to [`Input`]s, and to a raw row.

use std::collections::HashSet;

use serde_json::{Map, Value};
use trainyard_csv::cell::{Cell, Reader};
use trainyard_csv::tokens;
use trainyard_domain::table::{BooleanForm, ColumnSchema, TableFormat};
use trainyard_domain::{Dtype, FieldError, shown};

use super::encode::{Input, RawRow};
use super::signature::{Feature, FeatureKind, Signature};

/// A value of the wrong type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}, not {found}")]
pub struct Mismatch {
    /// The expected type, such as "a number".
    pub expected: &'static str,
    /// The found type, such as "a string".
    pub found: String,
}

/// Reads the texts of each feature as in the training table.
#[derive(Debug, Clone)]
pub struct TextReaders(Vec<Reader>);

impl TextReaders {
    /// The reader of the feature with this index.
    pub(crate) fn of(&self, feature: usize) -> &Reader {
        &self.0[feature]
    }
}

impl Signature {
    /// The readers of the texts in requests.
    pub fn text_readers(&self) -> TextReaders {
        let format = TableFormat { missing: self.missing.clone(), ..TableFormat::default() };
        let reader = |feature: &Feature| {
            let (name, dtype, reading) = (feature.name.clone(), feature.kind.dtype(), feature.reading.clone());
            let column = ColumnSchema { name, dtype, reading };
            Reader::new(&format, &column)
        };
        TextReaders(self.features.iter().map(reader).collect())
    }

    /// Encodes a row of a request; missing features are absent or null. `row` must have the width of the signature and
    /// is overwritten.
    ///
    /// # Errors
    /// All features that are unknown or have the wrong type, as `features.<name>`.
    pub fn encode_json(
        &self,
        readers: &TextReaders,
        features: &Map<String, Value>,
        row: &mut RawRow,
    ) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        self.encode_json_with(readers, features, row, |_, _| {}, |error| errors.push(error));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Like [`Self::encode_json`], but passes each value to `read`, with the index of its feature, and each error to
    /// `refuse`, so that the caller can limit their number.
    pub fn encode_json_with(
        &self,
        TextReaders(readers): &TextReaders,
        features: &Map<String, Value>,
        row: &mut RawRow,
        mut read: impl FnMut(usize, Input),
        mut refuse: impl FnMut(FieldError),
    ) {
        let mut known = 0;
        let (mut raw, mut unseen) = (row.raw.as_mut_slice(), row.unseen.as_mut_slice());
        for (index, (feature, reader)) in self.features.iter().zip(readers).enumerate() {
            let (own_raw, own_unseen);
            (own_raw, raw) = raw.split_at_mut(feature.kind.width());
            (own_unseen, unseen) = unseen.split_at_mut(feature.kind.width());
            let input = match features.get(&feature.name) {
                None => Ok(Input::Missing),
                Some(value) => {
                    known += 1;
                    feature.read(value, reader)
                }
            };
            match input {
                Ok(input) => {
                    read(index, input);
                    feature.kind.encode(input, own_raw, own_unseen);
                }
                Err(mismatch) => refuse(refusal(&feature.name, mismatch.to_string())),
            }
        }
        if known < features.len() {
            // A hash set, because row and model can have many names.
            let names: HashSet<&str> =
                self.features.iter().map(|feature| &feature.name).chain(&self.dropped).map(String::as_str).collect();
            let mut unknown = features.keys().filter(|name| !names.contains(name.as_str())).peekable();
            if unknown.peek().is_some() {
                let message = self.unknown_message();
                unknown.for_each(|name| refuse(refusal(name, message.clone())));
            }
        }
    }

    fn unknown_message(&self) -> String {
        const MAX_NAMES: usize = 30;
        let mut names: Vec<_> = self.features.iter().take(MAX_NAMES).map(|feature| shown(&feature.name)).collect();
        if self.features.len() > MAX_NAMES {
            names.push("…".into());
        }
        format!("is not a feature of this model; its features are {}", names.join(", "))
    }
}

impl Feature {
    /// Reads the value of a feature. Texts are read as in the training table, so a number, a boolean or a date can also
    /// be a text. A category can also be the number or the boolean of its name.
    ///
    /// # Errors
    /// If the value has another type.
    pub(crate) fn read(&self, value: &Value, reader: &Reader) -> Result<Input, Mismatch> {
        let kind = &self.kind;
        match (kind, value) {
            (_, Value::Null) => Ok(Input::Missing),
            (_, Value::String(text)) => self.read_text(text, reader),
            (FeatureKind::Number { .. }, Value::Number(number)) => number
                .as_f64()
                .filter(|value| value.is_finite())
                .map(Input::Number)
                .ok_or_else(|| kind.mismatch("a number out of range")),
            // A column of 0 and 1.
            (FeatureKind::Number { .. }, Value::Bool(value)) if self.reading.boolean == Some(BooleanForm::Digit) => {
                Ok(Input::Number(f64::from(u8::from(*value))))
            }
            // Seconds, milliseconds or digits of a date.
            (FeatureKind::Datetime { .. }, Value::Number(number)) => self.read_text(&number.to_string(), reader),
            (FeatureKind::Boolean { .. }, Value::Bool(value)) => Ok(Input::Boolean(*value)),
            (FeatureKind::Boolean { .. }, Value::Number(number)) => match number.as_f64() {
                Some(0.0) => Ok(Input::Boolean(false)),
                Some(1.0) => Ok(Input::Boolean(true)),
                _ => Err(kind.mismatch("a number other than 0 and 1")),
            },
            (FeatureKind::Category { .. }, Value::Bool(true)) => Ok(kind.first_known(&TRUE)),
            (FeatureKind::Category { .. }, Value::Bool(false)) => Ok(kind.first_known(&FALSE)),
            (FeatureKind::Category { .. }, Value::Number(number)) => {
                let canonical = number.as_f64().map(tokens::number_text).unwrap_or_default();
                Ok(kind.first_known(&[number.to_string().as_str(), canonical.as_str()]))
            }
            (_, other) => Err(kind.mismatch(type_name(other))),
        }
    }

    /// Reads a text as in the training table.
    ///
    /// # Errors
    /// If the text is no value of the feature.
    pub(crate) fn read_text(&self, text: &str, reader: &Reader) -> Result<Input, Mismatch> {
        let kind = &self.kind;
        let input = match (kind, reader.read(text)) {
            (_, Cell::Missing) => Some(Input::Missing),
            (FeatureKind::Number { .. }, Cell::Number(value)) => Some(Input::Number(value)),
            // Only in a table whose column has other words than the 0 and 1 of the training table.
            (FeatureKind::Number { .. }, Cell::Boolean(value)) => Some(Input::Number(f64::from(u8::from(value)))),
            (FeatureKind::Boolean { .. }, Cell::Boolean(value)) => Some(Input::Boolean(value)),
            (FeatureKind::Boolean { .. }, Cell::Text(text)) => {
                tokens::boolean(&text).map(|(value, _)| Input::Boolean(value))
            }
            (FeatureKind::Category { .. }, Cell::Text(text)) if self.reading.boolean == Some(BooleanForm::YesNo) => {
                Some(kind.first_known(&[&text, &text.to_ascii_lowercase()]))
            }
            (FeatureKind::Category { .. }, Cell::Text(text)) => Some(kind.first_known(&[&text])),
            (FeatureKind::Datetime { .. }, Cell::Datetime(seconds)) => Some(Input::Seconds(seconds)),
            _ => None,
        };
        input.ok_or_else(|| kind.mismatch(format!("'{}'", shown(text))))
    }
}

/// The names of a category that `true` can mean.
const TRUE: [&str; 6] = ["true", "True", "TRUE", "yes", "Yes", "YES"];
/// The names of a category that `false` can mean.
const FALSE: [&str; 6] = ["false", "False", "FALSE", "no", "No", "NO"];

impl FeatureKind {
    /// The type of the cells.
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::Number { .. } => Dtype::Number,
            Self::Boolean { .. } => Dtype::Boolean,
            Self::Category { .. } => Dtype::Category,
            Self::Datetime { .. } => Dtype::Datetime,
        }
    }

    /// The name of the type in error messages.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Number { .. } => "a number",
            Self::Boolean { .. } => "true or false",
            Self::Category { .. } => "a string",
            Self::Datetime { .. } => "a date as in the training table",
        }
    }

    /// The code of the first name that is a category.
    fn first_known(&self, names: &[&str]) -> Input {
        let Self::Category { categories, .. } = self else { return Input::Unseen };
        names.iter().find_map(|name| categories.code(name)).map_or(Input::Unseen, Input::Code)
    }

    fn mismatch(&self, found: impl Into<String>) -> Mismatch {
        Mismatch { expected: self.expected(), found: found.into() }
    }
}

fn refusal(feature: &str, message: String) -> FieldError {
    FieldError::new(format!("features.{feature}"), message)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
