//! Schemas of models, versions and aliases.

mod signature;
mod traffic;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use trainyard_domain::{Dataset, ModelVersion};
use utoipa::ToSchema;
use uuid::Uuid;

pub use signature::{FeatureView, VersionDetailView};
pub use traffic::{AliasMoveView, GuardView, TrafficView};

use super::metrics::{MetricsView, without_curves};

/// One published version of a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The version, from 1.
    #[schema(example = 3)]
    pub version: i64,
    /// The algorithm that trained the version.
    #[schema(example = "random_forest")]
    pub algorithm: &'static str,
    /// The features, in the order of the model.
    #[schema(example = json!(["sex", "age", "pclass"]))]
    pub features: Vec<String>,
    /// The column that the model predicts.
    #[schema(example = "survived")]
    pub target: String,
    /// Metrics on the held-out part, as on the job.
    #[schema(value_type = MetricsView)]
    pub metrics: Value,
    /// The job that trained the version.
    pub job_id: Uuid,
    /// The dataset of the training.
    #[schema(required, example = "titanic")]
    pub dataset: Option<String>,
    /// The version of the dataset.
    #[schema(required, example = 1)]
    pub dataset_version: Option<i64>,
    /// The size of the artifact in bytes.
    #[schema(example = 183_204)]
    pub size: i64,
    /// The SHA-256 of the artifact, hexadecimal.
    pub sha256: String,
    /// The aliases that point at the version.
    #[schema(example = json!(["production"]))]
    pub aliases: Vec<String>,
    /// When the version was published.
    pub created_at: DateTime<Utc>,
}

impl VersionView {
    /// The schema of `version`, which was trained on `dataset`.
    pub fn new(version: ModelVersion, dataset: Option<&Dataset>) -> Self {
        Self {
            name: version.name.as_str().to_owned(),
            version: version.version,
            algorithm: version.algorithm.as_str(),
            features: version.features,
            target: version.target,
            metrics: version.metrics,
            job_id: version.job_id.0,
            dataset: dataset.map(|dataset| dataset.name.as_str().to_owned()),
            dataset_version: dataset.map(|dataset| dataset.version),
            size: version.size,
            sha256: version.sha256,
            aliases: version.aliases,
            created_at: version.created_at,
        }
    }

    /// Removes the curves of the metrics, for lists.
    #[must_use]
    pub fn without_curves(mut self) -> Self {
        without_curves(&mut self.metrics);
        self
    }
}

/// A model in a list, with its newest version.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelView {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// When the first version was published.
    pub created_at: DateTime<Utc>,
    /// The version that each alias points at.
    #[schema(example = json!({"production": 3}))]
    pub aliases: BTreeMap<String, i64>,
    /// The newest version; `null` when all versions have been deleted.
    #[schema(required)]
    pub latest: Option<VersionView>,
}

/// A model with its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelDetailView {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// When the first version was published.
    pub created_at: DateTime<Utc>,
    /// The version that each alias points at.
    #[schema(example = json!({"production": 3}))]
    pub aliases: BTreeMap<String, i64>,
    /// A page of versions, newest first.
    pub versions: Vec<VersionView>,
    /// The cursor of the next page; `null` on the last page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// An alias and its version.
#[derive(Debug, Serialize, ToSchema)]
pub struct AliasView {
    /// The name of the model.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The alias.
    #[schema(example = "production")]
    pub alias: String,
    /// The version that the alias points at.
    #[schema(example = 3)]
    pub version: i64,
}
