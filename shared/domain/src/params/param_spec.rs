//! One parameter of an algorithm: type, bounds, default, and how forms show it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::table::TaskKind;

/// A parameter of an algorithm.
#[derive(Debug, Clone, Copy)]
pub struct ParamSpec {
    /// Its name in JSON.
    pub name: &'static str,
    /// Type, bounds and default.
    pub kind: ParamKind,
    /// Its label in forms.
    pub title: &'static str,
    /// Its description in `GET /algorithms`.
    pub description: &'static str,
    /// The part of a form that contains it.
    pub group: ParamGroup,
    /// The unit of its value, if it has one.
    pub unit: Option<&'static str>,
    /// The only task on which it has an influence; `None` means every task.
    pub task: Option<TaskKind>,
    /// Another parameter, and its values with which this one has an influence.
    pub when: Option<(&'static str, &'static [&'static str])>,
}

/// What a parameter is about. Forms show the groups in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParamGroup {
    /// What decides most about the model.
    Model,
    /// How the model is evaluated.
    Evaluation,
    /// How probabilities become calibrated probabilities and classes.
    Probabilities,
    /// What few jobs change.
    Advanced,
}

impl ParamGroup {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Evaluation => "evaluation",
            Self::Probabilities => "probabilities",
            Self::Advanced => "advanced",
        }
    }
}

/// Type, bounds (inclusive) and default of a parameter. A number without a default may be null.
#[derive(Debug, Clone, Copy)]
pub enum ParamKind {
    /// An integer.
    Int {
        /// Minimum.
        min: i64,
        /// Maximum.
        max: i64,
        /// Default; `None` means null.
        default: Option<i64>,
    },
    /// A finite number.
    Float {
        /// Minimum.
        min: f64,
        /// Maximum.
        max: f64,
        /// Default; `None` means null.
        default: Option<f64>,
    },
    /// One of several strings.
    Choice {
        /// The allowed strings.
        options: &'static [&'static str],
        /// Default.
        default: &'static str,
    },
    /// An object with -1, 0 or 1 per feature, also as JSON text; empty by default.
    Signs,
    /// A list of integers from 1 on, also as JSON text; empty by default. Stored in ascending order, each once.
    Numbers {
        /// Maximum of a number.
        max: i64,
        /// Maximum number of entries.
        entries: usize,
    },
}

impl ParamSpec {
    /// A parameter of the group [`ParamGroup::Model`], without a unit, that always has an influence.
    pub const fn new(name: &'static str, title: &'static str, kind: ParamKind, description: &'static str) -> Self {
        Self { name, kind, title, description, group: ParamGroup::Model, unit: None, task: None, when: None }
    }

    /// Moves the parameter to [`ParamGroup::Evaluation`].
    pub const fn evaluation(self) -> Self {
        Self { group: ParamGroup::Evaluation, ..self }
    }

    /// Moves the parameter to [`ParamGroup::Probabilities`].
    pub const fn probabilities(self) -> Self {
        Self { group: ParamGroup::Probabilities, ..self }
    }

    /// Moves the parameter to [`ParamGroup::Advanced`].
    pub const fn advanced(self) -> Self {
        Self { group: ParamGroup::Advanced, ..self }
    }

    /// Sets the unit of the value.
    pub const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// Says that the parameter has an influence on this task only.
    pub const fn only(self, task: TaskKind) -> Self {
        Self { task: Some(task), ..self }
    }

    /// Says that the parameter has an influence only if the parameter `name` has one of `values`.
    pub const fn when(self, name: &'static str, values: &'static [&'static str]) -> Self {
        Self { when: Some((name, values)), ..self }
    }

    /// Validates a value of a client; the error says what is expected.
    pub(super) fn accept(&self, given: Option<&Value>) -> Result<Value, String> {
        let given = match given {
            None => return Ok(self.default_value()),
            Some(value) => value,
        };
        match self.kind {
            ParamKind::Int { default: None, .. } | ParamKind::Float { default: None, .. } if given.is_null() => {
                Ok(Value::Null)
            }
            ParamKind::Int { min, max, .. } => match as_integer(given) {
                Some(n) if (min..=max).contains(&n) => Ok(json!(n)),
                _ => Err(format!("must be a whole number from {min} to {max}")),
            },
            ParamKind::Float { min, max, .. } => match given.as_f64() {
                // Plus zero: -0.0 is the same request as 0.
                Some(x) if (min..=max).contains(&x) => Ok(json!(x + 0.0)),
                _ => Err(format!("must be a number from {min} to {max}")),
            },
            ParamKind::Choice { options, .. } => match given.as_str() {
                Some(word) if options.contains(&word) => Ok(json!(word)),
                _ => Err(format!("must be one of {}", options.join(", "))),
            },
            ParamKind::Signs => {
                let parsed = from_text(given);
                match parsed.as_ref().unwrap_or(given).as_object() {
                    Some(signs) if signs.values().all(|sign| matches!(as_integer(sign), Some(-1..=1))) => {
                        Ok(signs.iter().map(|(feature, sign)| (feature.clone(), json!(as_integer(sign)))).collect())
                    }
                    _ => Err(r#"must be an object with -1, 0 or 1 per feature, such as {"age": -1}"#.to_owned()),
                }
            }
            ParamKind::Numbers { max, entries } => {
                let parsed = from_text(given);
                let list = parsed.as_ref().unwrap_or(given).as_array().filter(|list| list.len() <= entries);
                let number = |entry: &Value| as_integer(entry).filter(|number| (1..=max).contains(number));
                match list.and_then(|list| list.iter().map(number).collect::<Option<BTreeSet<i64>>>()) {
                    Some(numbers) => Ok(json!(numbers)),
                    None => Err(format!(
                        "must be a list of at most {entries} whole numbers from 1 to {max}, such as [3, 8]"
                    )),
                }
            }
        }
    }

    fn default_value(&self) -> Value {
        match self.kind {
            ParamKind::Int { default, .. } => json!(default),
            ParamKind::Float { default, .. } => json!(default),
            ParamKind::Choice { default, .. } => json!(default),
            ParamKind::Signs => json!({}),
            ParamKind::Numbers { .. } => json!([]),
        }
    }

    /// The JSON Schema; `order` is its place in a form.
    pub(super) fn json_schema(&self, order: usize) -> Value {
        let nullable = |kind: &str, default: bool| if default { json!(kind) } else { json!([kind, "null"]) };
        let mut schema = match self.kind {
            ParamKind::Int { min, max, default } => {
                json!({"type": nullable("integer", default.is_some()), "minimum": min, "maximum": max})
            }
            ParamKind::Float { min, max, default } => {
                json!({"type": nullable("number", default.is_some()), "minimum": min, "maximum": max})
            }
            ParamKind::Choice { options, .. } => json!({"type": "string", "enum": options}),
            ParamKind::Signs => {
                json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": -1, "maximum": 1}})
            }
            ParamKind::Numbers { max, entries } => json!({
                "type": "array", "items": {"type": "integer", "minimum": 1, "maximum": max}, "maxItems": entries
            }),
        };
        schema["default"] = self.default_value();
        schema["title"] = json!(self.title);
        schema["description"] = json!(self.description);
        schema["x-group"] = json!(self.group.as_str());
        schema["x-order"] = json!(order);
        if let Some(unit) = self.unit {
            schema["x-unit"] = json!(unit);
        }
        if let Some(task) = self.task {
            schema["x-task"] = json!(task.as_str());
        }
        if let Some((name, values)) = self.when {
            schema["x-when"] = json!({ name: values });
        }
        schema
    }
}

/// The value of a JSON text: the CLI and the form of the console send texts.
fn from_text(given: &Value) -> Option<Value> {
    given.as_str().and_then(|text| serde_json::from_str(text).ok())
}

/// An integer in any notation: JSON Schema accepts 7.0 as an integer.
fn as_integer(given: &Value) -> Option<i64> {
    given.as_i64().or_else(|| given.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < EXACT).map(|x| x as i64))
}

/// Floats below this limit represent every integer exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;
