//! `POST /training` as clients send it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;
use trainyard_domain::spec::{DEFAULT_DATASET, DEFAULT_TARGET, Draft, MAX_FEATURES};
use trainyard_http::json::unique_map;
use trainyard_http::whole;
use utoipa::ToSchema;
use utoipa::openapi::{Array, ArrayBuilder, ObjectBuilder, Type};

use crate::views::algorithm::AlgorithmName;
use crate::views::spec::ParamValue;

/// What to train. `name`, `algorithm` and `features` are required.
// No field has the keyword `default`: client generators read such a field as required.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "titanic-rf", "algorithm": "random_forest", "features": ["sex", "age", "pclass"],
    "dataset": "titanic", "target": "survived", "params": {"n_trees": 200},
    "priority": 0, "run_at": null, "max_attempts": 3, "timeout_s": 3600, "webhook_url": null, "seed": 42
}))]
pub struct TrainingRequest {
    /// The model to make a version of.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub name: String,
    /// One of `GET /algorithms`.
    #[schema(value_type = AlgorithmName)]
    pub algorithm: String,
    /// Columns to learn from: no repeats, not the target. `["*"]` means every usable column but the target.
    #[schema(schema_with = features)]
    pub features: Vec<String>,
    /// The data set to train on, in its newest version; `titanic` when left out.
    pub dataset: Option<String>,
    /// The column to predict; required when a data set other than `titanic` is named.
    pub target: Option<String>,
    /// Parameters of the algorithm; those left out have their defaults.
    #[serde(default, deserialize_with = "unique_map")]
    #[schema(value_type = HashMap<String, ParamValue>)]
    pub params: Map<String, Value>,
    /// Higher runs first; 0 when left out.
    #[serde(default, deserialize_with = "whole::i64")]
    #[schema(minimum = -10, maximum = 10)]
    pub priority: i64,
    /// Not before then.
    pub run_at: Option<DateTime<Utc>>,
    /// How often the job's own retryable failures are tried; 3 when left out.
    #[serde(default = "three", deserialize_with = "whole::i64")]
    #[schema(minimum = 1, maximum = 20)]
    pub max_attempts: i64,
    /// Longest run in seconds; 3,600 when left out.
    #[serde(default = "an_hour", deserialize_with = "whole::i64")]
    #[schema(minimum = 1, maximum = 86_400)]
    pub timeout_s: i64,
    /// Gets a signed event by `POST` when the job ends (Standard Webhooks). https, in the public internet.
    #[schema(max_length = 2048, format = "uri")]
    pub webhook_url: Option<String>,
    /// Fixes every random draw: the same seed and data make the same model. 42 when left out.
    #[serde(default = "forty_two", deserialize_with = "whole::bounded_u64")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub seed: u64,
}

fn features() -> Array {
    let column = ObjectBuilder::new().schema_type(Type::String);
    let list = ArrayBuilder::new().items(column).unique_items(true).min_items(Some(1)).max_items(Some(MAX_FEATURES));
    let about =
        "Columns to learn from: no repeats, not the target. `[\"*\"]` means every usable column but the target.";
    list.description(Some(about)).build()
}

fn three() -> i64 {
    3
}

fn an_hour() -> i64 {
    3_600
}

fn forty_two() -> u64 {
    42
}

impl TrainingRequest {
    /// The request with its defaults filled in: two requests that mean the same become equal here.
    pub(crate) fn complete(self) -> CompleteRequest {
        let dataset = self.dataset.unwrap_or_else(|| DEFAULT_DATASET.to_owned());
        // Other datasets have no default; the validator asks for the name then.
        let default_target = if dataset == DEFAULT_DATASET { DEFAULT_TARGET } else { "" };
        let known = Algorithm::parse(&self.algorithm);
        let params = known.and_then(|algorithm| Params::parse(algorithm, &self.params).ok());
        let draft = Draft {
            name: self.name,
            algorithm: self.algorithm,
            features: self.features,
            target: self.target.unwrap_or_else(|| default_target.to_owned()),
            // Those that are refused stay as they were sent, for the validator to name.
            params: params.map_or(self.params, Params::into_map),
            priority: self.priority,
            run_at: self.run_at,
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            webhook_url: self.webhook_url,
            seed: self.seed,
        };
        CompleteRequest { dataset, draft }
    }
}

/// A training request with every default filled in that does not depend on the dataset.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CompleteRequest {
    /// The dataset that is named, whether or not it exists.
    pub(crate) dataset: String,
    /// The rest.
    #[serde(flatten)]
    pub(crate) draft: Draft,
}

impl CompleteRequest {
    /// SHA-256 (hex) of what is asked for: spacing, the order of keys, spelled-out defaults and the spelling of numbers
    /// make no difference.
    pub(crate) fn digest(&self) -> String {
        // Maps are sorted and every field has a JSON form, so this can't fail and is the same each time.
        hex::encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(more: Value) -> CompleteRequest {
        let mut body = json!({"name": "m", "algorithm": "svm", "features": ["sex", "age"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<TrainingRequest>(body).unwrap().complete()
    }

    #[test]
    fn requests_that_mean_the_same_have_one_digest() {
        let plain = request(json!({})).digest();
        let same = [
            json!({"dataset": "titanic"}),
            json!({"dataset": null, "target": null, "run_at": null, "webhook_url": null}),
            json!({"target": "survived", "dataset": "titanic"}),
            json!({"params": {}, "priority": 0, "max_attempts": 3, "timeout_s": 3600, "seed": 42}),
            json!({"priority": 0.0, "max_attempts": 3.0, "timeout_s": 3.6e3, "seed": 42.0}),
            json!({"params": {"c": 1, "kernel": "rbf", "gamma": null, "degree": 3.0, "test_size": 0.2}}),
            json!({"params": {"degree": 3, "c": 1.0}}),
        ];
        for more in same {
            assert_eq!(request(more.clone()).digest(), plain, "{more}");
        }
    }

    #[test]
    fn requests_that_differ_have_digests_of_their_own() {
        let different = [
            json!({}),
            json!({"features": ["age", "sex"]}),
            json!({"features": ["*"]}),
            json!({"seed": 43}),
            json!({"params": {"c": 2}}),
            json!({"params": {"unknown": 1}}),
            json!({"dataset": "mine", "target": "survived"}),
            json!({"target": "sex"}),
            json!({"run_at": "2026-01-01T00:00:00Z"}),
            json!({"webhook_url": "https://example.com"}),
        ];
        let digests: std::collections::HashSet<_> =
            different.iter().map(|more| request(more.clone()).digest()).collect();
        assert_eq!(digests.len(), different.len());
    }

    #[test]
    fn a_time_is_the_same_in_every_zone() {
        let at = |time: &str| request(json!({"run_at": time})).digest();
        assert_eq!(at("2026-01-01T12:00:00Z"), at("2026-01-01T13:00:00.000+01:00"));
    }

    #[test]
    fn the_target_has_a_default_on_the_built_in_dataset_alone() {
        assert_eq!(request(json!({})).draft.target, "survived");
        assert_eq!(request(json!({"dataset": "titanic"})).draft.target, "survived");
        assert_eq!(request(json!({"dataset": "mine"})).draft.target, "");
    }
}
