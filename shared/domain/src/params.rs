//! Parameters of an algorithm: bounds, defaults and JSON Schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::algorithm::{Algorithm, CLASS_WEIGHT, CV, ENGINE, LEARNING_CURVE, LINFA};
use crate::field::{FieldError, shown};

/// A parameter of an algorithm.
#[derive(Debug, Clone, Copy)]
pub struct ParamSpec {
    /// Its name in JSON.
    pub name: &'static str,
    /// Type, bounds and default.
    pub kind: ParamKind,
    /// Its description in `GET /algorithms`.
    pub description: &'static str,
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

/// Validated parameters: complete and within bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Params(Map<String, Value>);

impl Params {
    /// Validates `given` and fills in the defaults. Returns an error for each invalid parameter.
    pub fn parse(algorithm: Algorithm, given: &Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let specs = algorithm.params();
        let mut errors = Vec::new();
        for name in given.keys().filter(|name| !specs.iter().any(|spec| spec.name == name.as_str())) {
            let known: Vec<_> = specs.iter().map(|spec| spec.name).collect();
            let known = known.join(", ");
            let message = match (algorithm, name.as_str()) {
                (Algorithm::Auto, CV) => format!(
                    "is not a parameter of auto, whose search validates every model by folds: metrics.search.fold_scores has \
                     the score of the chosen one on each; auto takes {known}"
                ),
                (Algorithm::Auto, LEARNING_CURVE) => format!(
                    "is not a parameter of auto, because each sample of the rows would need a search; choose the algorithm \
                     that a search has found; auto takes {known}"
                ),
                _ => format!("is not a parameter of {}, which takes {known}", algorithm.as_str()),
            };
            errors.push(FieldError::new(format!("params.{}", shown(name)), message));
        }
        let mut params = Map::new();
        for spec in specs {
            match spec.accept(given.get(spec.name)) {
                Ok(value) => drop(params.insert(spec.name.to_owned(), value)),
                Err(message) => errors.push(FieldError::new(format!("params.{}", spec.name), message)),
            }
        }
        let params = Self(params);
        let weight = params.choice(CLASS_WEIGHT);
        if params.choice(ENGINE) == LINFA && !matches!(weight, "" | "none") {
            errors.push(FieldError::new(
                format!("params.{CLASS_WEIGHT}"),
                format!("'{weight}' is not supported by engine '{LINFA}'"),
            ));
        }
        if params.int(CV) == Some(1) {
            errors.push(FieldError::new("params.cv", "must be 0, which means no cross-validation, or from 2 to 20"));
        }
        if errors.is_empty() { Ok(params) } else { Err(errors) }
    }

    /// An integer; `None` if it is null or unknown.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// A number; `None` if it is null or unknown.
    pub fn float(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(Value::as_f64)
    }

    /// A string; empty if it is unknown.
    pub fn choice(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The features with -1 or 1 in a parameter of kind [`ParamKind::Signs`]; empty if it is unknown.
    pub fn signs(&self, name: &str) -> Vec<(&str, i64)> {
        let signs = self.0.get(name).and_then(Value::as_object).into_iter().flatten();
        signs.filter_map(|(feature, sign)| Some((feature.as_str(), sign.as_i64().filter(|sign| *sign != 0)?))).collect()
    }

    /// The numbers of a parameter of kind [`ParamKind::Numbers`]; empty if it is unknown.
    pub fn numbers(&self, name: &str) -> Vec<u64> {
        let numbers = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        numbers.filter_map(Value::as_u64).collect()
    }

    /// All parameters, owned.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// All parameters, as saved with the model.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl ParamSpec {
    /// Validates a value of a client; the error says what is expected.
    fn accept(&self, given: Option<&Value>) -> Result<Value, String> {
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

    fn json_schema(&self) -> Value {
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
        schema["description"] = json!(self.description);
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

/// JSON Schema (2020-12) of an algorithm's `params` object.
pub fn json_schema(algorithm: Algorithm) -> Value {
    let properties: Map<String, Value> =
        algorithm.params().iter().map(|spec| (spec.name.to_owned(), spec.json_schema())).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: Value) -> Result<Params, Vec<FieldError>> {
        Params::parse(Algorithm::RandomForest, given.as_object().unwrap())
    }

    #[test]
    fn defaults_fill_in_and_bounds_hold() {
        let params = parse(json!({"n_trees": 7})).unwrap();
        assert_eq!(params.int("n_trees"), Some(7));
        assert_eq!(params.int("max_depth"), None);
        assert_eq!(params.choice("max_features"), "auto");
        assert!(parse(json!({"max_depth": null})).is_ok());
        for bad in [json!(0), json!(2001), json!("7"), json!(7.5), json!(null), json!(true)] {
            let errors = parse(json!({"n_trees": bad})).unwrap_err();
            assert_eq!(errors[0].field, "params.n_trees");
        }
    }

    #[test]
    fn a_number_means_the_same_however_it_is_spelled() {
        assert_eq!(parse(json!({"n_trees": 7.0})).unwrap(), parse(json!({"n_trees": 7})).unwrap());
        assert_eq!(parse(json!({"n_trees": 7.0})).unwrap().as_map()["n_trees"], json!(7));
        let svm = |c: Value| Params::parse(Algorithm::Svm, json!({"c": c}).as_object().unwrap()).unwrap();
        assert_eq!(svm(json!(10)), svm(json!(10.0)));
    }

    #[test]
    fn every_wrong_parameter_is_named_at_once() {
        let errors = parse(json!({"trees": 7, "max_features": "some", "max_depth": -1})).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["params.trees", "params.max_depth", "params.max_features"]);
    }

    #[test]
    fn an_engine_refuses_what_it_does_not_support() {
        let with = |engine: &str, weight: &str| {
            let given = json!({"engine": engine, "class_weight": weight});
            Params::parse(Algorithm::Svm, given.as_object().unwrap())
        };
        assert!(with("native", "balanced").is_ok() && with("linfa", "none").is_ok());
        assert_eq!(with("linfa", "balanced").unwrap_err()[0].field, "params.class_weight");
    }

    #[test]
    fn a_cross_validation_has_at_least_two_folds() {
        assert!([0, 2, 20].into_iter().all(|folds| parse(json!({"cv": folds})).is_ok()));
        for bad in [1, 21, -1] {
            assert_eq!(parse(json!({"cv": bad})).unwrap_err()[0].field, "params.cv");
        }
    }

    #[test]
    fn a_search_refuses_what_it_does_itself_and_says_so() {
        let given = json!({"cv": 5, "learning_curve": "on", "calibration": "platt", "tune_threshold": "f1"});
        let errors = Params::parse(Algorithm::Auto, given.as_object().unwrap()).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["params.cv", "params.learning_curve"]);
        assert!(errors[0].message.contains("metrics.search.fold_scores"), "{errors:?}");
    }

    #[test]
    fn monotone_constraints_are_signs_by_feature() {
        let parse = |signs: Value| {
            let given = json!({"monotone_constraints": signs});
            Params::parse(Algorithm::GradientBoosting, given.as_object().unwrap())
        };
        let params = parse(json!({"age": -1.0, "fare": 0, "pclass": 1})).unwrap();
        assert_eq!(params.signs("monotone_constraints"), [("age", -1), ("pclass", 1)]);
        assert_eq!(params.as_map()["monotone_constraints"], json!({"age": -1, "fare": 0, "pclass": 1}));
        assert_eq!(parse(json!(r#"{"age": 1}"#)).unwrap(), parse(json!({"age": 1})).unwrap());
        for bad in [json!({"age": 2}), json!({"age": "1"}), json!(null), json!([1]), json!("age:1")] {
            assert_eq!(parse(bad).unwrap_err()[0].field, "params.monotone_constraints");
        }
    }

    #[test]
    fn a_list_of_numbers_has_one_spelling() {
        let parse = |list: Value| {
            let given = json!({"skip_trials": list});
            Params::parse(Algorithm::Auto, given.as_object().unwrap())
        };
        assert_eq!(parse(json!([8, 3.0, 8])).unwrap().numbers("skip_trials"), [3, 8]);
        assert_eq!(parse(json!("[8, 3]")).unwrap(), parse(json!([3, 8])).unwrap());
        assert_eq!(parse(json!([])).unwrap(), Params::parse(Algorithm::Auto, &Map::new()).unwrap());
        let many: Vec<i64> = (1..=1_001).collect();
        for bad in [json!([0]), json!(["3"]), json!([1.5]), json!(3), json!(null), json!("3 8"), json!(many)] {
            assert_eq!(parse(bad).unwrap_err()[0].field, "params.skip_trials");
        }
    }

    #[test]
    fn the_defaults_of_every_algorithm_pass_its_own_bounds() {
        for algorithm in Algorithm::ALL {
            let defaults = Params::parse(algorithm, &Map::new()).unwrap();
            assert_eq!(Params::parse(algorithm, defaults.as_map()).unwrap(), defaults);
        }
    }
}
