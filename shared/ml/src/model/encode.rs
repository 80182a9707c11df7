//! From a client's JSON or a CSV's text to a raw row: the one implementation that training and serving share.

use std::collections::HashSet;

use serde_json::{Map, Value};
use trainyard_domain::{FieldError, shown};

use super::signature::{Feature, FeatureKind, Signature};
use crate::tokens;

/// How a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Known.
    Present,
    /// Absent, null, or a missing-value token.
    Missing,
    /// A category that training never saw.
    Unseen,
}

/// One encoded value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoded {
    /// The number, 0/1 or the category's code; NaN unless present.
    pub raw: f32,
    /// How it was found.
    pub status: Status,
}

impl Encoded {
    /// No value.
    pub const MISSING: Self = Self { raw: f32::NAN, status: Status::Missing };
    /// A category that training never saw.
    pub const UNSEEN: Self = Self { raw: f32::NAN, status: Status::Unseen };

    fn present(raw: f32) -> Self {
        Self { raw, status: Status::Present }
    }

    /// A number; past the range of `f32` the nearest end of it, so that it still sorts where it belongs.
    fn number(value: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "trees see f32; the range is clamped first")]
        Self::present(value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32)
    }

    fn boolean(value: bool) -> Self {
        Self::present(f32::from(u8::from(value)))
    }
}

/// The value can't be read as the feature's kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}, not {found}")]
pub struct Mismatch {
    /// What would have been right, such as "a number".
    pub expected: &'static str,
    /// What was there instead, such as "a string".
    pub found: &'static str,
}

/// One row, encoded; reused from row to row so that encoding allocates nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawRow {
    /// One number per feature, NaN where missing or unseen.
    pub raw: Vec<f32>,
    /// One flag per feature: set for a category that training never saw.
    pub unseen: Vec<bool>,
}

impl RawRow {
    /// Room for `width` features, all missing.
    pub fn new(width: usize) -> Self {
        Self { raw: vec![f32::NAN; width], unseen: vec![false; width] }
    }

    /// Puts one value in place.
    pub fn set(&mut self, feature: usize, value: Encoded) {
        self.raw[feature] = value.raw;
        self.unseen[feature] = value.status == Status::Unseen;
    }

    /// How the value of `feature` was found.
    pub fn status(&self, feature: usize) -> Status {
        match (self.unseen[feature], self.raw[feature].is_nan()) {
            (true, _) => Status::Unseen,
            (false, true) => Status::Missing,
            (false, false) => Status::Present,
        }
    }
}

impl Signature {
    /// Encodes a row as a client sends it: by name, missing features left out or null. `row` must be as wide as the
    /// signature; all of it is overwritten.
    ///
    /// # Errors
    /// Every feature that is unknown or wrongly typed, as `features.<name>`.
    pub fn encode_json(&self, features: &Map<String, Value>, row: &mut RawRow) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        self.encode_json_with(features, row, |error| errors.push(error));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// [`Self::encode_json`] for rows of anybody, who may send any number of errors: each goes to `refuse`.
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
            // A set, because both the row and the model may have very many names.
            let names: HashSet<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
            let unknown = features.keys().filter(|name| !names.contains(name.as_str()));
            unknown.for_each(|name| refuse(refusal(name, message.clone())));
        }
    }

    fn unknown_message(&self) -> String {
        const SHOWN: usize = 30;
        let mut names: Vec<_> = self.features.iter().take(SHOWN).map(|feature| shown(&feature.name)).collect();
        if self.features.len() > SHOWN {
            names.push("…".into());
        }
        format!("is not a feature of this model, which takes {}", names.join(", "))
    }
}

fn refusal(feature: &str, message: String) -> FieldError {
    FieldError::new(format!("features.{feature}"), message)
}

impl Feature {
    /// The value that stands in where this feature is missing, for the design vector: median, mode, or mode's code.
    pub fn imputed(&self) -> f64 {
        match &self.kind {
            FeatureKind::Number { median, .. } => *median,
            FeatureKind::Boolean { mode } => f64::from(u8::from(*mode)),
            FeatureKind::Category { mode, .. } => *mode as f64,
        }
    }
}

impl FeatureKind {
    /// What the kind is called in messages.
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
    /// When the text is present but doesn't read as this kind.
    pub fn encode_text(&self, text: &str) -> Result<Encoded, Mismatch> {
        let Some(text) = tokens::present(text) else { return Ok(Encoded::MISSING) };
        match self {
            Self::Number { .. } => tokens::number(text).map(Encoded::number),
            Self::Boolean { .. } => tokens::boolean(text).map(|(value, _)| Encoded::boolean(value)),
            Self::Category { .. } => Some(self.category(text)),
        }
        .ok_or_else(|| self.mismatch("text"))
    }

    /// Encodes a JSON value. Booleans also come as 0/1 and as text, categories also as the number or boolean that spells
    /// their name; a number is a number.
    ///
    /// # Errors
    /// When the value is of another type.
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

    /// Training reads text, serving reads JSON: both must see the same number.
    #[test]
    fn text_and_json_encode_alike() {
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
    fn numbers_past_the_range_of_trees_keep_their_side() {
        let kind = &samples::signature(samples::binary()).features[0].kind;
        assert_eq!(kind.encode_json(&json!(-1e300)).unwrap().raw, f32::MIN);
    }

    #[test]
    fn categories_are_found_by_the_number_or_boolean_that_spells_them() {
        let categories = crate::model::Categories::new(["1", "2.5", "True"].map(String::from).to_vec()).unwrap();
        let kind = FeatureKind::Category { categories, mode: 0 };
        for (value, code) in [(json!(1), 0.0), (json!(1.0), 0.0), (json!(2.5), 1.0), (json!(true), 2.0)] {
            assert_eq!(kind.encode_json(&value).unwrap().raw, code, "{value}");
        }
        assert_eq!(kind.encode_json(&json!(false)).unwrap().status, Status::Unseen);
    }
}
