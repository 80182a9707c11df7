//! The traffic of a model: which versions answer requests that name neither a version nor an alias, and which versions get
//! copies of these requests.

mod assignment;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::field::{FieldError, shown};

pub use assignment::{assign, draw_of_key, random_draw, uniform};

/// Maximum weight of a version, and maximum sum of the weights of a model.
pub const MAX_WEIGHT: i64 = 1_000_000;
/// Maximum number of versions with a weight. All of them stay loaded.
pub const MAX_WEIGHTED: usize = 16;
/// Maximum number of shadow versions. Each of them predicts every request.
pub const MAX_SHADOWS: usize = 4;

/// The traffic of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// The weight of each version that answers requests. Without weights the alias `production` selects the version.
    pub weights: BTreeMap<i64, u32>,
    /// Versions that get copies of the requests. Their predictions are compared and never returned.
    pub shadow: BTreeSet<i64>,
}

impl Traffic {
    /// Reads the fields `versions` and `shadow` of a request. Returns the valid entries, and one error for each invalid one.
    pub fn parse(versions: &Map<String, Value>, shadow: &[i64]) -> (Self, Vec<FieldError>) {
        let (mut traffic, mut errors) = (Self::default(), Vec::new());
        for (text, weight) in versions {
            match (parse_version(text), parse_weight(weight)) {
                (Some(version), Some(weight)) => {
                    traffic.weights.insert(version, weight);
                }
                (None, _) => errors.push(weight_error(text, "is not a version: versions are numbers from 1")),
                (_, None) => {
                    errors.push(weight_error(text, &format!("must be a whole number from 1 to {MAX_WEIGHT}")));
                }
            }
        }
        let mut refuse = |field: &str, message: String| errors.push(FieldError::new(field, message));
        if versions.len() > MAX_WEIGHTED {
            let found = versions.len();
            refuse("versions", format!("must have at most {MAX_WEIGHTED} versions, but has {found}"));
        }
        let sum: i64 = traffic.weights.values().copied().map(i64::from).sum();
        if sum > MAX_WEIGHT {
            refuse("versions", format!("must have weights with a sum of at most {MAX_WEIGHT}, but the sum is {sum}"));
        }
        if shadow.len() > MAX_SHADOWS {
            let found = shadow.len();
            refuse("shadow", format!("must have at most {MAX_SHADOWS} versions, but has {found}"));
        }
        for (i, version) in shadow.iter().enumerate() {
            if *version < 1 {
                refuse(&format!("shadow[{i}]"), "is not a version: versions are numbers from 1".into());
            } else if traffic.weights.contains_key(version) {
                refuse(
                    &format!("shadow[{i}]"),
                    format!("{version} has a weight in versions; it can't compare with itself"),
                );
            } else if !traffic.shadow.insert(*version) {
                refuse(&format!("shadow[{i}]"), format!("{version} is listed twice"));
            }
        }
        if versions.is_empty() && shadow.is_empty() {
            refuse("versions", "must have at least one version, unless shadow has one".into());
        }
        (traffic, errors)
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty() && self.shadow.is_empty()
    }

    /// Every version, once.
    pub fn versions(&self) -> BTreeSet<i64> {
        self.weights.keys().chain(&self.shadow).copied().collect()
    }

    /// One error for each version in `missing`, which does not exist.
    pub fn missing_errors(&self, missing: &BTreeSet<i64>, shadow: &[i64], model: &str) -> Vec<FieldError> {
        let message = format!("is not a version of {model}");
        let weighted = self.weights.keys().filter(|version| missing.contains(version));
        let weighted = weighted.map(|version| FieldError::new(format!("versions.{version}"), message.clone()));
        let copied = shadow.iter().enumerate().filter(|(_, version)| missing.contains(version));
        let copied = copied.map(|(i, _)| FieldError::new(format!("shadow[{i}]"), message.clone()));
        weighted.chain(copied).collect()
    }

    /// The versions with a weight as text: `3 and 4`.
    pub fn weighted_list(&self) -> String {
        let names: Vec<_> = self.weights.keys().map(i64::to_string).collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => String::new(),
        }
    }
}

/// A version number without a sign and without leading zeros, so that no version has two names.
fn parse_version(text: &str) -> Option<i64> {
    text.parse().ok().filter(|version: &i64| *version > 0 && version.to_string() == text)
}

/// JSON Schema counts `2.0` as a whole number.
fn parse_weight(value: &Value) -> Option<u32> {
    let whole = value.as_f64().filter(|number| number.fract() == 0.0)?;
    (1.0..=MAX_WEIGHT as f64).contains(&whole).then_some(whole as u32)
}

fn weight_error(version: &str, message: &str) -> FieldError {
    FieldError::new(format!("versions.{}", shown(version)), message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(versions: Value, shadow: &[i64]) -> Result<Traffic, Vec<String>> {
        let (traffic, errors) = Traffic::parse(versions.as_object().unwrap(), shadow);
        if errors.is_empty() { Ok(traffic) } else { Err(errors.into_iter().map(|error| error.field).collect()) }
    }

    #[test]
    fn weights_and_shadows_are_read() {
        let traffic = parse(json!({"3": 90, "4": 10.0}), &[5]).unwrap();
        assert_eq!(traffic.weights, BTreeMap::from([(3, 90), (4, 10)]));
        assert_eq!((traffic.versions(), traffic.weighted_list()), (BTreeSet::from([3, 4, 5]), "3 and 4".into()));
        assert!(parse(json!({}), &[5]).unwrap().weights.is_empty(), "production answers");
        assert!(parse(json!({"1": MAX_WEIGHT}), &[]).is_ok());
    }

    #[test]
    fn every_invalid_entry_is_refused_by_name() {
        let fields = |versions: Value, shadow: &[i64]| parse(versions, shadow).unwrap_err();
        assert_eq!(fields(json!({}), &[]), ["versions"]);
        for version in ["x", "0", "-1", "+1", "01", "1.0", ""] {
            assert_eq!(fields(json!({version: 1}), &[]), [format!("versions.{version}")]);
        }
        for weight in [json!(0), json!(-1), json!(1.5), json!(1_000_001), json!("1"), json!(null), json!(1e300)] {
            assert_eq!(fields(json!({"2": weight, "3": 1}), &[]), ["versions.2"], "{weight}");
        }
        assert_eq!(fields(json!({"1": 600_000, "2": 600_000}), &[]), ["versions"]);
        let many: Map<String, Value> = (1..=17).map(|version| (version.to_string(), json!(1))).collect();
        assert_eq!(fields(Value::Object(many), &[]), ["versions"]);
        assert_eq!(fields(json!({"1": 1}), &[2, 2, 1, 0]), ["shadow[1]", "shadow[2]", "shadow[3]"]);
        assert_eq!(fields(json!({}), &[1, 2, 3, 4, 5]), ["shadow"]);
    }

    #[test]
    fn missing_versions_are_named_by_their_fields() {
        let traffic = parse(json!({"1": 1, "2": 1}), &[7, 8]).unwrap();
        let errors = traffic.missing_errors(&BTreeSet::from([2, 8]), &[7, 8], "m");
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["versions.2", "shadow[1]"]);
    }

    #[test]
    fn stored_traffic_reads_back() {
        let traffic = parse(json!({"3": 90}), &[5]).unwrap();
        let text = serde_json::to_string(&traffic).unwrap();
        assert_eq!(serde_json::from_str::<Traffic>(&text).unwrap(), traffic, "{text}");
    }
}
