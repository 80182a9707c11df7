//! What a client asks to have trained: a [`Draft`] as sent, a [`JobSpec`] once it is validated.

mod validate;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::dataset::DatasetName;
use crate::model::ModelName;

pub use validate::is_regression;

/// The data set a job trains on when it names none.
pub const DEFAULT_DATASET: &str = "titanic";
/// The target of [`DEFAULT_DATASET`].
pub const DEFAULT_TARGET: &str = "survived";
/// Most features a job may name.
pub const MAX_FEATURES: usize = 10_000;
/// Largest seed a client may send: every JSON client can write whole numbers up to here exactly (RFC 8259).
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// A target with more distinct values than this is never taken for a list of classes.
pub const MAX_CLASSES: u64 = 100;

/// A training job's order, with every default filled in: what is stored, shown as `spec`, and handed to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The model to make a version of.
    pub name: ModelName,
    /// What trains it.
    pub algorithm: Algorithm,
    /// Feature columns; never `*`, which is expanded at submission.
    pub features: Vec<String>,
    /// The data set's name.
    pub dataset: DatasetName,
    /// The data set's version, fixed at submission so that retries see the same rows.
    pub dataset_version: i64,
    /// The column to predict.
    pub target: String,
    /// Every parameter of the algorithm.
    pub params: Map<String, Value>,
    /// Higher runs first; -10 to 10.
    pub priority: i64,
    /// Not before then.
    pub run_at: Option<DateTime<Utc>>,
    /// How often the job's own retryable failures are tried.
    pub max_attempts: i64,
    /// Longest run in seconds.
    pub timeout_s: i64,
    /// Where to report the end.
    pub webhook_url: Option<String>,
    /// Fixes every random draw.
    pub seed: u64,
}

/// A training request with its defaults filled in and its types checked, but nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draft {
    /// See [`JobSpec`].
    pub name: String,
    /// See [`JobSpec`].
    pub algorithm: String,
    /// See [`JobSpec`]; `["*"]` means every column but the target.
    pub features: Vec<String>,
    /// See [`JobSpec`].
    pub target: String,
    /// See [`JobSpec`].
    pub params: Map<String, Value>,
    /// See [`JobSpec`].
    pub priority: i64,
    /// See [`JobSpec`].
    pub run_at: Option<DateTime<Utc>>,
    /// See [`JobSpec`].
    pub max_attempts: i64,
    /// See [`JobSpec`].
    pub timeout_s: i64,
    /// See [`JobSpec`]; whether it may be used depends on the server's settings, see [`crate::webhook::Rules`].
    pub webhook_url: Option<String>,
    /// See [`JobSpec`].
    pub seed: u64,
}

#[cfg(test)]
mod tests;
