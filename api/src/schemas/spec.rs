//! The schemas of requests with all defaults, as in jobs and schedules.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use trainyard_domain::schedule::Template;
use trainyard_domain::spec::{OnLeak, OutputColumns, OutputFormat};
use trainyard_domain::webhook::masked;
use trainyard_domain::{AutoPromote, Dtype, JobSpec, TaskKind, Work};
use trainyard_http::schema::{any_of_types, closed_list};
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::column::DtypeView;
use super::learning::{LabelValue, OnLeakName, PromotionMetricName, TaskName};

/// The request of a job with all defaults, by its kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum JobSpecView {
    /// A training.
    Training(SpecView),
    /// A prediction.
    Prediction(PredictionSpecView),
}

impl JobSpecView {
    /// Removes the webhook URL.
    pub(super) fn hide_webhook_url(&mut self) {
        match self {
            Self::Training(spec) => spec.webhook_url = None,
            Self::Prediction(spec) => spec.webhook_url = None,
        }
    }
}

impl From<JobSpec> for JobSpecView {
    fn from(spec: JobSpec) -> Self {
        let (dataset, webhook_url) = (spec.dataset.as_str().to_owned(), spec.webhook_url.as_deref().map(masked));
        let (name, dataset_version) = (spec.name.as_str().to_owned(), spec.dataset_version);
        let (priority, run_at, max_attempts, timeout_s) =
            (spec.priority, spec.run_at, spec.max_attempts, spec.timeout_s);
        match spec.work {
            Work::Training(training) => Self::Training(SpecView {
                name,
                algorithm: training.algorithm.as_str().to_owned(),
                features: training.features,
                dataset,
                dataset_version: Some(dataset_version),
                target: training.target,
                params: training.params,
                task: training.learning.task,
                positive_class: training.learning.positive_class,
                column_types: training.learning.column_types,
                on_leak: training.learning.on_leak,
                auto_promote: training.auto_promote.map(AutoPromoteView::from),
                priority,
                run_at,
                max_attempts,
                timeout_s,
                webhook_url,
                seed: training.seed,
            }),
            Work::Prediction(prediction) => Self::Prediction(PredictionSpecView {
                model: name,
                version: prediction.version,
                dataset,
                dataset_version,
                columns: prediction.columns,
                output: prediction.output,
                priority,
                run_at,
                max_attempts,
                timeout_s,
                webhook_url,
            }),
        }
    }
}

/// A prediction request with all defaults.
#[derive(Debug, Serialize, ToSchema)]
pub struct PredictionSpecView {
    /// The model.
    #[schema(example = "titanic-rf")]
    pub model: String,
    /// The version of the model. An alias is resolved when the job is submitted.
    #[schema(example = 3)]
    pub version: i64,
    /// The dataset whose rows are predicted.
    #[schema(example = "passengers")]
    pub dataset: String,
    /// The version of the dataset.
    #[schema(example = 1)]
    pub dataset_version: i64,
    /// The columns of the dataset in the result.
    #[schema(value_type = OutputColumnsName)]
    pub columns: OutputColumns,
    /// The format of the result.
    #[schema(value_type = OutputFormatName)]
    pub output: OutputFormat,
    /// The priority. Jobs with a higher priority run first.
    #[schema(example = 0)]
    pub priority: i64,
    /// The job does not run before this time.
    #[schema(required)]
    pub run_at: Option<DateTime<Utc>>,
    /// Most attempts, if the job fails with retryable errors.
    #[schema(example = 3)]
    pub max_attempts: i64,
    /// The time limit of a run, in seconds.
    #[schema(example = 3600)]
    pub timeout_s: i64,
    /// The webhook URL, with its query masked. `null` for readers other than administrators and the owner.
    #[schema(required)]
    pub webhook_url: Option<String>,
}

/// The schema of [`OutputColumns`].
pub struct OutputColumnsName;

impl PartialSchema for OutputColumnsName {
    fn schema() -> RefOr<Schema> {
        closed_list::<OutputColumns>("The columns of the dataset in the result: all, before the predictions, or none.")
    }
}

impl ToSchema for OutputColumnsName {}

/// The schema of [`OutputFormat`].
pub struct OutputFormatName;

impl PartialSchema for OutputFormatName {
    fn schema() -> RefOr<Schema> {
        closed_list::<OutputFormat>("The format of the result.")
    }
}

impl ToSchema for OutputFormatName {}

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
