//! Job specifications: a [`Draft`] or a [`PredictionDraft`] before validation, a [`JobSpec`] after it.

mod columns;
mod learning;
mod prediction;
mod validate;
mod work;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::dataset::DatasetName;
use crate::model::ModelName;
use crate::promotion::AutoPromote;

pub use learning::{LearningOptions, OnLeak, is_label, is_regression};
pub use prediction::{PredictionDraft, SourceModel};
pub use work::{JobKind, OutputColumns, OutputFormat, Prediction, Training, Work};

/// The default dataset of a job.
pub const DEFAULT_DATASET: &str = "titanic";
/// The default target for [`DEFAULT_DATASET`].
pub const DEFAULT_TARGET: &str = "survived";
/// Maximum number of features of a job.
pub const MAX_FEATURES: usize = 10_000;
/// Maximum seed: JSON clients represent integers up to this value exactly (RFC 8259).
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// Maximum number of classes of a target.
pub const MAX_CLASSES: u64 = 1_000;

/// A job specification with all defaults filled in. The API shows it as `spec`; the worker runs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Name of the model that the job trains or predicts with.
    pub name: ModelName,
    /// Name of the dataset.
    pub dataset: DatasetName,
    /// Version of the dataset, fixed at submission so that retries read the same rows.
    pub dataset_version: i64,
    /// -10 to 10; higher priorities run first.
    pub priority: i64,
    /// The job does not start before this time.
    pub run_at: Option<DateTime<Utc>>,
    /// Maximum number of attempts after retryable failures.
    pub max_attempts: i64,
    /// Time limit of a run in seconds.
    pub timeout_s: i64,
    /// URL that receives the webhook when the job is final.
    pub webhook_url: Option<String>,
    /// What the job does.
    #[serde(flatten)]
    pub work: Work,
}

impl JobSpec {
    /// The kind of work.
    pub fn kind(&self) -> JobKind {
        match self.work {
            Work::Training(_) => JobKind::Training,
            Work::Prediction(_) => JobKind::Prediction,
        }
    }

    /// The algorithm of the model.
    pub fn algorithm(&self) -> Algorithm {
        match &self.work {
            Work::Training(training) => training.algorithm,
            Work::Prediction(prediction) => prediction.algorithm,
        }
    }

    /// The work of a training job.
    pub fn training(&self) -> Option<&Training> {
        match &self.work {
            Work::Training(training) => Some(training),
            Work::Prediction(_) => None,
        }
    }

    /// The work of a prediction job.
    pub fn prediction(&self) -> Option<&Prediction> {
        match &self.work {
            Work::Training(_) => None,
            Work::Prediction(prediction) => Some(prediction),
        }
    }
}

/// A training request with defaults, before validation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draft {
    /// See [`JobSpec`].
    pub name: String,
    /// See [`Training`].
    pub algorithm: String,
    /// See [`Training`]; `["*"]` means all usable columns except the target.
    pub features: Vec<String>,
    /// See [`Training`].
    pub target: String,
    /// See [`Training`].
    pub params: Map<String, Value>,
    /// See [`Training`].
    #[serde(flatten)]
    pub learning: LearningOptions,
    /// See [`JobSpec`].
    pub priority: i64,
    /// See [`JobSpec`].
    pub run_at: Option<DateTime<Utc>>,
    /// See [`JobSpec`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_promote: Option<AutoPromote>,
    /// See [`JobSpec`].
    pub max_attempts: i64,
    /// See [`JobSpec`].
    pub timeout_s: i64,
    /// See [`JobSpec`]; checked by [`crate::webhook::Rules`].
    pub webhook_url: Option<String>,
    /// See [`Training`].
    pub seed: u64,
}

#[cfg(test)]
mod tests;
