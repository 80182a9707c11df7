//! The request body of `POST /inference` and its validation.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use trainyard_domain::FieldError;
use trainyard_http::integer;
use trainyard_http::json::UniqueMap;

use crate::registry::{Assignment, VersionSelector};

/// The largest integer that every JSON client supports.
const MAX_VERSION: i64 = (1 << 53) - 1;

/// A request with exactly one of `features` and `instances`. The schema is [`super::schemas::RequestBody`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InferenceRequest {
    /// The model; optional if there is exactly one model or a default model.
    model: Option<String>,
    /// A pinned version. Without it the alias selects the version, and without both the traffic of the model.
    #[serde(default, deserialize_with = "integer::optional_i64")]
    version: Option<i64>,
    /// The alias; not allowed together with `version`.
    alias: Option<String>,
    /// One row: feature names with numbers, booleans or strings; `null` or a missing name means a missing value.
    features: Option<UniqueMap>,
    /// Many rows; the predictions have the same order.
    instances: Option<Vec<UniqueMap>>,
    /// Whether the contributions of the features are answered.
    explain: Option<bool>,
}

/// A valid request for one row without an explanation, borrowed from the body. [`InferenceRequest`] reads all other requests, and
/// reports what is invalid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowRequest<'a> {
    #[serde(borrow)]
    model: Option<&'a str>,
    #[serde(default, deserialize_with = "integer::optional_i64")]
    version: Option<i64>,
    #[serde(borrow)]
    alias: Option<&'a str>,
    /// The value of `features`.
    #[serde(borrow)]
    pub(crate) features: &'a RawValue,
    explain: Option<bool>,
}

impl<'a> RowRequest<'a> {
    /// Reads a body. `None` if the body is another or an invalid request.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        // serde would also accept a JSON array with the fields in their order.
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return None;
        }
        let request: Self = serde_json::from_slice(body).ok()?;
        let is_valid = request.explain != Some(true)
            && request.version.is_none_or(|version| (1..=MAX_VERSION).contains(&version) && request.alias.is_none());
        is_valid.then_some(request)
    }

    /// As [`ValidRequest::selector`].
    pub(crate) fn selector(&self, key: Option<&'a [u8]>) -> VersionSelector<'a> {
        let assignment = Assignment::of(key);
        VersionSelector { model: self.model, version: self.version, alias: self.alias, assignment }
    }
}

/// The rows of a request.
#[derive(Debug)]
pub(crate) enum Rows {
    /// `features`.
    One(Map<String, Value>),
    /// `instances`.
    Many(Vec<Map<String, Value>>),
}

impl Rows {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(rows) => rows.len(),
        }
    }
}

/// A validated request.
#[derive(Debug)]
pub(crate) struct ValidRequest {
    model: Option<String>,
    version: Option<i64>,
    alias: Option<String>,
    /// The rows to predict.
    pub(crate) rows: Rows,
    /// Whether each prediction is explained.
    pub(crate) explain: bool,
}

/// Maximum numbers of rows in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowLimits {
    /// Without explanations.
    pub(crate) predicted: usize,
    /// With explanations.
    pub(crate) explained: usize,
}

impl ValidRequest {
    /// The version that the request selects, with the request key of its header.
    pub(crate) fn selector<'a>(&'a self, key: Option<&'a [u8]>) -> VersionSelector<'a> {
        VersionSelector {
            model: self.model.as_deref(),
            version: self.version,
            alias: self.alias.as_deref(),
            assignment: Assignment::of(key),
        }
    }
}

impl InferenceRequest {
    /// Validates the request.
    pub(crate) fn check(self, limits: RowLimits) -> Result<ValidRequest, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError::new(field, message));
        let explain = self.explain == Some(true);
        if self.version.is_some_and(|version| !(1..=MAX_VERSION).contains(&version)) {
            refuse("version", format!("must be from 1 to {MAX_VERSION}"));
        }
        if self.version.is_some() && self.alias.is_some() {
            refuse("alias", "can't be combined with version, because each of them selects the version".into());
        }
        let rows = match (self.features, self.instances) {
            (Some(UniqueMap(row)), None) => Some(Rows::One(row)),
            (None, Some(rows)) if rows.is_empty() => {
                refuse("instances", "must contain at least one row".into());
                None
            }
            (None, Some(rows)) if rows.len() > limits.predicted => {
                let (most, found) = (limits.predicted, rows.len());
                refuse("instances", format!("must contain at most {most} rows, but contains {found}"));
                None
            }
            (None, Some(rows)) if explain && rows.len() > limits.explained => {
                let (most, found) = (limits.explained, rows.len());
                refuse(
                    "explain",
                    format!(
                        "is possible for at most {most} rows (inference.max_explained_instances), but instances contains \
                         {found}"
                    ),
                );
                None
            }
            (None, Some(rows)) => Some(Rows::Many(rows.into_iter().map(|UniqueMap(row)| row).collect())),
            (Some(_), Some(_)) => {
                refuse("instances", "can't be combined with features".into());
                None
            }
            (None, None) => {
                refuse("features", "is required: an object with one row (or `instances` with many rows)".into());
                None
            }
        };
        match rows {
            Some(rows) if errors.is_empty() => {
                Ok(ValidRequest { model: self.model, version: self.version, alias: self.alias, rows, explain })
            }
            _ => Err(errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIMITS: RowLimits = RowLimits { predicted: 3, explained: 1 };

    fn refused(body: Value) -> Vec<String> {
        let request: InferenceRequest = serde_json::from_value(body).unwrap();
        request.check(LIMITS).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn exactly_one_of_features_and_instances() {
        assert_eq!(refused(json!({})), ["features"]);
        assert_eq!(refused(json!({"features": {}, "instances": [{}]})), ["instances"]);
        assert_eq!(refused(json!({"instances": []})), ["instances"]);
        assert_eq!(refused(json!({"instances": [{}, {}, {}, {}]})), ["instances"]);
        assert_eq!(refused(json!({"instances": [{}, {}], "explain": true})), ["explain"]);
    }

    #[test]
    fn all_invalid_fields_are_reported_together() {
        let body = json!({"version": 0, "alias": "canary", "instances": []});
        assert_eq!(refused(body), ["version", "alias", "instances"]);
    }

    #[test]
    fn a_row_is_borrowed_only_from_a_valid_request() {
        let body = br#" {"features": {"a": 1}, "model": "m", "version": 2.0, "explain": false}"#;
        let request = RowRequest::parse(body).unwrap();
        let selector = request.selector(Some(b"k"));
        assert_eq!((selector.model, selector.version, selector.alias), (Some("m"), Some(2), None));
        assert_eq!(request.features.get(), r#"{"a": 1}"#);
        for other in [
            r#"["m", 2, null, {}]"#,
            r#"{"features": {}, "explain": true}"#,
            r#"{"features": {}, "version": 0}"#,
            r#"{"features": {}, "version": 1, "alias": "a"}"#,
            r#"{"features": {}, "features": {}}"#,
            r#"{"features": {}, "instances": []}"#,
            r#"{"features": {}, "model": "\u006d"}"#,
            r#"{"features": {"#,
            r#"{"instances": [{}]}"#,
            "",
        ] {
            assert!(RowRequest::parse(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_valid_request_selects_a_version() {
        let body = json!({"model": "m", "version": 2, "explain": false, "instances": [{"a": 1}, {}]});
        let request: InferenceRequest = serde_json::from_value(body).unwrap();
        let request = request.check(LIMITS).unwrap();
        let selector = request.selector(None);
        assert_eq!((selector.model, selector.version, selector.alias), (Some("m"), Some(2), None));
        assert_eq!((request.rows.len(), request.explain), (2, false));
    }
}
