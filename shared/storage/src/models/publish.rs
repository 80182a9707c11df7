//! Publishing of model versions.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use trainyard_domain::ids::uuid_at;
use trainyard_domain::promotion::LiveVersion;
use trainyard_domain::{
    Algorithm, DatasetId, JobId, ModelName, MoveCause, MoveReason, PRODUCTION, Promotion, PromotionDecision,
};

use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{execute, one, optional, write_one};

/// A version to publish.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// The model's name.
    pub name: ModelName,
    /// The job that trained it.
    pub job_id: JobId,
    /// The training algorithm.
    pub algorithm: Algorithm,
    /// Feature names, in the order of the model's columns.
    pub features: Vec<String>,
    /// The target column.
    pub target: String,
    /// Metrics on the held-out part.
    pub metrics: Value,
    /// The dataset version that it was trained on.
    pub dataset_id: DatasetId,
    /// Size of the artifact in bytes.
    pub size: i64,
    /// SHA-256 of the artifact, hexadecimal.
    pub sha256: String,
    /// The artifact's key in the object store.
    pub artifact_key: String,
    /// Trace context of the publication.
    pub traceparent: Option<String>,
    /// Time of the publication.
    pub now: DateTime<Utc>,
    /// When `production` is set to this version.
    pub promotion: Promotion,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub version: i64,
    /// The decision about a guarded promotion; `None` for the other values of [`Promotion`].
    pub decision: Option<PromotionDecision>,
}

impl Models<'_> {
    /// Publishes a version. Its number is the highest number of the model, also of a deleted version, plus 1. Concurrent
    /// publishes to one model wait for each other. Sets the alias `production` for the first version, and as
    /// [`NewVersion::promotion`] says. While the model's traffic has weights, `production` does not move.
    ///
    /// # Errors
    /// [`crate::StorageError::Conflict`] if the job has published before.
    pub async fn publish(&mut self, new: &NewVersion) -> Result<Published> {
        // The lock of this row makes the numbers unique: a concurrent publish waits here for the commit.
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
        let (reason, decision) = self.decide(new, others).await?;
        if let Some(reason) = reason {
            let cause = MoveCause::new(reason, new.now);
            let cause = decision.iter().fold(cause, |cause, decision| cause.because(&decision.message));
            self.move_alias(&new.name, PRODUCTION, version, &cause).await?;
        }
        bump_revision(self.0).await?;
        Ok(Published { version, decision })
    }

    /// Why `production` moves to the new version, and the decision about a guarded promotion.
    async fn decide(
        &mut self,
        new: &NewVersion,
        others: bool,
    ) -> Result<(Option<MoveReason>, Option<PromotionDecision>)> {
        let guarded = matches!(new.promotion, Promotion::IfBetter(_));
        if !others {
            let decision = PromotionDecision::promoted("the first version of the model");
            return Ok((Some(MoveReason::FirstVersion), guarded.then_some(decision)));
        }
        if new.promotion == Promotion::FirstOnly {
            return Ok((None, None));
        }
        if !self.traffic(&new.name).await?.traffic.weights.is_empty() {
            let decision = PromotionDecision::refused("the traffic of the model has weights");
            return Ok((None, guarded.then_some(decision)));
        }
        let Promotion::IfBetter(rule) = new.promotion else { return Ok((Some(MoveReason::Publication), None)) };
        let live: Option<(i64, String, Json<Value>)> = optional!(
            self.0,
            "SELECT v.version, v.target, v.metrics FROM model_aliases a \
             JOIN model_versions v ON v.model_name = a.model_name AND v.version = a.version \
             WHERE a.model_name = $1 AND a.alias = $2",
            new.name.as_str(),
            PRODUCTION,
        )?;
        let decision = match &live {
            None => PromotionDecision::promoted("production points at no version"),
            Some((version, target, metrics)) => {
                let live = LiveVersion { version: *version, target, metrics: &metrics.0 };
                rule.decide(&new.target, &new.metrics, live)
            }
        };
        Ok((decision.promoted.then_some(MoveReason::GuardedPromotion), Some(decision)))
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
