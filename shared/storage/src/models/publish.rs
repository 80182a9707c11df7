//! Publishing a version: numbered, unique per job, served at once when it should be.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::{Algorithm, DatasetId, JobId, ModelName, PRODUCTION};

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{execute, one, write_one};

/// What a run hands over.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// The model's name.
    pub name: ModelName,
    /// The job that trained it.
    pub job_id: JobId,
    /// What trained it.
    pub algorithm: Algorithm,
    /// Feature names in the model's order.
    pub features: Vec<String>,
    /// The target column.
    pub target: String,
    /// Held-out metrics, as in the API.
    pub metrics: Value,
    /// The data set version it was trained on.
    pub dataset_id: DatasetId,
    /// The artifact's size in bytes.
    pub size: i64,
    /// The artifact's SHA-256, hexadecimal.
    pub sha256: String,
    /// Where the artifact lies in the object store.
    pub artifact_key: String,
    /// Where in a trace it is published.
    pub traceparent: Option<String>,
    /// When it is published.
    pub now: DateTime<Utc>,
    /// Whether `production` moves to it even when it is not the model's only version.
    pub auto_promote: bool,
}

impl Models<'_> {
    /// Adds a version and answers its number: one past the highest the name ever had, deleted ones included. Publishes
    /// to one model wait for each other. The alias `production` moves to a model's only version, and to any when
    /// `auto_promote` says so.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] when the job has published before.
    pub async fn publish(&mut self, new: &NewVersion) -> Result<i64> {
        // The row lock this takes is what makes the numbers unique: the next publisher waits here for our commit.
        let (version,): (i64,) = write_one!(
            self.0,
            "INSERT INTO models (name, id, latest_version, created_at) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (name) DO UPDATE SET latest_version = models.latest_version + 1, \
             id = CASE WHEN models.deleted_at IS NULL THEN models.id ELSE excluded.id END, \
             created_at = CASE WHEN models.deleted_at IS NULL THEN models.created_at ELSE excluded.created_at END, \
             deleted_at = NULL RETURNING latest_version",
            new.name.as_str(),
            uuid_at(new.now),
            new.now,
        )?;
        let (others,): (bool,) =
            one!(self.0, "SELECT EXISTS (SELECT 1 FROM model_versions WHERE model_name = $1)", new.name.as_str())?;
        self.insert_version(new, version).await?;
        if new.auto_promote || !others {
            self.point(&new.name, PRODUCTION, version, new.now).await?;
        }
        bump_revision(self.0).await?;
        Ok(version)
    }

    async fn insert_version(&mut self, new: &NewVersion, version: i64) -> Result<()> {
        execute!(
            self.0,
            "INSERT INTO model_versions (model_name, version, job_id, algorithm, features, target, metrics, dataset_id, \
             byte_count, sha256, artifact_key, traceparent, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            new.name.as_str(),
            version,
            new.job_id.0,
            new.algorithm.as_str(),
            Json(&new.features),
            &new.target,
            Json(&new.metrics),
            new.dataset_id.0,
            new.size,
            &new.sha256,
            &new.artifact_key,
            new.traceparent.as_deref(),
            new.now,
        )?;
        Ok(())
    }
}
