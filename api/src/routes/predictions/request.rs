//! The body of `POST /predictions`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trainyard_domain::spec::{OutputColumns, OutputFormat, PredictionDraft};
use trainyard_domain::{FieldError, JobKind, PRODUCTION};
use trainyard_http::integer;
use utoipa::ToSchema;

use crate::schemas::spec::{OutputColumnsName, OutputFormatName};

/// What to predict. `model` and `dataset` are required.
// No field has the keyword `default`: client generators read such a field as required.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "titanic-rf", "dataset": "titanic", "columns": "all"}))]
pub struct PredictionRequest {
    /// The model.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub model: String,
    /// A version of the model; not together with `alias`.
    #[serde(default, deserialize_with = "integer::optional_i64")]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// An alias of the model, which is resolved now: moving it later does not change the job. `production` when this and
    /// `version` are left out.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub alias: Option<String>,
    /// The dataset whose rows are predicted, in its newest version.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub dataset: String,
    /// The columns of the dataset in the result: `all`, before the predictions, or `none`. `all` when left out.
    #[schema(value_type = Option<OutputColumnsName>)]
    pub columns: Option<OutputColumns>,
    /// The format of the result: `csv`, also when left out.
    #[schema(value_type = Option<OutputFormatName>)]
    pub output: Option<OutputFormat>,
    /// The priority; 0 when left out. Jobs with a higher priority run first.
    #[serde(default, deserialize_with = "integer::i64")]
    #[schema(minimum = -10, maximum = 10)]
    pub priority: i64,
    /// The job does not run before this time.
    pub run_at: Option<DateTime<Utc>>,
    /// Most attempts, if the job fails with retryable errors; 3 when left out.
    #[serde(default = "default_max_attempts", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 20)]
    pub max_attempts: i64,
    /// The time limit of a run, in seconds; 3,600 when left out. Another run continues after the rows that are stored.
    #[serde(default = "default_timeout_s", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 86_400)]
    pub timeout_s: i64,
    /// Receives a signed event by `POST` when the job ends (Standard Webhooks). An https URL with a public address.
    #[schema(max_length = 2048, format = "uri")]
    pub webhook_url: Option<String>,
}

fn default_max_attempts() -> i64 {
    3
}

fn default_timeout_s() -> i64 {
    3_600
}

impl PredictionRequest {
    /// Fills in the defaults. Requests with the same meaning become equal.
    ///
    /// # Errors
    /// The refused field, if both a version and an alias select the version.
    pub(crate) fn complete(self) -> Result<CompletePrediction, FieldError> {
        let selector = match (self.version, self.alias) {
            (Some(_), Some(_)) => {
                let message = "can't be combined with version, because each of them selects the version";
                return Err(FieldError::new("alias", message));
            }
            (Some(version), None) => Selector::Version(version),
            (None, alias) => Selector::Alias(alias.unwrap_or_else(|| PRODUCTION.to_owned())),
        };
        let draft = PredictionDraft {
            columns: self.columns.unwrap_or_default(),
            output: self.output.unwrap_or_default(),
            priority: self.priority,
            run_at: self.run_at,
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            webhook_url: self.webhook_url,
        };
        let model = ModelQuery { model: self.model, selector };
        Ok(CompletePrediction { kind: JobKind::Prediction, model, dataset: self.dataset, draft })
    }
}

/// A version of a model, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct ModelQuery {
    /// The name, which may be invalid.
    pub(crate) model: String,
    #[serde(flatten)]
    pub(crate) selector: Selector,
}

/// What selects the version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Selector {
    Version(i64),
    Alias(String),
}

/// A prediction request with all defaults.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CompletePrediction {
    /// Keeps the digests of trainings and predictions apart.
    kind: JobKind,
    #[serde(flatten)]
    pub(crate) model: ModelQuery,
    /// The name of the dataset, which may not exist.
    pub(crate) dataset: String,
    #[serde(flatten)]
    pub(crate) draft: PredictionDraft,
}

impl CompletePrediction {
    /// SHA-256 of the request, hexadecimal. White space, the order of keys, explicit defaults and the notation of numbers
    /// do not change the digest.
    pub(crate) fn digest(&self) -> String {
        // Every field can be serialized, so the digest can't fail.
        hex::encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request(more: Value) -> Result<CompletePrediction, FieldError> {
        let mut body = json!({"model": "m", "dataset": "d"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<PredictionRequest>(body).unwrap().complete()
    }

    #[test]
    fn requests_with_the_same_meaning_have_the_same_digest() {
        let digest = |more: Value| request(more).unwrap().digest();
        let plain = digest(json!({}));
        for same in [
            json!({"alias": "production", "version": null}),
            json!({"columns": "all", "output": "csv", "run_at": null}),
            json!({"priority": 0.0, "max_attempts": 3, "timeout_s": 3.6e3}),
        ] {
            assert_eq!(digest(same.clone()), plain, "{same}");
        }
        let mut different: Vec<_> = [
            json!({"version": 1}),
            json!({"version": 2}),
            json!({"alias": "candidate"}),
            json!({"columns": "none"}),
            json!({"dataset": "other"}),
            json!({"model": "other"}),
            json!({"priority": 1}),
        ]
        .map(digest)
        .into();
        different.push(plain);
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 8);
    }

    #[test]
    fn a_version_and_an_alias_are_refused_together() {
        assert_eq!(request(json!({"version": 1, "alias": "a"})).unwrap_err().field, "alias");
        assert_eq!(request(json!({"version": 2})).unwrap().model.selector, Selector::Version(2));
        assert_eq!(request(json!({})).unwrap().model.selector, Selector::Alias("production".into()));
    }
}
