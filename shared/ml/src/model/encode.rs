//! The encoding of JSON values and CSV cells to raw rows, shared by training and prediction.

use std::collections::HashSet;

use serde_json::{Map, Value};
use trainyard_domain::{FieldError, shown};

use super::signature::{Feature, FeatureKind, Signature};
use trainyard_csv::tokens;

/// The status of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Present.
    Present,
    /// Absent, null, or a missing-value token.
    Missing,
    /// A category that did not occur in training.
    Unseen,
}

/// An encoded value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoded {
    /// The number, 0/1 or the category's code; NaN unless present.
    pub raw: f32,
    /// The status.
    pub status: Status,
}

impl Encoded {
    /// A missing value.
    pub const MISSING: Self = Self { raw: f32::NAN, status: Status::Missing };
    /// A category that did not occur in training.
    pub const UNSEEN: Self = Self { raw: f32::NAN, status: Status::Unseen };

    fn present(raw: f32) -> Self {
        Self { raw, status: Status::Present }
    }

    /// Encodes a number, clamped to the range of `f32`, so that the order is kept.
    fn number(value: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "the value was clamped to the range of f32")]
        Self::present(value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32)
    }

    fn boolean(value: bool) -> Self {
        Self::present(f32::from(u8::from(value)))
    }
}

/// A value of the wrong type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}, not {found}")]
pub struct Mismatch {
    /// The expected type, such as "a number".
    pub expected: &'static str,
    /// The found type, such as "a string".
    pub found: &'static str,
}

/// An encoded row. The buffers are reused from row to row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawRow {
    /// One number per feature; NaN if missing or unseen.
    pub raw: Vec<f32>,
    /// One flag per feature: true for a category that did not occur in training.
    pub unseen: Vec<bool>,
}

impl RawRow {
    /// Creates a row of `width` missing features.
    pub fn new(width: usize) -> Self {
        Self { raw: vec![f32::NAN; width], unseen: vec![false; width] }
    }

    /// Sets the value of a feature.
    pub fn set(&mut self, feature: usize, value: Encoded) {
        self.raw[feature] = value.raw;
        self.unseen[feature] = value.status == Status::Unseen;
    }

    /// The status of a feature.
    pub fn status(&self, feature: usize) -> Status {
        match (self.unseen[feature], self.raw[feature].is_nan()) {
            (true, _) => Status::Unseen,
            (false, true) => Status::Missing,
            (false, false) => Status::Present,
        }
    }
}

impl Signature {
    /// Encodes a row of a request; missing features are absent or null. `row` must have the width of the signature and
    /// is overwritten.
    ///
    /// # Errors
    /// All features that are unknown or have the wrong type, as `features.<name>`.
    pub fn encode_json(&self, features: &Map<String, Value>, row: &mut RawRow) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        self.encode_json_with(features, row, |error| errors.push(error));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Like [`Self::encode_json`], but passes each error to `refuse`, so that the caller can limit their number.
    pub fn encode_json_with(
        &self,
        features: &Map<String, Value>,
        row: &mut RawRow,
        mut refuse: impl FnMut(FieldError),
    ) {
        let mut known = 0;
        for (i, feature) in self.features.iter().enumerate() {
            let encoded = match features.get(&feature.name) {
                None => Ok(Encoded::MISSING),
                Some(value) => {
                    known += 1;
                    feature.kind.encode_json(value)
                }
            };
            match encoded {
                Ok(encoded) => row.set(i, encoded),
                Err(mismatch) => refuse(refusal(&feature.name, mismatch.to_string())),
            }
        }
        if known < features.len() {
            let message = self.unknown_message();
            // A hash set, because row and model can have many names.
            let names: HashSet<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
            let unknown = features.keys().filter(|name| !names.contains(name.as_str()));
            unknown.for_each(|name| refuse(refusal(name, message.clone())));
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

fn refusal(feature: &str, message: String) -> FieldError {
    FieldError::new(format!("features.{feature}"), message)
}

impl Feature {
    /// The value that replaces a missing value in the design matrix: median, mode, or the mode's code.
    pub fn imputed(&self) -> f64 {
        match &self.kind {
            FeatureKind::Number { median, .. } => *median,
            FeatureKind::Boolean { mode } => f64::from(u8::from(*mode)),
            FeatureKind::Category { mode, .. } => *mode as f64,
        }
    }
}

impl FeatureKind {
    /// The name of the type in error messages.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Number { .. } => "a number",
            Self::Boolean { .. } => "true or false",
            Self::Category { .. } => "a string",
        }
    }

    /// Encodes a CSV cell.
    ///
    /// # Errors
    /// If the text is present but has another type.
    pub fn encode_text(&self, text: &str) -> Result<Encoded, Mismatch> {
        let Some(text) = tokens::present(text) else { return Ok(Encoded::MISSING) };
        match self {
            Self::Number { .. } => tokens::number(text).map(Encoded::number),
            Self::Boolean { .. } => tokens::boolean(text).map(|(value, _)| Encoded::boolean(value)),
            Self::Category { .. } => Some(self.category(text)),
        }
        .ok_or_else(|| self.mismatch("text"))
    }

    /// Encodes a JSON value. A boolean can also be 0/1 or a string, a category also the number or boolean of its name.
    ///
    /// # Errors
    /// If the value has another type.
    pub fn encode_json(&self, value: &Value) -> Result<Encoded, Mismatch> {
        match (self, value) {
            (_, Value::Null) => Ok(Encoded::MISSING),
            (Self::Number { .. }, Value::Number(number)) => number
                .as_f64()
                .filter(|value| value.is_finite())
                .map(Encoded::number)
                .ok_or_else(|| self.mismatch("a number out of range")),
            (Self::Boolean { .. }, Value::Bool(value)) => Ok(Encoded::boolean(*value)),
            (Self::Boolean { .. }, Value::Number(number)) => match number.as_f64() {
                Some(0.0) => Ok(Encoded::boolean(false)),
                Some(1.0) => Ok(Encoded::boolean(true)),
                _ => Err(self.mismatch("a number other than 0 and 1")),
            },
            (Self::Boolean { .. }, Value::String(text)) => {
                self.encode_text(text).map_err(|_| self.mismatch("a string"))
            }
            (Self::Category { .. }, Value::String(text)) => self.encode_text(text),
            (Self::Category { .. }, Value::Bool(value)) => Ok(self.boolean_category(*value)),
            (Self::Category { .. }, Value::Number(number)) => Ok(self.number_category(number)),
            (_, other) => Err(self.mismatch(type_name(other))),
        }
    }

    fn category(&self, name: &str) -> Encoded {
        let Self::Category { categories, .. } = self else { return Encoded::UNSEEN };
        #[allow(clippy::cast_precision_loss, reason = "codes stay far below 2^24")]
        categories.code(name).map_or(Encoded::UNSEEN, |code| Encoded::present(code as f32))
    }

    fn boolean_category(&self, value: bool) -> Encoded {
        let spellings = if value { ["true", "True", "TRUE"] } else { ["false", "False", "FALSE"] };
        self.first_known(spellings)
    }

    fn number_category(&self, number: &serde_json::Number) -> Encoded {
        let canonical = number.as_f64().map(tokens::number_text).unwrap_or_default();
        self.first_known([number.to_string().as_str(), canonical.as_str()])
    }

    fn first_known<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Encoded {
        let mut found = names.into_iter().map(|name| self.category(name));
        found.find(|encoded| encoded.status == Status::Present).unwrap_or(Encoded::UNSEEN)
    }

    fn mismatch(&self, found: &'static str) -> Mismatch {
        Mismatch { expected: self.expected(), found }
    }
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::artifact::samples;

    /// Training reads CSV text and prediction reads JSON: both must give the same number.
    #[test]
    fn text_and_json_have_the_same_encoding() {
        let [age, alone, embarked] = &samples::signature(samples::binary()).features[..] else { panic!() };
        for (feature, text, value) in [
            (age, "29", json!(29)),
            (age, " 0.1 ", json!(0.1)),
            (age, "1e300", json!(1e300)),
            (age, "", json!(null)),
            (alone, "yes", json!(true)),
            (alone, "0.0", json!(0)),
            (alone, "NA", json!("NA")),
            (embarked, " Q", json!("Q ")),
            (embarked, "X", json!("X")),
            (embarked, "?", json!("?")),
            (embarked, "7", json!(7)),
        ] {
            let (from_text, from_json) =
                (feature.kind.encode_text(text).unwrap(), feature.kind.encode_json(&value).unwrap());
            assert_eq!(from_text.status, from_json.status, "{text:?}");
            assert_eq!(from_text.raw.to_bits(), from_json.raw.to_bits(), "{text:?}");
        }
        assert_eq!(embarked.kind.encode_text("Q").unwrap().raw, 2.0);
        assert!(age.kind.encode_text("old").is_err() && age.kind.encode_json(&json!("29")).is_err());
    }

    #[test]
    fn numbers_beyond_the_range_of_f32_are_clamped() {
        let kind = &samples::signature(samples::binary()).features[0].kind;
        assert_eq!(kind.encode_json(&json!(-1e300)).unwrap().raw, f32::MIN);
    }

    #[test]
    fn categories_match_numbers_and_booleans_by_name() {
        let categories = crate::model::Categories::new(["1", "2.5", "True"].map(String::from).to_vec()).unwrap();
        let kind = FeatureKind::Category { categories, mode: 0 };
        for (value, code) in [(json!(1), 0.0), (json!(1.0), 0.0), (json!(2.5), 1.0), (json!(true), 2.0)] {
            assert_eq!(kind.encode_json(&value).unwrap().raw, code, "{value}");
        }
        assert_eq!(kind.encode_json(&json!(false)).unwrap().status, Status::Unseen);
    }
}
