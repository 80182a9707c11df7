//! The schema of a training request with all defaults, as in jobs and schedules.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use trainyard_domain::schedule::Template;
use trainyard_domain::spec::OnLeak;
use trainyard_domain::webhook::masked;
use trainyard_domain::{AutoPromote, Dtype, JobSpec, TaskKind};
use trainyard_http::schema::any_of_types;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::column::DtypeView;
use super::learning::{LabelValue, OnLeakName, PromotionMetricName, TaskName};

/// A training request with all defaults.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpecView {
    /// The model to train a version of.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The algorithm.
    #[schema(example = "random_forest")]
    pub algorithm: String,
    /// The features. A job has the expanded list; a schedule may have `["*"]`.
    #[schema(example = json!(["sex", "age", "pclass"]))]
    pub features: Vec<String>,
    /// The training dataset.
    #[schema(example = "titanic")]
    pub dataset: String,
    /// The version of the dataset of a job. A schedule has none: each run uses the newest version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    pub dataset_version: Option<i64>,
    /// The column to predict.
    #[schema(example = "survived")]
    pub target: String,
    /// Every parameter of the algorithm.
    #[schema(value_type = HashMap<String, ParamValue>)]
    pub params: Map<String, Value>,
    /// The task; `null` means that the target decides.
    #[schema(value_type = Option<TaskName>, required)]
    pub task: Option<TaskKind>,
    /// The requested positive class; `null` means the default.
    #[schema(value_type = Option<LabelValue>, required)]
    pub positive_class: Option<Value>,
    /// Types that replace those of the dataset, by column.
    #[schema(value_type = HashMap<String, DtypeView>)]
    pub column_types: BTreeMap<String, Dtype>,
    /// What happens to features that contain the target.
    #[schema(value_type = OnLeakName)]
    pub on_leak: OnLeak,
    /// The priority. Jobs with a higher priority run first.
    #[schema(example = 0)]
    pub priority: i64,
    /// The job does not run before this time.
    #[schema(required)]
    pub run_at: Option<DateTime<Utc>>,
    /// The condition of a guarded promotion; `null` without one.
    #[schema(required)]
    pub auto_promote: Option<AutoPromoteView>,
    /// Most attempts, if the job fails with retryable errors.
    #[schema(example = 3)]
    pub max_attempts: i64,
    /// The time limit of a run, in seconds.
    #[schema(example = 3600)]
    pub timeout_s: i64,
    /// The webhook URL, with its query masked. `null` for readers other than administrators and the owner.
    #[schema(required)]
    pub webhook_url: Option<String>,
    /// The seed of all random numbers.
    #[schema(example = 42)]
    pub seed: u64,
}

impl From<JobSpec> for SpecView {
    fn from(spec: JobSpec) -> Self {
        Self {
            name: spec.name.as_str().to_owned(),
            algorithm: spec.algorithm.as_str().to_owned(),
            features: spec.features,
            dataset: spec.dataset.as_str().to_owned(),
            dataset_version: Some(spec.dataset_version),
            target: spec.target,
            params: spec.params,
            task: spec.learning.task,
            positive_class: spec.learning.positive_class,
            column_types: spec.learning.column_types,
            on_leak: spec.learning.on_leak,
            priority: spec.priority,
            run_at: spec.run_at,
            auto_promote: spec.auto_promote.map(AutoPromoteView::from),
            max_attempts: spec.max_attempts,
            timeout_s: spec.timeout_s,
            webhook_url: spec.webhook_url.as_deref().map(masked),
            seed: spec.seed,
        }
    }
}

impl From<Template> for SpecView {
    fn from(Template { dataset, draft }: Template) -> Self {
        Self {
            name: draft.name,
            algorithm: draft.algorithm,
            features: draft.features,
            dataset: dataset.as_str().to_owned(),
            dataset_version: None,
            target: draft.target,
            params: draft.params,
            task: draft.learning.task,
            positive_class: draft.learning.positive_class,
            column_types: draft.learning.column_types,
            on_leak: draft.learning.on_leak,
            priority: draft.priority,
            run_at: draft.run_at,
            auto_promote: draft.auto_promote.map(AutoPromoteView::from),
            max_attempts: draft.max_attempts,
            timeout_s: draft.timeout_s,
            webhook_url: draft.webhook_url.as_deref().map(masked),
            seed: draft.seed,
        }
    }
}

/// The condition of a guarded promotion.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutoPromoteView {
    /// The metric of both versions.
    #[schema(value_type = PromotionMetricName, example = "roc_auc")]
    pub metric: &'static str,
    /// The least improvement, in the unit of the metric.
    #[schema(example = 0.0)]
    pub min_improvement: f64,
}

impl From<AutoPromote> for AutoPromoteView {
    fn from(rule: AutoPromote) -> Self {
        Self { metric: rule.metric.as_str(), min_improvement: rule.min_improvement }
    }
}

/// The schema of a parameter value.
pub struct ParamValue;

impl PartialSchema for ParamValue {
    fn schema() -> RefOr<Schema> {
        any_of_types(
            [Type::Number, Type::String, Type::Object, Type::Null],
            "The value of a parameter; `GET /algorithms` describes the parameters.",
        )
    }
}

impl ToSchema for ParamValue {}
