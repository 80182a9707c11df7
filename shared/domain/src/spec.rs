//! Job specifications: a [`Draft`] before validation, a [`JobSpec`] after it.

mod columns;
mod learning;
mod validate;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::dataset::DatasetName;
use crate::model::ModelName;
use crate::promotion::AutoPromote;

pub use learning::{LearningOptions, OnLeak, is_label, is_regression};

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

/// A job specification with all defaults filled in. The API shows it as `spec`; the worker trains by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Name of the model.
    pub name: ModelName,
    /// The training algorithm.
    pub algorithm: Algorithm,
    /// Feature columns. `*` is expanded at submission.
    pub features: Vec<String>,
    /// Name of the dataset.
    pub dataset: DatasetName,
    /// Version of the dataset, fixed at submission so that retries read the same rows.
    pub dataset_version: i64,
    /// The column to predict.
    pub target: String,
    /// All parameters of the algorithm.
    pub params: Map<String, Value>,
    /// How the table is learned.
    #[serde(flatten)]
    pub learning: LearningOptions,
    /// Warnings about columns that the submission left out. The run repeats them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// -10 to 10; higher priorities run first.
    pub priority: i64,
    /// The job does not start before this time.
    pub run_at: Option<DateTime<Utc>>,
    /// When the version gets `production`; `None` leaves that to `worker.auto_promote`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_promote: Option<AutoPromote>,
    /// Maximum number of attempts after retryable failures.
    pub max_attempts: i64,
    /// Time limit of a run in seconds.
    pub timeout_s: i64,
    /// URL that receives the webhook when the job is final.
    pub webhook_url: Option<String>,
    /// Seed of the random number generator.
    pub seed: u64,
}

/// A training request with defaults, before validation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draft {
    /// See [`JobSpec`].
    pub name: String,
    /// See [`JobSpec`].
    pub algorithm: String,
    /// See [`JobSpec`]; `["*"]` means all usable columns except the target.
    pub features: Vec<String>,
    /// See [`JobSpec`].
    pub target: String,
    /// See [`JobSpec`].
    pub params: Map<String, Value>,
    /// See [`JobSpec`].
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
    /// See [`JobSpec`].
    pub seed: u64,
}

#[cfg(test)]
mod tests;
