//! Rows of the model tables, as both drivers read them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use trainyard_domain::{DatasetId, JobId, ModelVersion};
use uuid::Uuid;

use super::Model;
use crate::error::Result;
use crate::read_back;

#[derive(FromRow)]
pub(super) struct ModelRow {
    id: Uuid,
    name: String,
    created_at: DateTime<Utc>,
}

impl ModelRow {
    pub(super) fn read(self) -> Result<Model> {
        Ok(Model { id: self.id, name: read_back::model_name(&self.name)?, created_at: self.created_at })
    }
}

/// A version joined with one of its aliases, or with none.
#[derive(FromRow)]
pub(super) struct VersionRow {
    model_name: String,
    version: i64,
    job_id: Uuid,
    algorithm: String,
    features: Json<Vec<String>>,
    target: String,
    metrics: Json<Value>,
    dataset_id: Uuid,
    byte_count: i64,
    sha256: String,
    artifact_key: String,
    traceparent: Option<String>,
    created_at: DateTime<Utc>,
    alias: Option<String>,
}

impl VersionRow {
    fn read(self) -> Result<ModelVersion> {
        Ok(ModelVersion {
            name: read_back::model_name(&self.model_name)?,
            version: self.version,
            job_id: JobId(self.job_id),
            algorithm: read_back::algorithm(&self.algorithm)?,
            features: self.features.0,
            target: self.target,
            metrics: self.metrics.0,
            dataset_id: DatasetId(self.dataset_id),
            size: self.byte_count,
            sha256: self.sha256,
            artifact_key: self.artifact_key,
            traceparent: self.traceparent,
            created_at: self.created_at,
            aliases: self.alias.into_iter().collect(),
        })
    }
}

/// Folds rows that stand next to each other and differ in the alias alone into one version each.
pub(super) fn fold(rows: Vec<VersionRow>) -> Result<Vec<ModelVersion>> {
    let mut versions: Vec<ModelVersion> = Vec::new();
    for row in rows {
        match versions.last_mut() {
            Some(last) if last.name.as_str() == row.model_name && last.version == row.version => {
                last.aliases.extend(row.alias);
            }
            _ => versions.push(row.read()?),
        }
    }
    Ok(versions)
}
