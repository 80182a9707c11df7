//! The body of `POST /inference`, and the rules between its fields.

use serde::Deserialize;
use serde_json::{Map, Value};
use trainyard_domain::FieldError;
use trainyard_http::integer;
use trainyard_http::json::UniqueMap;

use crate::registry::Pick;

/// The largest version that every JSON client can write.
const MAX_VERSION: i64 = (1 << 53) - 1;

/// One row, or many: exactly one of `features` and `instances`. Its schema is [`super::schemas::RequestBody`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InferenceRequest {
    /// The model; may be left out when there is exactly one, or a default is set.
    model: Option<String>,
    /// Pins a version; else the alias decides.
    #[serde(default, deserialize_with = "integer::optional_i64")]
    version: Option<i64>,
    /// The alias to follow, `production` unless said otherwise; not together with `version`.
    alias: Option<String>,
    /// One row, value by feature name. Numbers, booleans and texts; `null` or absence means missing.
    features: Option<UniqueMap>,
    /// Many rows, answered in this order.
    instances: Option<Vec<UniqueMap>>,
    /// Each feature's contribution: not available in this version.
    explain: Option<bool>,
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
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(rows) => rows.len(),
        }
    }
}

/// A request whose fields go together.
#[derive(Debug)]
pub(crate) struct Question {
    model: Option<String>,
    version: Option<i64>,
    alias: Option<String>,
    /// What to predict for.
    pub(crate) rows: Rows,
}

impl Question {
    /// Which version is wanted.
    pub(crate) fn pick(&self) -> Pick<'_> {
        Pick { model: self.model.as_deref(), version: self.version, alias: self.alias.as_deref() }
    }
}

impl InferenceRequest {
    /// Checks what the types can't say; at most `max_instances` rows are taken.
    pub(crate) fn check(self, max_instances: usize) -> Result<Question, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError::new(field, message));
        if self.explain == Some(true) {
            refuse("explain", "is not available in this version".into());
        }
        if self.version.is_some_and(|version| !(1..=MAX_VERSION).contains(&version)) {
            refuse("version", format!("must be from 1 to {MAX_VERSION}"));
        }
        if self.version.is_some() && self.alias.is_some() {
            refuse("alias", "must not be given together with version: each of them names the version to use".into());
        }
        let rows = match (self.features, self.instances) {
            (Some(UniqueMap(row)), None) => Some(Rows::One(row)),
            (None, Some(rows)) if rows.is_empty() => {
                refuse("instances", "must hold at least one row".into());
                None
            }
            (None, Some(rows)) if rows.len() > max_instances => {
                let found = rows.len();
                refuse("instances", format!("must hold at most {max_instances} rows; this request has {found}"));
                None
            }
            (None, Some(rows)) => Some(Rows::Many(rows.into_iter().map(|UniqueMap(row)| row).collect())),
            (Some(_), Some(_)) => {
                refuse("instances", "must not be given together with features: send one row or many".into());
                None
            }
            (None, None) => {
                refuse("features", "is required: one row as an object (or many rows as `instances`)".into());
                None
            }
        };
        match rows {
            Some(rows) if errors.is_empty() => {
                Ok(Question { model: self.model, version: self.version, alias: self.alias, rows })
            }
            _ => Err(errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: Value) -> Vec<String> {
        let request: InferenceRequest = serde_json::from_value(body).unwrap();
        request.check(2).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn exactly_one_of_features_and_instances() {
        assert_eq!(refused(json!({})), ["features"]);
        assert_eq!(refused(json!({"features": {}, "instances": [{}]})), ["instances"]);
        assert_eq!(refused(json!({"instances": []})), ["instances"]);
        assert_eq!(refused(json!({"instances": [{}, {}, {}]})), ["instances"]);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let body = json!({"explain": true, "version": 0, "alias": "canary", "features": {}});
        assert_eq!(refused(body), ["explain", "version", "alias"]);
    }

    #[test]
    fn a_good_request_says_what_it_picks() {
        let body = json!({"model": "m", "version": 2, "explain": false, "instances": [{"a": 1}, {}]});
        let request: InferenceRequest = serde_json::from_value(body).unwrap();
        let question = request.check(2).unwrap();
        assert_eq!((question.pick().model, question.pick().version, question.pick().alias), (Some("m"), Some(2), None));
        assert_eq!(question.rows.len(), 2);
    }
}
