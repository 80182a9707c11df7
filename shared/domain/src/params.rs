//! Parameters of an algorithm: bounds, defaults and JSON Schema.

mod param_spec;

use serde_json::{Map, Value, json};

use crate::algorithm::{Algorithm, CLASS_WEIGHT, CV, ENGINE, LEARNING_CURVE, LINFA};
use crate::field::{FieldError, shown};
pub use param_spec::{ParamGroup, ParamKind, ParamSpec};

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

/// JSON Schema (2020-12) of an algorithm's `params` object. Members of a JSON object have no order, so each parameter has the
/// annotation `x-order` with its place, from 1 on, in which the parameters of a group (`x-group`) follow each other.
/// `x-unit` is the unit of the value. A parameter has an influence only on the task `x-task`, and only if another parameter
/// has one of the values in `x-when`.
pub fn json_schema(algorithm: Algorithm) -> Value {
    let mut specs: Vec<&ParamSpec> = algorithm.params().iter().collect();
    specs.sort_by_key(|spec| spec.group);
    let properties: Map<String, Value> =
        (1..).zip(specs).map(|(order, spec)| (spec.name.to_owned(), spec.json_schema(order))).collect();
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
    fn a_form_can_be_made_from_the_schema_of_every_algorithm() {
        for algorithm in Algorithm::ALL {
            let schema = json_schema(algorithm);
            let properties = schema["properties"].as_object().unwrap();
            let mut ordered: Vec<_> = properties.iter().collect();
            ordered.sort_by_key(|(_, property)| property["x-order"].as_u64());
            let orders: Vec<_> = ordered.iter().filter_map(|(_, property)| property["x-order"].as_u64()).collect();
            assert_eq!(orders, (1..=properties.len() as u64).collect::<Vec<_>>(), "{algorithm:?}");
            let mut groups: Vec<_> = ordered.iter().filter_map(|(_, property)| property["x-group"].as_str()).collect();
            groups.dedup();
            let expected = ["model", "evaluation", "probabilities", "advanced"];
            assert!(expected.iter().filter(|group| groups.contains(group)).eq(&groups), "{algorithm:?}: {groups:?}");
            for (name, property) in properties {
                assert!(!property["title"].as_str().unwrap().is_empty(), "{name}");
                for (other, values) in property["x-when"].as_object().into_iter().flatten() {
                    let allowed = properties[other]["enum"].as_array().unwrap();
                    assert!(values.as_array().unwrap().iter().all(|value| allowed.contains(value)), "{name}");
                }
            }
        }
        let first = json_schema(Algorithm::GradientBoosting)["properties"]["n_rounds"].clone();
        assert_eq!((&first["x-order"], &first["x-group"]), (&json!(1), &json!("model")));
    }

    #[test]
    fn the_defaults_of_every_algorithm_pass_its_own_bounds() {
        for algorithm in Algorithm::ALL {
            let defaults = Params::parse(algorithm, &Map::new()).unwrap();
            assert_eq!(Params::parse(algorithm, defaults.as_map()).unwrap(), defaults);
        }
    }
}
