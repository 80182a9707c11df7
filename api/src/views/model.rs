//! Models, their versions and aliases as clients see them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use trainyard_domain::{Dataset, ModelVersion};
use utoipa::ToSchema;
use uuid::Uuid;

/// One published version of a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// The model's name.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// Counts up from 1.
    #[schema(example = 3)]
    pub version: i64,
    /// What trained it.
    #[schema(example = "random_forest")]
    pub algorithm: &'static str,
    /// Features, in the model's order.
    #[schema(example = json!(["sex", "age", "pclass"]))]
    pub features: Vec<String>,
    /// The column it predicts.
    #[schema(example = "survived")]
    pub target: String,
    /// Held-out metrics, as on the job.
    #[schema(value_type = Object)]
    pub metrics: Value,
    /// The job that trained it.
    pub job_id: Uuid,
    /// The data set it was trained on.
    #[schema(required, example = "titanic")]
    pub dataset: Option<String>,
    /// That data set's version.
    #[schema(required, example = 1)]
    pub dataset_version: Option<i64>,
    /// The artifact's size in bytes.
    #[schema(example = 183_204)]
    pub size: i64,
    /// The artifact's SHA-256, hexadecimal.
    pub sha256: String,
    /// Aliases that point at it.
    #[schema(example = json!(["production"]))]
    pub aliases: Vec<String>,
    /// When it was published.
    pub created_at: DateTime<Utc>,
}

impl VersionView {
    /// The version, trained on `dataset`.
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
}

/// A model in a list, with its newest version.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelView {
    /// The model's name.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// When its first version was published.
    pub created_at: DateTime<Utc>,
    /// Which version each alias points at.
    #[schema(example = json!({"production": 3}))]
    pub aliases: BTreeMap<String, i64>,
    /// The newest version; `null` when all have been deleted.
    #[schema(required)]
    pub latest: Option<VersionView>,
}

/// A model with its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelDetailView {
    /// The model's name.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// When its first version was published.
    pub created_at: DateTime<Utc>,
    /// Which version each alias points at.
    #[schema(example = json!({"production": 3}))]
    pub aliases: BTreeMap<String, i64>,
    /// A page of its versions, newest first.
    pub versions: Vec<VersionView>,
    /// Where the next page of versions begins; `null` on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// An alias and what it points at.
#[derive(Debug, Serialize, ToSchema)]
pub struct AliasView {
    /// The model's name.
    #[schema(example = "titanic-rf")]
    pub name: String,
    /// The alias.
    #[schema(example = "production")]
    pub alias: String,
    /// The version it points at.
    #[schema(example = 3)]
    pub version: i64,
}
