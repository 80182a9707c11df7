//! The body of `POST /training`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use trainyard_domain::params::Params;
use trainyard_domain::spec::{DEFAULT_DATASET, DEFAULT_TARGET, Draft, LearningOptions, MAX_FEATURES, OnLeak};
use trainyard_domain::{Algorithm, AutoPromote, Dtype, PromotionMetric, TaskKind};
use trainyard_http::integer;
use trainyard_http::json::unique_map;
use utoipa::ToSchema;
use utoipa::openapi::{Array, ArrayBuilder, ObjectBuilder, Type};

use crate::schemas::algorithm::AlgorithmName;
use crate::schemas::column::DtypeView;
use crate::schemas::learning::{LabelValue, OnLeakName, PromotionMetricName, TaskName};
use crate::schemas::spec::ParamValue;

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
    /// The model to train a version of.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub name: String,
    /// The name of an algorithm; `GET /algorithms` lists all.
    #[schema(value_type = AlgorithmName)]
    pub algorithm: String,
    /// The features: distinct columns without the target. `["*"]` selects every usable column but the target.
    #[schema(schema_with = features)]
    pub features: Vec<String>,
    /// The training dataset, in its newest version; `titanic` when left out.
    pub dataset: Option<String>,
    /// The column to predict; `survived` when left out. Required for datasets other than `titanic`.
    pub target: Option<String>,
    /// Parameters of the algorithm. A parameter that is left out has its default.
    #[serde(default, deserialize_with = "unique_map")]
    #[schema(value_type = HashMap<String, ParamValue>)]
    pub params: Map<String, Value>,
    /// `classification` or `regression`. When left out, a target of more than 20 different numbers means regression.
    #[schema(value_type = Option<TaskName>)]
    pub task: Option<TaskKind>,
    /// The label whose probability is `prob`, for targets with two classes. When left out: `true`, `1` or `yes`, else the
    /// rarer class if the labels are strings, else the last label in class order. The metrics name it.
    #[schema(value_type = Option<LabelValue>)]
    pub positive_class: Option<Value>,
    /// Types that replace those of the dataset for this job, by column: `number`, `category`, `boolean`, `datetime` or
    /// `text`.
    #[serde(default)]
    #[schema(value_type = HashMap<String, DtypeView>)]
    pub column_types: BTreeMap<String, Dtype>,
    /// What happens to features that contain the target: `warn` uses them, `drop` leaves them out, `refuse` refuses the
    /// job. `warn` when left out.
    #[schema(value_type = Option<OnLeakName>)]
    pub on_leak: Option<OnLeak>,
    /// The priority; 0 when left out. Jobs with a higher priority run first.
    #[serde(default, deserialize_with = "integer::i64")]
    #[schema(minimum = -10, maximum = 10)]
    pub priority: i64,
    /// The job does not run before this time.
    pub run_at: Option<DateTime<Utc>>,
    /// The condition under which the new version gets the alias `production`. Left out, only the first version of a model gets it,
    /// unless the server is set to promote every version (`worker.auto_promote`).
    pub auto_promote: Option<AutoPromoteRequest>,
    /// Most attempts, if the job fails with retryable errors; 3 when left out.
    #[serde(default = "default_max_attempts", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 20)]
    pub max_attempts: i64,
    /// The time limit of a run, in seconds; 3,600 when left out.
    #[serde(default = "default_timeout_s", deserialize_with = "integer::i64")]
    #[schema(minimum = 1, maximum = 86_400)]
    pub timeout_s: i64,
    /// Receives a signed event by `POST` when the job ends (Standard Webhooks). An https URL with a public address.
    #[schema(max_length = 2048, format = "uri")]
    pub webhook_url: Option<String>,
    /// The seed of all random numbers; 42 when left out. The same seed and data give the same model.
    #[serde(default = "default_seed", deserialize_with = "integer::bounded_u64")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub seed: u64,
}

/// A guarded promotion: the new version gets the alias `production` if its metric on the held-out part is better than that of the
/// version that `production` points at. The first version of a model always gets it.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metric": "roc_auc", "min_improvement": 0.0}))]
pub struct AutoPromoteRequest {
    /// The metric: a higher one is better, except for `log_loss`, `rmse` and `mae`.
    #[schema(value_type = PromotionMetricName)]
    pub metric: PromotionMetric,
    /// The least improvement, in the unit of the metric; 0 when left out. An equal version is not better.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub min_improvement: f64,
}

impl From<AutoPromoteRequest> for AutoPromote {
    fn from(request: AutoPromoteRequest) -> Self {
        // -0.0 has the same meaning as 0.
        Self { metric: request.metric, min_improvement: request.min_improvement + 0.0 }
    }
}

fn features() -> Array {
    let column = ObjectBuilder::new().schema_type(Type::String);
    let list = ArrayBuilder::new().items(column).unique_items(true).min_items(Some(1)).max_items(Some(MAX_FEATURES));
    let about =
        "The features: distinct columns without the target. `[\"*\"]` selects every usable column but the target.";
    list.description(Some(about)).build()
}

fn default_max_attempts() -> i64 {
    3
}

fn default_timeout_s() -> i64 {
    3_600
}

fn default_seed() -> u64 {
    42
}

impl TrainingRequest {
    /// Fills in the defaults. Requests with the same meaning become equal.
    pub(crate) fn complete(self) -> CompleteRequest {
        let dataset = self.dataset.unwrap_or_else(|| DEFAULT_DATASET.to_owned());
        // Other datasets have no default target. The validator refuses an empty one.
        let default_target = if dataset == DEFAULT_DATASET { DEFAULT_TARGET } else { "" };
        let known = Algorithm::parse(&self.algorithm);
        let params = known.and_then(|algorithm| Params::parse(algorithm, &self.params).ok());
        let draft = Draft {
            name: self.name,
            algorithm: self.algorithm,
            features: self.features,
            target: self.target.unwrap_or_else(|| default_target.to_owned()),
            // Invalid parameters stay as they are, so that the validator names them.
            params: params.map_or(self.params, Params::into_map),
            learning: LearningOptions {
                task: self.task,
                positive_class: self.positive_class,
                column_types: self.column_types,
                on_leak: self.on_leak.unwrap_or_default(),
            },
            priority: self.priority,
            run_at: self.run_at,
            auto_promote: self.auto_promote.map(AutoPromote::from),
            max_attempts: self.max_attempts,
            timeout_s: self.timeout_s,
            webhook_url: self.webhook_url,
            seed: self.seed,
        };
        CompleteRequest { dataset, draft }
    }
}

/// A training request with all defaults that do not depend on the dataset.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CompleteRequest {
    /// The name of the dataset, which may not exist.
    pub(crate) dataset: String,
    #[serde(flatten)]
    pub(crate) draft: Draft,
}

impl CompleteRequest {
    /// SHA-256 of the request, hexadecimal. White space, the order of keys, explicit defaults and the notation of numbers
    /// do not change the digest.
    pub(crate) fn digest(&self) -> String {
        // Maps are sorted, and every field can be serialized: the digest is deterministic and can't fail.
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
    fn requests_with_the_same_meaning_have_the_same_digest() {
        let plain = request(json!({})).digest();
        let same = [
            json!({"dataset": "titanic"}),
            json!({"dataset": null, "target": null, "run_at": null, "webhook_url": null}),
            json!({"target": "survived", "dataset": "titanic"}),
            json!({"params": {}, "priority": 0, "max_attempts": 3, "timeout_s": 3600, "seed": 42}),
            json!({"priority": 0.0, "max_attempts": 3.0, "timeout_s": 3.6e3, "seed": 42.0}),
            json!({"params": {"c": 1, "kernel": "rbf", "gamma": null, "degree": 3.0, "test_size": 0.2}}),
            json!({"params": {"degree": 3, "c": 1.0}}),
            json!({"task": null, "positive_class": null, "column_types": {}, "on_leak": "warn"}),
            json!({"auto_promote": null}),
        ];
        for more in same {
            assert_eq!(request(more.clone()).digest(), plain, "{more}");
        }
    }

    #[test]
    fn different_requests_have_different_digests() {
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
            json!({"task": "classification"}),
            json!({"positive_class": false}),
            json!({"column_types": {"sex": "text"}}),
            json!({"on_leak": "drop"}),
            json!({"auto_promote": {"metric": "f1"}}),
            json!({"auto_promote": {"metric": "f1", "min_improvement": 0.1}}),
        ];
        let digests: std::collections::HashSet<_> =
            different.iter().map(|more| request(more.clone()).digest()).collect();
        assert_eq!(digests.len(), different.len());
    }

    #[test]
    fn the_digest_does_not_depend_on_the_time_zone_of_run_at() {
        let at = |time: &str| request(json!({"run_at": time})).digest();
        assert_eq!(at("2026-01-01T12:00:00Z"), at("2026-01-01T13:00:00.000+01:00"));
    }

    #[test]
    fn only_the_built_in_dataset_has_a_default_target() {
        assert_eq!(request(json!({})).draft.target, "survived");
        assert_eq!(request(json!({"dataset": "titanic"})).draft.target, "survived");
        assert_eq!(request(json!({"dataset": "mine"})).draft.target, "");
    }
}
