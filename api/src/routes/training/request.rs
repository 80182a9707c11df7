//! `POST /training` as clients send it.

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use trainyard_domain::spec::{DEFAULT_DATASET, DEFAULT_TARGET, Draft};
use trainyard_domain::{FieldError, webhook};
use utoipa::ToSchema;

/// The last year that every database and every client can write.
const LAST_YEAR: i32 = 9999;

/// What to train. `name`, `algorithm` and `features` are required.
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
    pub algorithm: String,
    /// Columns to learn from: no repeats, not the target. `["*"]` means every usable column but the target.
    pub features: Vec<String>,
    /// The data set to train on, in its newest version; `titanic` when left out.
    #[schema(default = "titanic")]
    pub dataset: Option<String>,
    /// The column to predict; required when a data set other than `titanic` is named.
    #[schema(default = "survived")]
    pub target: Option<String>,
    /// Parameters of the algorithm; those left out have their defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub params: Map<String, Value>,
    /// Higher runs first.
    #[serde(default)]
    #[schema(minimum = -10, maximum = 10)]
    pub priority: i64,
    /// Not before then.
    pub run_at: Option<DateTime<Utc>>,
    /// How often the job's own retryable failures are tried.
    #[serde(default = "three")]
    #[schema(minimum = 1, maximum = 20, default = 3)]
    pub max_attempts: i64,
    /// Longest run in seconds.
    #[serde(default = "an_hour")]
    #[schema(minimum = 1, maximum = 86_400, default = 3_600)]
    pub timeout_s: i64,
    /// Is told how the job ended: `POST` of a signed event (Standard Webhooks). https, in the public internet.
    #[schema(max_length = 2048)]
    pub webhook_url: Option<String>,
    /// Fixes every random draw: the same seed and data make the same model.
    #[serde(default = "forty_two")]
    #[schema(default = 42)]
    pub seed: u64,
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
    /// SHA-256 (hex) of what is asked for: spacing, the order of keys and spelled-out defaults make no difference.
    pub(crate) fn digest(&self) -> String {
        // Maps are sorted and every field has a JSON form, so this can't fail and is the same each time.
        hex::encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    /// The name of the data set it asks for.
    pub(crate) fn dataset(&self) -> &str {
        self.dataset.as_deref().unwrap_or(DEFAULT_DATASET)
    }

    /// The draft for the domain to check, and what is refused already.
    pub(crate) fn draft(self, webhooks: webhook::Rules) -> (Draft, Vec<FieldError>) {
        let mut refused = Vec::new();
        if let Some(Err(message)) = self.webhook_url.as_deref().map(|url| webhooks.check(url)) {
            refused.push(FieldError::new("webhook_url", message));
        }
        if self.run_at.is_some_and(|run_at| run_at.year() > LAST_YEAR) {
            refused.push(FieldError::new("run_at", "must be before the year 10000"));
        }
        let target = match self.target {
            None if self.dataset.as_deref().is_none_or(|dataset| dataset == DEFAULT_DATASET) => {
                DEFAULT_TARGET.to_owned()
            }
            None => {
                refused.push(FieldError::new("target", "is required when a data set is named"));
                String::new()
            }
            Some(target) => target,
        };
        let draft = Draft {
            name: self.name,
            algorithm: self.algorithm,
            features: self.features,
            target,
            params: self.params,
            priority: self.priority,
            run_at: self.run_at,
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            webhook_url: self.webhook_url,
            seed: self.seed,
        };
        (draft, refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(more: Value) -> TrainingRequest {
        let mut body = json!({"name": "m", "algorithm": "svm", "features": ["sex"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    fn refused(more: Value) -> Vec<String> {
        request(more).draft(webhook::Rules::default()).1.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn the_digest_is_of_the_meaning_not_of_the_spelling() {
        let plain = request(json!({})).digest();
        assert_eq!(plain, request(json!({"seed": 42, "run_at": null, "params": {}})).digest());
        assert_ne!(plain, request(json!({"seed": 43})).digest());
        let a: TrainingRequest =
            serde_json::from_str(r#"{"features":["a"],"params":{"b":1,"a":2},"name":"m","algorithm":"x"}"#).unwrap();
        let b: TrainingRequest =
            serde_json::from_str(r#"{"name":"m", "algorithm":"x","features":["a"],"params":{"a":2,"b":1}}"#).unwrap();
        assert_eq!(a.digest(), b.digest());
    }

    #[test]
    fn the_target_has_a_default_on_the_built_in_data_set_alone() {
        assert_eq!(request(json!({})).draft(webhook::Rules::default()).0.target, "survived");
        assert!(refused(json!({"dataset": "titanic"})).is_empty());
        assert_eq!(refused(json!({"dataset": "mine"})), ["target"]);
        assert!(refused(json!({"dataset": "mine", "target": "y"})).is_empty());
    }

    #[test]
    fn webhooks_without_a_secret_and_far_futures_are_refused() {
        assert_eq!(
            refused(json!({"webhook_url": "https://example.com", "run_at": "+10000-01-01T00:00:00Z"})),
            ["webhook_url", "run_at"]
        );
    }
}
